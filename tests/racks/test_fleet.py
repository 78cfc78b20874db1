# SPDX-License-Identifier: BSD-2-Clause
"""tools/fleet against BMCs of the tests' own: machines that play a run, so that there can be many, and in
every kind of trouble; and two in QEMU, which boot the image that their BMC was given."""
import hashlib
import re
import shutil
import signal
import subprocess

import pytest
from bmc import CD, FIRMWARE, PASSWORD, Qemu, launch
from conftest import ROOT, synthetic

pytest.importorskip("sushy", reason="sushy is not installed (package python3-sushy)")


def bench(speed=1.0, **more):
    """A run of a few rows."""
    rows = [o for o in synthetic.rows(speed) if o.get("table") == "disks"]
    return [*synthetic.machine(hypervisor="none", **more), *rows, {"type": "end", "status": "ok"}]


def test_one_report(rack):
    faults = {1: ("uefi",), 2: ("slow",)}
    for i in range(5):
        rack.machine(f"node{i}", bench(1 + i / 200), faults=faults.get(i, ()))
    done = rack.fleet()
    assert (done.returncode, done.stderr) == (0, "")
    assert "fleet: no machine is odd among 5\n" in done.stdout
    assert "fleet: 5 of 5 machines ended well\n" in done.stdout
    assert [run["label"] for run in rack.report()["runs"]] == [f"node{i}" for i in range(5)]
    for bmc in rack.bmcs.values():
        once, after = [did for did in bmc.did if isinstance(did, dict)]
        mode = {} if "uefi" in bmc.faults else {"BootSourceOverrideMode": "UEFI"}
        assert once == {"BootSourceOverrideTarget": "Cd", "BootSourceOverrideEnabled": "Once", **mode}
        assert after == {"BootSourceOverrideEnabled": "Disabled"}
        assert [did for did in bmc.did if isinstance(did, str)] == ["InsertMedia", "On", "EjectMedia"]
        assert bmc.tokens == set()  # every session was ended


def test_the_odd_machines(rack):
    for i in range(5):
        rack.machine(f"node{i}", bench(0.7 if i == 3 else 1 + i / 200, disks=7 if i == 1 else 8),
                     bios="1.2.2" if i == 4 else "1.2.3")
    done = rack.fleet()
    odd = re.findall("^odd: (.*)$", done.stdout, re.MULTILINE)
    assert done.returncode == 3, done.stderr
    assert odd[0] == "node4: BIOS: 1.2.2; most have: 1.2.3"
    assert odd[1].startswith("node1: disks: 7 x QEMU NVMe Ctrl") and "; most have: 8 x QEMU" in odd[1]
    assert re.fullmatch(r"node3: I/O rate is 3\d% below the others' median in 16 rows, most in \w+, disks \d: "
                        r"[\d,]+ IOPS against [\d,]+ IOPS \(differs, p = 0\.0\d+\)", odd[2])
    assert {sentence.split(":")[0] for sentence in odd[3:]} == {"node3"}
    page = rack.report()["sections"][0]
    assert page["title"] == "The odd machine out" and page["charts"][0]["notes"][:len(odd)] == odd


def test_trouble(rack):
    """Each machine in trouble is one sentence, and the others go on."""
    half = bench()[:-6]
    rack.machine("good", bench())
    rack.machine("hangs", half, keys={"timeout": 2}.items())
    rack.machine("silent", [], keys={"boot_timeout": 2}.items())
    port = rack.folder / "cut.port"
    rack.machine("cut", half, keys={"console": f"sh -c 'while [ $(stat -c %s {port}) -lt 4000 ]; do sleep 0.1; "
                                    f"done; head -c 4000 {port}'"}.items())
    rack.machine("failed", [*synthetic.machine(), {"type": "error", "what": "no-disk", "message": "no disk: add one"},
                            {"type": "end", "status": "failed"}])
    rack.machine("down", []).close()
    rack.machine("stranger", [], keys={"user": "nobody"}.items())
    rack.machine("full", [], is_on=True)
    rack.machine("no-drive", [], faults=("no-cd",))
    rack.machine("no-command", [], keys={"console": "/no/such/command"}.items())
    rack.machine("refuses", [], faults=("insert",))
    rack.machine("never", [], faults=("never",), keys={"bmc_timeout": 1}.items())
    rack.machine("mute", [], faults=("mute",), keys={"bmc_timeout": 1}.items())
    rack.machine("strange", [], faults=("strange",))
    done = rack.fleet()
    assert done.returncode == 1
    said = dict(re.findall(r"^fleet: ([\w-]+): (?!left out)(.*)$", done.stderr, re.MULTILINE))
    expected = {
        "hangs": r"hangs: no end within 2 s of its first line, after \d+ results: see .*/hangs\.log",
        "silent": "said nothing of Onebell within 2 s of power-on: see .*",
        "cut": "its console command ended with status 0: it said nothing of why",
        "failed": "no disk: add one",
        "down": "http://.*: to begin: it refuses connections: check its address and network",
        "stranger": "http://.*: to begin: it refuses user and password",
        "full": "it is on, and may be in use: switch it off, or say restart = true",
        "no-drive": "http://.*: to insert the image into the virtual CD-ROM: it has no virtual CD-ROM: .*",
        "no-command": "/no/such/command: No such file or directory: console should be a command .*",
        "never": "http://.*: to insert the image into the virtual CD-ROM: it took it, and inserted nothing "
                 "within 1 s: see whether it reaches the image's address",
        "mute": "http://.*: to begin: it doesn't answer: check its address and network",
        "strange": "http://.*: to begin: it answers what no Redfish service should: update its firmware",
        "refuses": "http://.*: to insert the image into the virtual CD-ROM: .*500.*",
    }
    assert said.keys() == expected.keys()
    for name, words in expected.items():
        assert re.match(words, said[name]), said[name]
    assert "fleet: 1 of 14 machines ended well\n" in done.stdout
    assert not rack.bmcs["full"].did and not rack.bmcs["no-drive"].did  # left alone
    assert {run["label"] for run in rack.report()["runs"]} == {"good", "hangs", "cut", "failed"}
    # What runs our image and hangs is switched off; what booted something else isn't.
    assert "ForceOff" in rack.bmcs["hangs"].did and "ForceOff" not in rack.bmcs["silent"].did


def test_an_earlier_run_on_the_console(rack):
    """A console server repeats what it had, an end among it, before this run says anything."""
    bmc = rack.machine("node", [*bench()[:9], {"type": "end", "status": "failed"}], faults=("slow",))
    bmc.console.write_text("\n".join(synthetic.lines(bench())) + "\n")
    done = rack.fleet()
    assert done.returncode == 1 and "fleet: node: its run failed\n" in done.stderr
    assert '"type":"bench"' not in (rack.folder / "out/node.log").read_text()


def test_no_secret_is_told(rack):
    """Not in any command's arguments, nor in a log; the console's command has it in its environment."""
    look = "{ ps -ww -eo args; echo $IPMITOOL_PASSWORD | sha256sum; } >&2"
    rack.machine("node", bench(), keys={
        "console": f"sh -c '{look}; exec tail -c +1 -F {rack.folder}/node.port'"}.items())
    rack.machine("broken", [], faults=("locked",))
    rack.machine("stranger", [], keys={"user": "nobody"}.items())
    done = rack.fleet()
    seen = (rack.folder / "out/node.console").read_text()
    assert "tools/fleet run" in seen and hashlib.sha256(f"{PASSWORD}\n".encode()).hexdigest() in seen
    files = "".join(file.read_text() for file in (rack.folder / "out").iterdir())
    assert PASSWORD not in done.stdout + done.stderr + files


def test_http_boot(rack):
    rack.shared["boot"] = "http"
    rack.machine("node", bench())
    rack.machine("old", [], faults=("no-http",))
    done = rack.fleet()
    assert "fleet: old: http" in done.stderr and "it doesn't offer UefiHttp" in done.stderr
    did = rack.bmcs["node"].did
    assert did[0]["BootSourceOverrideTarget"] == "UefiHttp" and did[1] == "On"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/onebell\.iso", did[0]["HttpBootUri"])
    assert not any(path == CD for _, path, _ in rack.bmcs["node"].asked)


def test_few_at_once(rack):
    """The second and third wait for their turn."""
    rack.shared["at_once"] = 1
    for i in range(3):
        rack.machine(f"node{i}", bench())
    assert rack.fleet().returncode == 0
    times = [[time for _, _, time in bmc.asked] for bmc in rack.bmcs.values()]
    assert all(max(before) < min(after) for before, after in zip(times, times[1:]))


def test_stopped(rack):
    """By Ctrl-C, or so: what runs is put back, and what waits isn't begun."""
    rack.shared["at_once"] = 1
    first = rack.machine("first", bench()[:4])
    second = rack.machine("second", bench())
    with subprocess.Popen(rack.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as fleet:
        while "first: runs" not in fleet.stdout.readline():
            assert fleet.poll() is None
        fleet.send_signal(signal.SIGTERM)
        _, said = fleet.communicate(timeout=60)
    assert fleet.returncode == 1
    assert "fleet: first: was stopped\n" in said and "fleet: second: was stopped\n" in said
    assert [did for did in first.did if isinstance(did, str)] == ["InsertMedia", "On", "EjectMedia", "ForceOff"]
    assert second.asked == []


def test_start_and_stop(rack):
    """For a lab's software, which has the console."""
    bmc = rack.machine("node", bench(), keys={"url": "http://image.example/onebell.iso"}.items())
    assert rack.fleet("start", "node").returncode == 0
    assert bmc.inserted == "http://image.example/onebell.iso" and bmc.is_on
    again = rack.fleet("start", "node")
    assert again.returncode == 2 and "it is on, and may be in use" in again.stderr
    assert rack.fleet("stop", "node").returncode == 0
    assert not bmc.inserted and not bmc.is_on


@pytest.fixture
def certificate(tmp_path):
    files = [tmp_path / "cert.pem", tmp_path / "key.pem"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-out", files[0], "-keyout", files[1]],
                   check=True, capture_output=True)
    return files


def test_certificates(rack, certificate):
    """Checked unless the inventory says otherwise."""
    del rack.shared["insecure"]
    rack.machine("known", bench(), tls=certificate, keys={"ca": str(certificate[0])}.items())
    unknown = rack.machine("unknown", [], tls=certificate)
    done = rack.fleet()
    assert "its certificate isn't trusted: name its CA by ca" in done.stderr
    assert "fleet: 1 of 2 machines ended well" in done.stdout
    assert unknown.asked == []


# ---- machines in QEMU ----

WORDS = "irq=posted rw=randread runtime=1s verify=crc32c json=console"  # as serial over LAN has it


def test_two_in_qemu(rack):
    """One boots from its virtual CD-ROM, the other by HTTP where the tool for its variables is there."""
    done = subprocess.run([ROOT / "tools/mkmedia", "iso", "--efi", launch.BUILD / "onebell.efi", "--words",
                           WORDS, rack.image], capture_output=True, text=True)
    if "is missing: run tools/setup.sh media" in done.stderr:
        pytest.skip("the tools for media are not installed")
    assert done.returncode == 0, done.stderr
    rack.shared |= {"boot_timeout": 240, "timeout": 240}
    by_http = shutil.which("virt-fw-vars") and FIRMWARE.exists()
    for name, count, boot in (("node1", 2, "cd"), ("node2", 1, "http" if by_http else "cd")):
        folder = rack.folder / name
        folder.mkdir()
        disks = [launch.Disk(size="16m") for _ in range(count)]
        rack.machine(name, machine=Qemu(folder, disks=disks), keys={"boot": boot}.items())
    done = rack.fleet()
    assert "fleet: 2 of 2 machines ended well" in done.stdout, done.stderr
    assert "odd: node1: disks: 2 x QEMU NVMe Ctrl" in done.stdout
    assert "odd: node2: disks: QEMU NVMe Ctrl" in done.stdout
    assert done.returncode == 3  # they aren't alike
    assert len(rack.report()["runs"]) == 2
