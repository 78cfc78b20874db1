# SPDX-License-Identifier: BSD-2-Clause
"""Namespaces of all formats: metadata, protection information, zones, limits of one command. The host
makes each image, and what is read must be what it wrote there."""
import re
import subprocess

import pytest

from conftest import launch, no_mdts, stamped

SHORT = "size=1m runtime=0 verify=crc32c"
BLOCKS = 2048
MODES = ("posted", "remapped", "adaptive", "poll")


def crc_table(bits, polynomial, reflected):
    """By bytes."""
    table = []
    for byte in range(256):
        crc = byte if reflected else byte << bits - 8
        for _ in range(8):
            if reflected:
                crc = crc >> 1 ^ (polynomial if crc & 1 else 0)
            else:
                crc = crc << 1 ^ (polynomial if crc >> bits - 1 & 1 else 0)
        table.append(crc & (1 << bits) - 1)
    return table


T10 = crc_table(16, 0x8bb7, False)
NVME64 = crc_table(64, 0x9a6c9329ac4bc9b5, True)  # 0xad93d23594c93659, its bits reversed


def guard(data):
    crc = 0
    for byte in data:
        crc = crc << 8 & 0xff00 ^ T10[crc >> 8 ^ byte]
    return crc


def long_guard(data):
    crc = (1 << 64) - 1
    for byte in data:
        crc = crc >> 8 ^ NVME64[(crc ^ byte) & 0xff]
    return crc ^ (1 << 64) - 1


def protection(block, metadata, lba, kind, first, pif=0):
    """A block's metadata: the tuple of protection information at their end, or first. The guard is of
    the data, and of what metadata come ahead of it (NVM Command Set 1.0, 5.2.1)."""
    rest = bytes(metadata - (16 if pif else 8))
    covered = block if first else block + rest
    tag = 0 if kind == 3 else lba & 0xffffffff
    if pif:
        pi = long_guard(covered).to_bytes(8, "big") + bytes(2) + tag.to_bytes(6, "big")
    else:
        pi = guard(covered).to_bytes(2, "big") + bytes(2) + tag.to_bytes(4, "big")
    return pi + rest if first else rest + pi


def formatted(folder, name, lba, ms, pi=0, pil=0, mset=0, blocks=BLOCKS, damaged=(), pif=0):
    """A disk of stamped blocks with metadata, as QEMU keeps them: behind the data of all blocks."""
    image = folder / name
    subprocess.run([launch.BUILD / "mkdisk", "--serial", name, "--lba", str(lba), "--size",
                    str(blocks * lba), image], check=True)
    with open(image, "r+b") as file:
        data = file.read()
        for at in range(blocks):
            block = data[at * lba:(at + 1) * lba]
            metadata = protection(block, ms, at, pi, pil, pif) if pi else bytes(ms)
            file.write(metadata if at not in damaged else bytes([metadata[0] ^ 1]) + metadata[1:])
    return launch.Disk(lbas=[lba], path=image, serial=name,
                       namespace={"ms": ms, "pi": pi, "pil": pil, "mset": mset, "pif": pif})


def contents(disks):
    return [disk.path.read_bytes() for disk in disks]


# Block size, metadata, protection type, whether it comes first in the metadata, and whether these are
# between the blocks' data.
FORMATS = [(512, 8, 1, 0, 1), (512, 8, 2, 0, 0), (512, 8, 3, 0, 1), (4096, 8, 1, 0, 0), (4096, 16, 1, 1, 0),
           (512, 16, 1, 0, 0), (4096, 64, 3, 0, 0), (512, 8, 0, 0, 0), (4096, 64, 0, 0, 0)]


@pytest.fixture(scope="module")
def of_each_format(tmp_path_factory):
    """Disks, which nobody writes to, and their contents."""
    folder = tmp_path_factory.mktemp("formats")
    disks = [formatted(folder, f"F{index}", *chosen) for index, chosen in enumerate(FORMATS)]
    return disks, contents(disks)


@pytest.mark.parametrize("mode", MODES)
def test_formats(boot, of_each_format, mode):
    """One disk of each format, beside a plain one."""
    disks, before = of_each_format
    run = boot(f"irq={mode} bs=8k iodepth=8 {SHORT}", disks=disks + stamped(1)).verified()
    assert [disk["block_size"] for disk in run.of("nvme")] == [f[0] for f in FORMATS] + [512]
    assert len(run.disk_jobs) == len(FORMATS) + 1
    assert contents(disks) == before


def test_lengths(boot, tmp_path):
    """From a block to many commands each."""
    disks = [formatted(tmp_path, "L1", 512, 8, 1), formatted(tmp_path, "L2", 512, 64)]
    for bs in ("512", "12k", "1m"):
        boot(f"irq=posted rw=read bs={bs} iodepth=4 {SHORT}", disks=disks).verified()


def test_metadata_have_a_place(boot, tmp_path):
    """Those that nobody reads go to memory that is theirs, and not to the first page, as QEMU tells."""
    disk = formatted(tmp_path, "P1", 512, 64, blocks=256)
    file = tmp_path / "mapped"
    boot("irq=posted rw=read bs=4k iodepth=1 runtime=0 verify=crc32c", disks=[disk],
         extra=["-D", file, "-trace", "pci_nvme_map_addr"]).verified()
    mapped = re.findall(r"addr 0x([0-9a-f]+) len (\d+)", file.read_text())
    of_metadata = [int(at, 16) for at, length in mapped if int(length) == 8 * 64]
    assert len(of_metadata) >= 256 // 8  # and some pages of the controller's own
    assert min(of_metadata) >= 1 << 20


def test_damaged_blocks_are_noticed(boot, tmp_path):
    """By the disk, which has the host's tags to check, and not by the host."""
    disks = [formatted(tmp_path, "D1", 512, 8, 1, damaged=[100])]
    run = boot("irq=posted rw=read bs=512 size=1m runtime=0 verify=crc32c", disks=disks)
    job = run.disk_jobs[0]
    assert job["errors"] > 0 and job["verify_errors"] == 0
    assert "LBA 100 failed: " in run.console and "guard" in run.console


def test_mixed_metadata_is_refused(boot, tmp_path):
    """Metadata between the data of blocks would need a host that takes them apart."""
    odd = formatted(tmp_path, "X1", 512, 16, mset=1)
    run = boot(f"irq=posted {SHORT}", disks=stamped(1) + [odd]).verified()
    assert len(run.disk_jobs) == 1
    warning = run.one("warning", what="nvme-metadata")
    assert "nvme1n1: its format has 16 bytes of metadata behind the data" in warning["message"]


def test_long_guards(boot, tmp_path):
    """Of 64 bits, with tags of 48: an extended format, which the host has to enable."""
    formats = ((16, 1, 0), (24, 2, 0), (16, 3, 0), (64, 1, 1))
    disks = [formatted(tmp_path, f"G{index}", 4096, *chosen, blocks=512, pif=2)
             for index, chosen in enumerate(formats)]
    before = contents(disks)
    run = boot(f"irq=posted bs=16k iodepth=8 {SHORT}", disks=disks + stamped(1)).verified()
    assert len(run.disk_jobs) == len(disks) + 1
    assert contents(disks) == before


def test_damaged_blocks_with_long_guards(boot, tmp_path):
    disks = [formatted(tmp_path, "D2", 4096, 16, 1, blocks=512, damaged=[100], pif=2)]
    run = boot("irq=posted rw=read bs=4k size=2m runtime=0 verify=crc32c", disks=disks)
    job = run.disk_jobs[0]
    assert job["errors"] > 0 and job["verify_errors"] == 0
    assert "LBA 100 failed: " in run.console and "guard" in run.console


def test_all_of_mdts(boot):
    """No limit; each other one is a power of two pages."""
    disks = [launch.Disk(size="16m", controller={"mdts": mdts}) for mdts in [no_mdts(), *range(1, 8)]]
    run = boot(f"irq=posted bs=256k iodepth=4 {SHORT}", disks=disks).verified()
    assert [disk["max_transfer"] for disk in run.of("nvme")] \
        == [1 << 20] + [4096 << mdts for mdts in range(1, 8)]


@pytest.mark.parametrize("mode, across", [
    ("posted", "off"), ("remapped", "on"), ("adaptive", "off"), ("poll", "on")])
def test_zones(boot, mode, across):
    """Reads across the ends of zones, whose length is no power of two."""
    disk = launch.Disk(lbas=[4096], size="10000k", namespace={
        "zoned": "on", "zoned.zone_size": "1000k", "zoned.zone_capacity": "1000k",
        "zoned.cross_read": across})
    run = boot(f"irq={mode} bs=64k iodepth=8 runtime=0 verify=crc32c", disks=[disk] + stamped(1, size="4m")).verified()
    assert len(run.disk_jobs) == 2
    zoned = run.of("nvme")[0]
    assert (zoned["zone_size"], zoned["zones"]) == (1000 << 10, 10)
    assert run.line("nvme0n1 +10 zones of 1000 KiB")


def test_many_namespaces_of_mixed_formats(boot, tmp_path):
    """On one controller, where entries of the same queues serve them all."""
    disk = launch.Disk(lbas=[512, 4096, 512, 4096, 512], size="8m")
    run = boot(f"irq=adaptive bs=16k iodepth=16 {SHORT}", disks=[disk]).verified()
    assert [d["block_size"] for d in run.of("nvme")] == disk.lbas


def test_two_ways_to_a_disk(boot, tmp_path):
    """Two controllers of one subsystem, whose namespace both have; and one that one alone has."""
    image = tmp_path / "S1.img"
    subprocess.run([launch.BUILD / "mkdisk", "--serial", "S1", "--size", "4m", image], check=True)
    shared = {"node-name": "shared", "read-only": "on", "file.driver": "file", "file.filename": image}
    extra = ["-device", "nvme-subsys,id=both,nqn=both"]
    for name in ("a", "b"):
        extra += ["-device", f"nvme,id={name},serial=S1,subsys=both"]
    extra += ["-blockdev", launch.options("raw", shared),
              "-blockdev", "null-co,node-name=private,read-only=on,size=1048576",
              "-device", "nvme-ns,bus=a,drive=shared,nsid=1,shared=on",
              "-device", "nvme-ns,bus=a,drive=private,nsid=2,shared=off"]
    run = boot(f"irq=posted filename=nvme0n1:nvme1n1 {SHORT}", disks=[], extra=extra).verified()
    found = {disk["filename"]: disk.get("same_as") for disk in run.of("nvme")}
    assert found == {"nvme0n1": None, "nvme0n2": None, "nvme1n1": "nvme0n1"}
    assert run.line("nvme1n1 +the same disk as nvme0n1, by controller 1 of its subsystem")


def zoned(tmp_path):
    return launch.Disk(lbas=[4096], size="16m", serial="Z1", writable=tmp_path / "zoned", namespace={
        "zoned": "on", "zoned.zone_size": "1m", "zoned.zone_capacity": "768k", "zoned.max_open": 4})


@pytest.mark.parametrize("mode", ["adaptive", "remapped"])
def test_zone_operations(boot, tmp_path, mode):
    """What is appended lies where the disk says, in the host's image too; the rest is untouched."""
    disk = zoned(tmp_path)
    run = boot(f"irq={mode} app=zones zone=3 blocks=5 do=append:append:finish:reset:append:report "
               "allow-write=Z1", disks=[disk]).ended_well()
    zones = [(zone["start"], zone["write_pointer"], zone["state"]) for zone in run.of("zone")]
    assert zones == [(768, 773, "implicitly open"), (768, 778, "implicitly open"), (768, 768 + 192, "full"),
                     (768, 768, "empty"), (768, 773, "implicitly open"), (768, 773, "implicitly open")]
    assert run.line("5 blocks appended at LBA 773, and read back")
    image = launch.copy_of(disk, 0, 1).read_bytes()
    before = launch.image_of(disk, 0, 1).read_bytes()
    wrote = bytes((i * 7 + i // 4096) & 255 for i in range(5 * 4096))
    at = 768 * 4096
    assert image[at:at + len(wrote)] == wrote
    assert image[:at] == before[:at] and image[at + (1 << 20):] == before[at + (1 << 20):]


def test_all_zones_are_told(boot, tmp_path):
    run = boot("irq=posted app=zones", disks=[zoned(tmp_path)] + stamped(1)).ended_well()
    assert [zone["start"] for zone in run.of("zone")] == [256 * n for n in range(16)]
    assert {(zone["capacity"], zone["state"]) for zone in run.of("zone")} == {(192, "empty")}


def test_zones_of_disks_that_are_not_named(boot, tmp_path):
    disk = zoned(tmp_path)
    run = boot("irq=posted app=zones zone=1 do=reset", disks=[disk])
    run.failed("disk-not-allowed", "allow-write=Z1")
    assert run.of("zone") == []
    assert launch.copy_of(disk, 0, 1).read_bytes() == launch.image_of(disk, 0, 1).read_bytes()


def stored(disk, index, blocks):
    """Data and metadata of each block, from the host's image."""
    lba, ms = disk.lbas[0], disk.namespace["ms"]
    image = launch.copy_of(disk, index, 1).read_bytes()
    for at in range(blocks):
        metadata = blocks * lba + at * ms
        yield image[at * lba:(at + 1) * lba], image[metadata:metadata + ms]


def test_what_is_written(boot, tmp_path):
    """Disks make protection information, by the tags that they are given; metadata that the host has
    none of are zeros."""
    kinds = [(512, 8, 1), (4096, 8, 2), (512, 8, 3), (512, 16, 1), (4096, 64, 0)]
    disks = [formatted(tmp_path, f"W{i}", *kind, blocks=512) for i, kind in enumerate(kinds)]
    for disk in disks:
        disk.writable = tmp_path / "written"
    run = boot("irq=adaptive rw=randwrite bs=16k iodepth=8 runtime=0 verify=crc32c "
               "allow-write=" + ":".join(disk.serial for disk in disks), disks=disks).ended_well()
    assert run.job["errors"] == run.job["verify_errors"] == 0
    for index, (disk, (lba, ms, kind)) in enumerate(zip(disks, kinds)):
        before = disk.path.read_bytes()
        changed = 0
        for at, (data, metadata) in enumerate(stored(disk, index, 512)):
            changed += data != before[at * lba:(at + 1) * lba]
            wanted = protection(data, ms, at, kind, 0) if kind else bytes(ms)
            assert metadata == wanted, f"{disk.serial}, block {at}"
        assert changed > 0


def test_best_sizes(boot):
    """As far as QEMU tells."""
    disk = launch.Disk(size="16m", namespace={"discard_granularity": "64k"})
    told = boot("irq=posted size=4m runtime=0", disks=[disk] + stamped(1)).ended_well().of("nvme")
    assert [disk["deallocate_granularity"] for disk in told] == [64 << 10, 4 << 10]
    assert told[0]["atomic_write"] == told[1]["atomic_write"] >= 512
