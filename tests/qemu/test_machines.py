# SPDX-License-Identifier: BSD-2-Clause
"""Machines of other shapes: CPUs, memory, buses, namespaces, and how the image is started."""
import re
import struct
import subprocess

import pytest

from conftest import launch, stamped

SHORT = "size=4m runtime=0 verify=crc32c"


def test_little_memory(boot):
    run = boot(f"irq=posted {SHORT}", mem="256m", disks=stamped(2)).verified()
    assert run.one("platform")["memory"] <= 256 << 20


def test_much_memory(boot):
    """Above 4 GiB too: what the device is told to write there must arrive."""
    run = boot(f"irq=posted {SHORT}", mem="6g", disks=stamped(2)).verified()
    assert run.one("platform")["memory"] > 5 << 30


@pytest.mark.parametrize("mode", ["posted", "remapped"])
def test_apic_ids_above_255(boot, mode):
    """The interrupts of the second CPU, which has id 256, must arrive there."""
    run = boot(f"irq={mode} numjobs=1 {SHORT}", cpus=2, high_apic_ids=True,
               disks=stamped(2)).verified()
    ids = [cpu["apic_id"] for cpu in run.of("cpu")]
    assert len(ids) == 2 and max(ids) >= 256
    far = ids.index(max(ids))
    assert sum(irq["counts"][far] for irq in run.of("irq") if "chip" in irq) > 0


def page_table(memory, entry):
    """The table that an entry, or CR3, points to."""
    memory.seek(entry & 0xffffffffff000)
    return struct.unpack("<512Q", memory.read(4096))


def pages(memory, entry, level=4):
    """(entry, bytes) of each page that is mapped."""
    for below in page_table(memory, entry):
        if below & 1 and (level == 1 or below & 1 << 7):
            yield below, 1 << 12 + 9 * (level - 1)
        elif below & 1:
            yield from pages(memory, below, level - 1)


def boot_for_pages(boot, folder, mem, cpu="max"):
    """All pages at the end of a run, from the page tables in the guest's memory."""
    file = folder / "memory"
    run = boot("app=crash irq=posted", mem=mem, disks=stamped(1), extra=[
        "-cpu", cpu, "-machine", "memory-backend=ram",
        "-object", f"memory-backend-file,id=ram,size={mem},share=on,mem-path={file}"])
    run.failed("panic")
    cr3 = int(re.search(r"cr3 ([0-9a-f]{16})", run.console)[1], 16)
    with open(file, "rb") as memory:
        found = list(pages(memory, cr3))
    file.unlink()
    return found


@pytest.mark.parametrize("cpu, has_gib_pages", [("max", True), ("max,-pdpe1gb", False)])
def test_pages_of_1_gib(boot, tmp_path, cpu, has_gib_pages):
    """QEMU lets any CPU use them, so this looks for them."""
    found = boot_for_pages(boot, tmp_path, "2560m", cpu)
    assert any(size == 1 << 30 for _, size in found) == has_gib_pages


def test_code_is_writable_nowhere(boot, tmp_path):
    """Not where it runs, and not in the direct map of all RAM either."""
    def range_of(entry, size):
        base = entry & 0xffffffffff000 & -size
        return range(base, base + size, 4096)

    found = boot_for_pages(boot, tmp_path, "512m")
    code = [at for entry, size in found if not entry >> 63 for at in range_of(entry, size)]
    writable = {at for entry, size in found if entry & 2 for at in range_of(entry, size)}
    assert 10 < len(code) < 200  # the kernel's text, in pages
    assert not writable & set(code)


def test_clock_without_an_hpet(boot):
    """The TSC runs as fast by the PM timer as it does by the HPET."""
    hz = []
    for clock, machine in (("HPET", "hpet=on"), ("ACPI PM timer", "hpet=off")):
        run = boot(f"irq=posted {SHORT}", disks=stamped(1), extra=["-machine", machine]).verified()
        assert run.one("platform")["tsc_source"] == clock
        hz.append(run.one("platform")["tsc_hz"])
    assert hz[1] == pytest.approx(hz[0], rel=0.005)


@pytest.mark.parametrize("words, powered_off", [
    ("exit=poweroff", True), ("exit=reboot", False), ("exit=poweroff filename=nvme9n1", True)])
def test_what_follows(boot, words, powered_off):
    """On a machine that has no debug-exit device; QEMU ends at a reset, too."""
    run = boot(f"irq=posted size=4m runtime=0 {words}", 40, disks=stamped(1),
               debug_exit=False, extra=["-trace", "qemu_system_shutdown_request"])
    assert run.status == 0
    failed = "filename" in words
    assert run.events[-1] == {"type": "end", "status": "failed" if failed else "ok"}
    assert ("qemu_system_shutdown_request" in run.qemu_said) == powered_off


def test_fewer_cpus_than_there_are(boot):
    run = boot(f"irq=posted cpus=2 {SHORT}", cpus=4, disks=stamped(1)).verified()
    assert len(run.of("cpu")) == run.job["cpus"] == 2


@pytest.mark.parametrize("topology", ["ports", "bridge"])
@pytest.mark.parametrize("mode", ["posted", "remapped"])
def test_disks_behind_bridges(boot, topology, mode):
    """The bridge speaks for its devices: interrupts come with its id, and the entries must name it."""
    run = boot(f"irq={mode} {SHORT}", topology=topology, disks=stamped(2)).verified()
    assert all(not disk["pci"].startswith("0000:00:") for disk in run.of("nvme"))
    assert run.of("fault") == []


def test_several_namespaces(boot):
    disks = stamped(2, lbas=[512, 4096, 512])
    run = boot(f"irq=posted {SHORT}", disks=disks).verified()
    found = [(d["filename"], d["nsid"], d["block_size"]) for d in run.of("nvme")]
    assert found == [(f"nvme{disk}n{nsid}", nsid, lba) for disk in (0, 1)
                     for nsid, lba in ((1, 512), (2, 4096), (3, 512))]
    assert len(run.disk_jobs) == 6


def test_chosen_disks_only(boot):
    run = boot(f"irq=posted filename=nvme2n1:nvme0n1 {SHORT}", disks=stamped(3)).verified()
    assert {job["filename"] for job in run.disk_jobs} == {"nvme0n1", "nvme2n1"}


def test_disks_are_named(boot):
    run = boot("irq=posted size=4m runtime=0", disks=[
        launch.Disk(size="16m"), launch.Disk(size="8m", lbas=[4096], serial="A B-7", null=True)])
    run.ended_well()
    first, second = run.of("nvme")
    assert (first["serial"], first["size"], first["block_size"]) == ("OB0001", 16 << 20, 512)
    assert (second["serial"], second["size"], second["block_size"]) == ("A B-7", 8 << 20, 4096)
    assert {job["filename"] for job in run.disk_jobs} == {first["filename"], second["filename"]}


def test_started_from_a_volume(boot, tmp_path):
    """As a real machine does it: the firmware's default path, and the command line beside it."""
    volume = tmp_path / "volume"
    words = tmp_path / "cmdline.txt"
    words.write_text("irq=poll size=4m runtime=0\nverify=crc32c filename=nvme0n1\n")
    for tool in (["mformat", "-C", "-T", "65536", "-i", volume, "::"],
                 ["mmd", "-i", volume, "::EFI", "::EFI/BOOT", "::EFI/onebell"],
                 ["mcopy", "-i", volume, launch.BUILD / "onebell.efi", "::EFI/BOOT/BOOTX64.EFI"],
                 ["mcopy", "-i", volume, words, "::EFI/onebell/cmdline.txt"]):
        subprocess.run(tool, check=True)
    run = boot(volume=volume, disks=stamped(2)).verified()
    assert run.job["irq"] == "poll"
    assert [job["filename"] for job in run.disk_jobs] == ["nvme0n1"]


def test_the_last_word_wins(boot):
    run = boot(f"irq=posted irq=remapped bs=8k {SHORT} bs=16k", disks=stamped(1)).verified()
    assert (run.job["irq"], run.job["bs"]) == ("remapped", 16384)


def test_soon_at_work(boot):
    run = boot(f"irq=posted {SHORT}", disks=stamped(1)).verified()
    up = run.line(r"^irq=posted, up \d+ ms after firmware")
    assert int(up.split(" ms")[0].split()[-1]) < 1000
