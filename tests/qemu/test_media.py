# SPDX-License-Identifier: BSD-2-Clause
"""Media that a machine boots from, as tools/mkmedia makes them."""
import os
import re
import shutil
import struct
import subprocess
import time
import zlib

import pytest

from conftest import ROOT, launch, stamped

WORDS = "menu=1 irq=posted rw=randread runtime=500ms verify=crc32c"
EPOCH = "1700000000"


def need_tools():
    for tool in ("mkfs.fat", "mcopy", "xorriso"):
        if not shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin"):
            pytest.skip(f"{tool} is not installed: tools/setup.sh media")


@pytest.fixture
def make(tmp_path):
    """make("image"): a medium of that kind."""
    def run(kind, efi=launch.BUILD / "onebell.efi", words=WORDS, name="medium"):
        need_tools()
        medium = tmp_path / f"{name}.{kind}"
        subprocess.run([ROOT / "tools/mkmedia", kind, "--efi", efi, "--words", words, medium],
                       env={"PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": EPOCH},
                       check=True)
        return medium

    return run


def stick(medium):
    return ["-drive", f"if=none,id=stick,format=raw,readonly=on,file={launch.quoted(medium)}",
            "-device", "qemu-xhci", "-device", "usb-storage,drive=stick,bootindex=0"]


def cdrom(medium):
    return ["-drive", f"if=none,id=cd,media=cdrom,format=raw,file={launch.quoted(medium)}",
            "-device", "ide-cd,drive=cd,bootindex=0"]


@pytest.mark.parametrize("kind, attach", [("image", stick), ("iso", cdrom), ("iso", stick)])
def test_boots(boot, make, kind, attach):
    run = boot(medium=attach(make(kind)), disks=stamped(2)).verified()
    assert re.search(r"which is taken in 1 s .*or Enter for 1 ", run.console, re.DOTALL)  # nobody chose
    run.line("irq=posted, up")
    assert len(run.disk_jobs) == 2


@pytest.mark.parametrize("kind", ["image", "iso"])
def test_same_bytes(make, kind):
    first = make(kind, name="a").read_bytes()
    time.sleep(2.1)  # FAT counts time in steps of 2 s
    assert make(kind, name="b").read_bytes() == first


def gpt_header(disk, lba):
    """The fields of a GPT header (UEFI 2.10, 5.3.2), whose checksums are right."""
    header = disk[lba * 512:][:92]
    signature, _, size, crc = struct.unpack("<8sIII", header[:20])
    own, other, first, last, _, entries, count, each, entries_crc = struct.unpack(
        "<QQQQ16sQIII", header[24:])
    assert (signature, size, own, count, each) == (b"EFI PART", 92, lba, 128, 128)
    assert crc == zlib.crc32(header[:16] + bytes(4) + header[20:])
    table = disk[entries * 512:][:count * each]
    assert entries_crc == zlib.crc32(table)
    return other, first, last, table


def test_gpt(make):
    """Both copies of the table agree, and the volume is in the middle of the disk."""
    disk = make("image").read_bytes()
    end = len(disk) // 512 - 1
    other, first, last, table = gpt_header(disk, 1)
    assert other == end and (first, last) == (34, end - 33)
    assert gpt_header(disk, end) == (1, first, last, table)
    begin, until = struct.unpack("<QQ", table[32:48])
    assert first <= begin < until <= last
    assert disk[begin * 512 + 82:][:8] == b"FAT32   "
    assert disk[446 + 4] == 0xee and disk[510:512] == b"\x55\xaa"


def test_command_line_can_be_edited(make):
    medium = f"{make('image')}@@1M"
    text = subprocess.run(["mtype", "-i", medium, "::/EFI/onebell/cmdline.txt"],
                          capture_output=True, text=True, check=True).stdout
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines == [WORDS]


def test_missing_image(tmp_path):
    done = subprocess.run([ROOT / "tools/mkmedia", "image", "--efi", tmp_path / "none.efi", tmp_path / "out"],
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"mkmedia: {tmp_path}/none.efi is missing: run make\n")
