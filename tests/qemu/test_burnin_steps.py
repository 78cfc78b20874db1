# SPDX-License-Identifier: BSD-2-Clause
"""The burn-in's steps on QEMU's disks, and what the host then finds in the images; writes with FUA."""
import pytest

import qemu_launch as launch
from test_nvme_formats import BLOCKS, formatted, protection
from test_writes import NAMED, OTHER, SEED, Disks

ALL = "write:read:compare:verify:copy:read:compare:zeroes:read:compare:copy:read:trim"
SIZE = 4 << 20


def test_all_steps(boot, tmp_path):
    """QEMU's disks have no Verify: that step alone is left out."""
    disks = Disks(tmp_path / "disks", lbas=(512, 4096, 512))
    run = boot(f"app=burnin passes=2 bs=64k seed={SEED} steps={ALL} allow-write={NAMED}:{OTHER}",
               disks=disks.list).ended_well()
    for index, lba in ((0, 512), (1, 4096)):
        result = run.one("burnin", filename=f"nvme{index}n1")
        assert (result["ok"], result["errors"], result["verify_errors"]) == (True, 0, 0)
        assert result["steps"] == ALL.replace(":verify", "")
        assert result["blocks"]["good"] == 2 * 4 * SIZE // lba
        assert result["compare"]["io_bytes"] == 2 * 3 * SIZE
        assert result["copy"]["io_bytes"] == 2 * 2 * SIZE // 2
        assert result["zeroes"]["io_bytes"] == result["trim"]["io_bytes"] == 2 * SIZE
        assert disks.files[index].read_bytes() == bytes(SIZE)
    assert [warning["what"] for warning in run.of("warning")] == ["burnin-step"] * 2
    assert run.line("nvme0n1: step verify is left out: the disk has no such command")
    disks.unchanged(2)


@pytest.mark.parametrize("mode", ["remapped", "posted", "adaptive", "poll"])
def test_what_a_copy_leaves(boot, tmp_path, mode):
    """More than one command takes: QEMU copies 128 blocks in one."""
    disks = Disks(tmp_path / "disks", lbas=(512, 4096))
    run = boot(f"irq={mode} app=burnin bs=256k seed={SEED} steps=write:copy:read allow-write={NAMED}:{OTHER}",
               disks=disks.list).ended_well()
    for index, lba in ((0, 512), (1, 4096)):
        data = disks.files[index].read_bytes()
        assert data[SIZE // 2:] == data[:SIZE // 2]
        assert len({data[at:at + lba] for at in range(0, SIZE, lba)}) == SIZE // 2 // lba
        counts = disks.check(index, "--seed", SEED, ok=False)
        assert counts == {"good": SIZE // 2 // lba, "misplaced": SIZE // 2 // lba}
        assert run.one("nvme", filename=f"nvme{index}n1")["max_copy"] == 128 * lba


def test_zeroes(boot, tmp_path):
    disks = Disks(tmp_path / "disks")
    boot(f"app=burnin size=1000k bs=64k seed={SEED} steps=write:zeroes:read:compare allow-write={NAMED}",
         disks=disks.list).ended_well()
    before = launch.image_of(disks.list[0], 0, 1).read_bytes()
    assert disks.files[0].read_bytes() == bytes(1000 << 10) + before[1000 << 10:]
    disks.unchanged(1)


def test_comparisons(boot, tmp_path):
    disks = Disks(tmp_path / "disks")
    run = boot(f"app=burnin seed={SEED} bs=64k steps=write:compare:zeroes:compare allow-write={NAMED}",
               disks=disks.list).ended_well()
    compare = run.one("burnin", filename="nvme0n1")["compare"]
    assert compare["total_ios"] == 2 * (64 + 4)  # of 64 places, each 16th twice
    assert (compare["errors"], compare["io_bytes"]) == (0, 2 * SIZE)
    assert not run.of("warning")
    disks.unchanged(1)


@pytest.mark.parametrize("lba, ms, pi, pil", [(512, 8, 1, 0), (4096, 8, 2, 1), (512, 16, 3, 0), (4096, 64, 0, 0)])
def test_copies_with_metadata(boot, tmp_path, lba, ms, pi, pil):
    """Protection information is checked where it is read, and made anew for where it goes."""
    disk = formatted(tmp_path, NAMED, lba, ms, pi, pil)
    disk.writable = tmp_path / "disks"
    run = boot(f"app=burnin bs=64k seed={SEED} steps=write:copy:read:zeroes:read:write:copy:read "
               f"allow-write={NAMED}", disks=[disk]).ended_well()
    assert run.one("burnin")["blocks"]["good"] == 3 * BLOCKS
    image = launch.copy_of(disk, 0, 1).read_bytes()
    data, metadata = image[:BLOCKS * lba], image[BLOCKS * lba:]
    places = BLOCKS * lba >> 16
    half = places // 2 << 16
    assert data[half:2 * half] == data[:half]
    for at in range(half // lba, 2 * half // lba if pi else 0, 7):
        expected = protection(data[at * lba:(at + 1) * lba], ms, at, pi, pil, 0)
        made = metadata[at * ms:(at + 1) * ms]
        assert made[:2] == expected[:2] if pil else made[-8:-6] == expected[-8:-6]


@pytest.mark.parametrize("controller, words", [
    ({"mdts": 1}, "bs=1m iodepth=4"),  # lists of two ranges
    ({"max_ioqpairs": 1, "msix_qsize": 2}, "bs=64k"),
    ({"mqes": 3}, "bs=64k iodepth=64"),
    ({"cmb_size_mb": 1}, "bs=64k nvme.cmb=1"),
], ids=["mdts", "one-queue", "short-queue", "cmb"])
def test_controllers(boot, tmp_path, controller, words):
    disks = Disks(tmp_path / "disks", controller=controller)
    run = boot(f"app=burnin {words} steps=write:copy:read:compare:zeroes:read allow-write={NAMED}:{OTHER}",
               cpus=4, disks=disks.list).ended_well()
    assert all(result["ok"] for result in run.of("burnin"))


@pytest.mark.parametrize("steps", ["zeroes", "write:copy", "write:trim"])
def test_not_without_leave(boot, tmp_path, steps):
    disks = Disks(tmp_path / "disks")
    boot(f"app=burnin steps={steps} filename=nvme0n1:nvme1n1 allow-write={OTHER}", disks=disks.list).failed(
        "disk-not-allowed", f'(serial "{NAMED}") may not be written to')
    disks.unchanged(0, 1)


def test_steps_that_make_no_sense(boot, tmp_path):
    disks = Disks(tmp_path / "disks")
    boot(f"app=burnin steps=write:trim:read allow-write={NAMED}", disks=disks.list).failed(
        "burnin-steps", "what read would look at isn't known")
    disks.unchanged(0, 1)


@pytest.mark.parametrize("words", ["rw=randwrite runtime=0", "rw=randrw runtime=500ms fsync=20"])
def test_writes_with_fua(boot, tmp_path, words):
    disks = Disks(tmp_path / "disks")
    run = boot(f"{words} writefua=1 verify=crc32c seed={SEED} filename=nvme0n1 allow-write={NAMED}",
               disks=disks.list).verified()
    assert run.job["write"]["total_ios"] > 100
    if "runtime=0" in words:
        assert disks.check(0, "--seed", SEED) == {"good": SIZE // 512}
    disks.unchanged(1)
