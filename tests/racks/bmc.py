# SPDX-License-Identifier: BSD-2-Clause
"""A BMC for the tests: as much of Redfish as tools/fleet uses, over HTTP or HTTPS, and behind it a machine
that plays what it is told to, or one in QEMU. Nothing about it is taken from a vendor's."""
import json
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import qemu_launch as launch

USER, PASSWORD = "operator", "s3cret-of-the-lab"
SYSTEM, MANAGER = "/redfish/v1/Systems/1", "/redfish/v1/Managers/1"
CD = f"{MANAGER}/VirtualMedia/Cd"
SESSIONS = "/redfish/v1/SessionService/Sessions"


class Played:
    """Says its lines on the console, each a little later."""

    def __init__(self, lines, each=0.0):
        self.lines, self.each = lines, each
        self.stop = threading.Event()
        self.thread = None

    def on(self, console, medium, by_http):
        def play():
            with open(console, "ab", buffering=0) as file:
                for line in self.lines:
                    if self.stop.wait(self.each):
                        return
                    file.write(line.encode() + b"\r\n")

        self.thread = threading.Thread(target=play)
        self.thread.start()

    def off(self):
        self.stop.set()
        if self.thread:
            self.thread.join()

    def is_on(self):
        return True


FIRMWARE = Path("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd")
VARIABLES = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")


class Qemu:
    """A machine that boots what is in its virtual CD-ROM, as its BMC gets it from the URL, or by HTTP itself."""

    def __init__(self, folder, **options):
        self.folder, self.options, self.process = folder, options, None

    def cd(self, url):
        iso = self.folder / "cd.iso"
        urllib.request.urlretrieve(url, iso)
        return {"medium": ["-drive", f"if=none,id=cd,media=cdrom,format=raw,file={launch.quoted(iso)}",
                           "-device", "ide-cd,drive=cd,bootindex=0"]}

    def network(self, url):
        """Firmware's own HTTP client; the guest sees the host's loopback as 10.0.2.2."""
        variables = self.folder / "vars.fd"
        subprocess.run(["virt-fw-vars", "-i", VARIABLES, "-o", variables, "--set-boot-uri",
                        url.replace("127.0.0.1", "10.0.2.2")], check=True, capture_output=True)
        return {"medium": ["-netdev", "user,id=net", "-device", "virtio-net-pci,romfile=,netdev=net"],
                "firmware": FIRMWARE, "variables": variables}

    def on(self, console, medium, by_http):
        boots = self.network(medium) if by_http else self.cd(medium)
        machine = launch.Machine(com1=console, com2=self.folder / "com2",
                                 model_json=self.folder / "model", **boots, **self.options)
        launch.prepare(machine)
        with open(self.folder / "qemu", "wb") as said:
            self.process = subprocess.Popen(launch.command(machine), stdin=subprocess.DEVNULL,
                                            stdout=said, stderr=said)

    def off(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def is_on(self):
        return self.process.poll() is None


class Bmc:
    """`faults`: what it gets wrong: no-cd, no-http, insert (refuses it), locked (PATCH is refused), mute
    (takes requests, and never answers), strange (what it answers is none of Redfish's), slow (gets the image
    when it has answered), never (doesn't get it), uefi (boots by UEFI already, and doesn't take it again)."""

    def __init__(self, console, machine, is_on=False, faults=(), bios="1.2.3", tls=None):
        self.console, self.machine, self.is_on, self.faults = console, machine, is_on, faults
        self.bios, self.inserted, self.boot, self.did = bios, None, {}, []
        self.tokens, self.asked, self.looks = set(), [], 0
        self.lock = threading.Lock()
        console.touch()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads, self.server.bmc = True, self
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://localhost:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self):
        self.machine.off()
        self.server.shutdown()
        self.server.server_close()

    # ---- what it shows ----

    def shows_medium(self):
        self.looks += 1
        late = "never" in self.faults or "slow" in self.faults and self.looks < 4
        return bool(self.inserted) and not late

    def resource(self, path):
        def link(to):
            return {"@odata.id": to}

        def members(*paths):
            return {"Members": [link(p) for p in paths], "Members@odata.count": len(paths)}

        cd = [] if "no-cd" in self.faults else [CD]
        targets = ["Pxe", "Cd", "Hdd"] + ([] if "no-http" in self.faults else ["UefiHttp"])
        power = "On" if self.is_on and self.machine.is_on() else "Off"
        return {
            "/redfish/v1": {"Name": "root", "RedfishVersion": "1.11.0", "Systems": link("/redfish/v1/Systems"),
                            "Managers": link("/redfish/v1/Managers"),
                            "SessionService": link("/redfish/v1/SessionService"),
                            "Links": {"Sessions": link(SESSIONS)}},
            "/redfish/v1/SessionService": {"Name": "sessions", "ServiceEnabled": True, "SessionTimeout": 600,
                                           "Sessions": link(SESSIONS)},
            "/redfish/v1/Systems": members(SYSTEM),
            "/redfish/v1/Managers": members(MANAGER),
            SYSTEM: {"Name": "system", "Manufacturer": "Maker", "Model": "Server 1", "BiosVersion": self.bios,
                     "PowerState": power, "Links": {"ManagedBy": [link(MANAGER)]},
                     "Boot": {"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None",
                              "BootSourceOverrideMode": "UEFI" if "uefi" in self.faults else "Legacy",
                              "BootSourceOverrideTarget@Redfish.AllowableValues": targets, **self.boot},
                     "Actions": {"#ComputerSystem.Reset": {
                         "target": f"{SYSTEM}/Actions/ComputerSystem.Reset",
                         "ResetType@Redfish.AllowableValues": ["On", "ForceOff", "ForceRestart"]}}},
            MANAGER: {"Name": "manager", "ManagerType": "BMC", "FirmwareVersion": "7.0",
                      "VirtualMedia": link(f"{MANAGER}/VirtualMedia")},
            f"{MANAGER}/VirtualMedia": members(*cd),
            CD: {"Name": "cd", "MediaTypes": ["CD", "DVD"], "Inserted": path == CD and self.shows_medium(),
                 "Image": self.inserted or "", "Actions": {
                     f"#VirtualMedia.{act}Media": {"target": f"{CD}/Actions/VirtualMedia.{act}Media"}
                     for act in ("Insert", "Eject")}},
        }.get(path.rstrip("/"))

    # ---- what it does ----

    def act(self, path, body):
        """A status."""
        name = path.rpartition(".")[2]
        if name == "InsertMedia":
            if "insert" in self.faults:
                return 500
            self.inserted = body["Image"]
        elif name == "EjectMedia":
            self.inserted = None
        elif name == "Reset":
            self.reset(body["ResetType"])
        else:
            return 404
        self.did.append(name if name != "Reset" else body["ResetType"])
        return 204

    def reset(self, kind):
        if kind in ("ForceOff", "ForceRestart") and self.is_on:
            self.machine.off()
        self.is_on = kind != "ForceOff"
        if self.is_on:
            once = self.boot.get("BootSourceOverrideEnabled") == "Once"
            by_http = once and self.boot.get("BootSourceOverrideTarget") == "UefiHttp"
            if once:
                self.boot["BootSourceOverrideEnabled"] = "Disabled"
            self.machine.on(self.console, self.boot["HttpBootUri"] if by_http else self.inserted, by_http)

    def patch(self, path, body):
        if path != SYSTEM or "locked" in self.faults:
            return 405
        if "uefi" in self.faults and "BootSourceOverrideMode" in body["Boot"]:
            return 400
        self.boot.update(body["Boot"])
        self.did.append(dict(body["Boot"]))
        return 204


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def reply(self, status, body=None, **headers):
        data = json.dumps(body if body is not None else {}).encode() if status != 204 else b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do(self, method):
        bmc, path = self.server.bmc, self.path
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size) or b"null") if size else None
        if "mute" in bmc.faults:
            self.connection.recv(1)  # until the other side has had enough
            return None
        with bmc.lock:
            bmc.asked.append((method, path, time.monotonic()))
            if method == "POST" and path == SESSIONS:
                return self.log_in(bmc, body)
            if path.rstrip("/") != "/redfish/v1" and self.headers.get("X-Auth-Token") not in bmc.tokens:
                return self.reply(401, {"error": {"message": "not you"}})
            if method == "GET" and path == SYSTEM and "strange" in bmc.faults:
                return self.reply(200, ["a", "list"])
            if method == "GET":
                found = bmc.resource(path)
                return self.reply(200 if found else 404,
                                  {"@odata.id": path, "Id": path.rpartition("/")[2], **(found or {})})
            if method == "DELETE":
                bmc.tokens.discard(self.headers["X-Auth-Token"])
                return self.reply(204)
            return self.reply(bmc.act(path, body) if method == "POST" else bmc.patch(path, body))

    def log_in(self, bmc, body):
        if (body["UserName"], body["Password"]) != (USER, PASSWORD):
            return self.reply(401, {"error": {"message": "not you"}})
        token = f"token{len(bmc.tokens)}-{time.monotonic_ns()}"
        bmc.tokens.add(token)
        self.reply(201, {"Id": "1"}, X_Auth_Token=token, Location=f"{SESSIONS}/1")

    def do_GET(self):
        self.do("GET")

    def do_POST(self):
        self.do("POST")

    def do_PATCH(self):
        self.do("PATCH")

    def do_DELETE(self):
        self.do("DELETE")
