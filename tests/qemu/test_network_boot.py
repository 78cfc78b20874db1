# SPDX-License-Identifier: BSD-2-Clause
"""Boots from the network: firmware's own PXE and HTTP, and iPXE, as docs/network-boot.md has them. The
server is QEMU's for DHCP and TFTP, and one on the loopback for HTTP, which the guest sees as 10.0.2.2."""
import functools
import http.server
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from conftest import launch, stamped
from test_media import WORDS, make  # make is a fixture
from test_secure_boot import FIRMWARE, VARIABLES

IPXE = Path("/usr/lib/ipxe/qemu/efi-e1000.rom")


class Server(http.server.ThreadingHTTPServer):
    """Gives out a folder's files, and keeps the names of those that were asked for."""

    def __init__(self, folder):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_request(handler, *_):
                self.asked.append((handler.command, handler.path))

        super().__init__(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
        self.asked = []
        self.url = f"http://10.0.2.2:{self.server_address[1]}"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    shutil.copy(launch.BUILD / "onebell.efi", folder)
    return folder


@pytest.fixture
def server(folder):
    with Server(folder) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def network(device, **words):
    return ["-netdev", launch.options("user", {"id": "net", **words}), "-device", f"{device},netdev=net"]


# With more, firmware's SMM waits for all of them whenever it writes a variable: half of such a boot's time. And what
# is loaded has no command line but for the ISO: it is the default job of some seconds, on each.
CPUS = 1
FIRMWARES_OWN = "virtio-net-pci,romfile="  # without the ROM, which is iPXE, it is OVMF's driver


def test_pxe(boot, folder):
    """No volume, so no cmdline.txt: the defaults."""
    medium = network(FIRMWARES_OWN, tftp=folder, bootfile="onebell.efi")
    run = boot(medium=medium, cpus=CPUS, disks=stamped(1)).ended_well()
    assert run.job["rw"] == "randread" and run.job["total_ios"] > 0
    run.line("BdsDxe: starting .*PXE")


@pytest.fixture
def variables_for(tmp_path):
    """variables_for(url): firmware's variables, by which it boots from there next."""
    if not shutil.which("virt-fw-vars"):
        pytest.skip("virt-fw-vars is not installed (package python3-virt-firmware)")
    if not FIRMWARE.exists():
        pytest.skip(f"{FIRMWARE} is missing: this release's ovmf has no 4M build")

    def run(url):
        variables = tmp_path / "vars.fd"
        subprocess.run(["virt-fw-vars", "-i", VARIABLES, "-o", variables, "--set-boot-uri", url], check=True)
        return variables

    return run


def test_http(boot, server, variables_for):
    run = boot(medium=network(FIRMWARES_OWN), firmware=FIRMWARE, cpus=CPUS, disks=stamped(1),
               variables=variables_for(f"{server.url}/onebell.efi")).ended_well()
    assert run.job["total_ios"] > 0
    assert ("GET", "/onebell.efi") in server.asked


def test_http_of_an_iso(boot, folder, server, variables_for, make):
    """Firmware makes a RAM disk of it, and so there is a cmdline.txt."""
    make("iso").rename(folder / "onebell.iso")
    run = boot(medium=network(FIRMWARES_OWN), firmware=FIRMWARE, cpus=CPUS, disks=stamped(1),
               variables=variables_for(f"{server.url}/onebell.iso")).verified()
    run.line("irq=posted, up")
    assert ("GET", "/onebell.iso") in server.asked


def test_ipxe(boot, folder, server):
    """A script gives the command line."""
    if not IPXE.exists():
        pytest.skip(f"{IPXE} is missing (package ipxe-qemu)")
    (folder / "boot.ipxe").write_text(f"#!ipxe\nkernel {server.url}/onebell.efi {WORDS}\nboot\n")
    run = boot(medium=network("e1000", bootfile=f"{server.url}/boot.ipxe"), disks=stamped(1)).verified()
    run.line("irq=posted, up")
    assert server.asked == [("GET", "/boot.ipxe"), ("GET", "/onebell.efi")]
