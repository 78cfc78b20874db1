# SPDX-License-Identifier: BSD-2-Clause
"""What is wrong ends the run with one clear message and status failed, within its deadline."""
import struct

import pytest

from conftest import broken, launch, stamped

SOON = 40  # seconds, most of them the firmware's


@pytest.mark.parametrize("words, what, named", [
    ("bogus=1", "cmdline-unknown", ["bogus"]),
    ("verify", "cmdline-no-value", ["verify"]),
    ("bs=4q", "cmdline-value", ["bs=4q"]),
    ("irq=sideways", "cmdline-choice", ["sideways", "remapped"]),
    ("iodepth=0", "cmdline-range", ["iodepth"]),
    ("bs=1000", "job-bs", ["bs=1000", "512", "nvme0n1"]),
    ("filename=nvme9n1", "job-no-such-disk", ["nvme9n1", "nvme0n1"]),
    ("numjobs=3", "job-numjobs", ["numjobs=3", "2"]),
    ("size=512 bs=4k", "job-size", ["size=512", "nvme0n1"]),
    ("cpus=3", "cpus", ["cpus=3", "has 2"]),
])
def test_words(boot, words, what, named):
    boot(words, SOON, disks=stamped(1)).failed(what, *named)


def test_bs_of_half_a_block(boot):
    boot("bs=512", SOON, disks=stamped(1, lbas=[4096])).failed("job-bs", "bs=512", "4096", "nvme0n1")


@pytest.mark.parametrize("app", ["job", "sha256sum"])
def test_no_disk(boot, app):
    run = boot(f"app={app}", SOON, disks=[]).failed("job-no-disk", "the lines above")
    run.line("no PCI function is an NVMe controller")


@pytest.mark.parametrize("mode", ["posted", "remapped", "poll", "adaptive", "auto"])
def test_no_vtd(boot, mode):
    """Plain MSIs are unprotected, so they are used only where they are asked for."""
    boot(f"irq={mode}", SOON, disks=stamped(1), iommu="").failed("no-vtd", "irq=msi")


def test_no_x2apic(boot):
    boot("irq=posted", SOON, disks=stamped(1), x2apic=False).failed("no-x2apic", "x2APIC", "firmware")


@pytest.mark.parametrize("options, what, named", [
    ("intremap=off", "no-vtd", ["INTR_REMAP", "intremap=on", "irq=msi"]),
    ("intremap=on,eim=off", "vtd-no-eim", ["ECAP.EIM", "eim=on", "irq=msi"]),
])
def test_a_unit_that_lacks_what_is_needed(boot, options, what, named):
    boot("irq=remapped", SOON, disks=stamped(1), iommu=options,
         model=False).failed(what, *named)


def dmar_table(*structures):
    """QEMU puts length and checksum into the header."""
    header = struct.pack("<4sIBB6s8sI4sI", b"DMAR", 0, 1, 0, b"ONEBEL", b"ONEBELL ", 1, b"TEST", 1)
    return header + bytes([38, 1]) + bytes(10) + b"".join(structures)


def drhd(length, address=0xfed90000):
    return struct.pack("<HHBBHQ", 0, length, 1, 0, 0, address)


@pytest.mark.parametrize("table, what, warnings", [
    (dmar_table(drhd(16)[:10]), "no-vtd", ["dmar-structure"]),  # ends within a unit
    (dmar_table(drhd(64)), "no-vtd", ["dmar-structure", "vtd-unit-absent"]),  # is longer than the table
    (dmar_table(drhd(0)), "no-vtd", ["dmar-structure"]),  # has no length at all
    (dmar_table()[:40], "dmar-truncated", []),  # ends within the header
    (dmar_table(), "no-vtd", []),
    (dmar_table(drhd(16)), "no-vtd", ["vtd-unit-absent"]),  # nothing answers at its address
], ids=["cut", "overlong", "zero", "header", "empty", "absent"])
def test_dmar_tables_that_lie(boot, tmp_path, table, what, warnings):
    """With no unit in them that works, there is no remapping."""
    file = tmp_path / "dmar"
    file.write_bytes(table)
    run = boot("irq=remapped", SOON, disks=stamped(1), iommu="",
               extra=["-acpitable", f"file={file}"])
    run.failed(what, "irq=msi")
    assert [warning["what"] for warning in run.of("warning")] == warnings


# CC.EN is written first by the firmware, which leaves the controller alone afterwards, then by us.
OURS = {"arm": 0x14, "armbits": 1, "armcount": 2}
NVME = ("nvme", "nvme[0]", "nvme0")
NEVER_READY = {"offset": 0x1c, "mask": 1, "value": 0, **OURS}


def test_a_controller_that_fails(boot):
    run = boot("irq=posted", SOON, disks=stamped(1),
               extra=broken(*NVME, offset=0x1c, mask=2, value=2, **OURS))
    assert run.of("error")[0]["what"] == "nvme-fatal"
    assert run.status == launch.EXIT_FAILED


def test_the_others_go_on(boot):
    """One controller that never gets ready; the job runs on the other, and the status is failed."""
    run = boot("irq=posted size=4m runtime=0 verify=crc32c", SOON, disks=stamped(2),
               extra=broken(*NVME, **NEVER_READY))
    assert run.one("error")["what"] == "nvme-not-ready"
    assert run.status == launch.EXIT_FAILED
    assert run.job["total_ios"] == run.job["submitted"] > 0
    assert run.job["disks"] == 1


def test_commands_that_are_never_answered(boot):
    """The doorbell of the first I/O submission queue goes nowhere."""
    run = boot("irq=posted runtime=1s nvme.timeout=1s", SOON, cpus=1, disks=stamped(1),
               extra=broken(*NVME, offset=0x1008, drop=1, **OURS))
    assert run.status == launch.EXIT_FAILED
    assert run.of("error")[0]["what"] == "nvme-timeout"
    assert run.events[-1] == {"type": "end", "status": "failed"}


def test_a_unit_that_does_not_answer(boot):
    """GSTS stays as it is, whatever GCMD asks for."""
    run = boot("irq=remapped", SOON, disks=stamped(1), model=False,
               extra=broken("intel-iommu", "intel_iommu[0]", offset=0x1c, mask=0xffffffff, value=0))
    run.failed("vtd-timeout")


def test_data_of_another_disk(boot, tmp_path):
    """mkdisk's stamps carry serial number, LBA and checksum: one wrong bit is one error."""
    disk = stamped(1)[0]
    launch.make_disks(launch.Machine(disks=[disk]))
    image = bytearray(launch.image_of(disk, 0, 1).read_bytes())
    image[77 * 512 + 300] ^= 4
    file = tmp_path / "flipped"
    file.write_bytes(image)
    run = boot("irq=posted rw=read bs=4k runtime=0 verify=crc32c", SOON,
               disks=[launch.Disk(path=file)])
    assert run.status == launch.EXIT_FAILED
    assert run.job["verify_errors"] == 1
    assert run.job["total_ios"] == run.job["submitted"] == len(image) // 4096
    assert "77" in run.one("error")["message"]

    run = boot("irq=posted rw=read bs=4k size=64k runtime=0 verify=crc32c", SOON,
               disks=[launch.Disk(path=file, serial="OB0009")])
    assert run.status == launch.EXIT_FAILED
    assert run.job["total_ios"] == 16
    assert run.job["verify_errors"] == 128  # each block of each read
    assert run.of("error")[0]["what"] == "verify-disk"
