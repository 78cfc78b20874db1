# SPDX-License-Identifier: BSD-2-Clause
"""Secure Boot: what the image says of itself, and firmware that enforces signatures by a key of ours."""
import csv
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT, launch, stamped
from monitor import Monitor
from test_media import WORDS, make, stick  # make is a fixture

IMAGE = launch.BUILD / "onebell.efi"
FIRMWARE = Path("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd")
VARIABLES = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
OWNER = "5f6a2a5e-9f0d-4c1e-8d1b-0b3c9a7e4d21"
NX_COMPAT, EXECUTE, WRITE = 0x0100, 0x20000000, 0x80000000


def sections():
    """The image's {name: (address, flags, content)} and its DllCharacteristics."""
    image = IMAGE.read_bytes()
    optional = struct.unpack_from("<I", image, 0x3c)[0] + 24
    count, = struct.unpack_from("<H", image, optional - 18)
    table = optional + struct.unpack_from("<H", image, optional - 4)[0]
    found = {}
    for at in range(table, table + 40 * count, 40):
        name, size, address, _, offset, flags = struct.unpack_from("<8sIIII12xI", image, at)
        found[name.rstrip(b"\0").decode()] = (address, flags, image[offset:offset + size])
    return found, struct.unpack_from("<H", image, optional + 70)[0]


def test_no_section_is_written_and_executed():
    found, characteristics = sections()
    assert characteristics & NX_COMPAT
    assert [name for name, (_, flags, _) in found.items() if flags & EXECUTE] == [".text"]
    assert all(address % 4096 == 0 for address, _, _ in found.values())
    assert not any(flags & EXECUTE and flags & WRITE for _, flags, _ in found.values())


def broken(tmp_path, at, value):
    """What pe-nx-compat says to an image with other bytes at an offset."""
    image = bytearray(IMAGE.read_bytes())
    struct.pack_into("<I", image, at, value)
    copy = tmp_path / "broken.efi"
    copy.write_bytes(image)
    done = subprocess.run([ROOT / "tools/pe-nx-compat", copy], capture_output=True, text=True)
    assert done.returncode == 1 and copy.read_bytes() == image
    return done.stderr


def test_mark_is_refused(tmp_path):
    image = IMAGE.read_bytes()
    optional = struct.unpack_from("<I", image, 0x3c)[0] + 24
    section = image.index(b".text\0\0\0")
    assert "aligned to 512 bytes" in broken(tmp_path, optional + 32, 512)
    assert ".text starts at 2010h" in broken(tmp_path, section + 12, 0x2010)
    assert ".text can be written" in broken(tmp_path, section + 36, EXECUTE | WRITE)


def test_sbat():
    rows = list(csv.reader(sections()[0][".sbat"][2].decode("ascii").splitlines()))
    assert [(row[0], row[1], len(row)) for row in rows] == [("sbat", "1", 6), ("onebell", "1", 6)]


@pytest.fixture
def enrolled(tmp_path):
    """Firmware's variables with a key of ours in PK, KEK and db, and Secure Boot on; the key's files."""
    for tool, package in (("virt-fw-vars", "python3-virt-firmware"), ("sbsign", "sbsigntool"),
                          ("openssl", "openssl")):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed (package {package})")
    if not FIRMWARE.exists():
        pytest.skip(f"{FIRMWARE} is missing: this release's ovmf has no 4M build")
    key, certificate, variables = (tmp_path / name for name in ("key.pem", "cert.pem", "vars.fd"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
                    "-subj", "/CN=Onebell's test", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    subprocess.run(["virt-fw-vars", "-i", VARIABLES, "-o", variables, "--no-microsoft",
                    "--set-pk", OWNER, certificate, "--add-kek", OWNER, certificate,
                    "--add-db", OWNER, certificate, "--secure-boot"], check=True)
    return variables, key, certificate


def test_unsigned_is_refused(boot, make, enrolled, tmp_path):
    """The firmware says so, and nothing of ours runs."""
    monitor = Monitor(tmp_path).when(tmp_path / "boot0/com1", "BdsDxe: .*(Access Denied|Security)", "quit")
    run = boot(medium=stick(make("image")), firmware=FIRMWARE, variables=enrolled[0], cpus=1,
               disks=stamped(1), extra=monitor.arguments)
    assert re.search("BdsDxe: failed to load .*USB.*: (Access Denied|Security Violation)", run.console)
    assert run.events == [] and run.status == 0


def test_signed_is_accepted(boot, make, enrolled, tmp_path):
    variables, key, certificate = enrolled
    signed = tmp_path / "signed.efi"
    subprocess.run(["sbsign", "--key", key, "--cert", certificate, "--output", signed, IMAGE],
                   check=True)
    run = boot(medium=stick(make("image", efi=signed)), firmware=FIRMWARE, variables=variables,
               disks=stamped(1))
    run.verified()
