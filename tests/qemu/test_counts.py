# SPDX-License-Identifier: BSD-2-Clause
"""Counted instructions (lib/mark.h): what is not a bench's (test_budget.py)."""

import pytest

from conftest import launch

JOB = "rw=randread bs=4k iodepth=32 runtime=1s"
# A run has a price of its own, some 75,000 instructions, which a busy host's few I/Os of a second would bear.
AMOUNT = "bs=4k iodepth=32 size=96m runtime=0"
KERNEL = launch.BUILD / "kernel.elf"

# Busy instructions for each I/O at depth 32; budget.json has what reads cost exactly.
MOST, STREAM_MOST = 120, 75


def null_disks(count):
    return [launch.Disk(size="1g", null=True) for _ in range(count)]


def price(run):
    """All that the I/Os cost: not waiting, a line each second, and "other", which runs once: the way up,
    tables, the way down."""
    return sum(counts["instructions"] for name, counts in run.model["regions"].items()
               if name not in ("idle", "progress", "other")) / run.job["total_ios"]


@pytest.mark.parametrize("rw, clat, most", [
    ("randread", "batch", STREAM_MOST), ("randwrite", "exact", MOST), ("randwrite", "batch", STREAM_MOST)])
def test_plain_ios_have_their_price(boot, tmp_path, rw, clat, most):
    disks = [launch.Disk(size="1g", null=True, writable=tmp_path) for _ in range(8)]
    serials = ":".join(launch.serial_of(disk, i) for i, disk in enumerate(disks))
    run = boot(f"irq=adaptive {AMOUNT} rw={rw} clat={clat} allow-write={serials}", cpus=1, disks=disks,
               count=KERNEL).ended_well()
    if rw == "randwrite":
        assert run.job["write"]["total_ios"] == run.job["total_ios"]
    assert run.job["streams"] == (8 if clat == "batch" else 0)
    assert 50 < price(run) < most


def test_no_notifications_under_load(boot):
    """However long the host lets an emulated disk wait, the CPU looks on: SN stays set."""
    run = boot(f"irq=adaptive idle.spin=100ms {JOB}", cpus=1, disks=null_disks(8)).ended_well()
    assert run.job["msis"] > 1000
    assert run.job["notifications"] <= 0.02 * run.job["msis"]


def test_each_cpu_has_its_own(boot):
    run = boot(f"irq=posted {JOB} numjobs=2", cpus=2, disks=null_disks(2),
               count=KERNEL).ended_well()
    cpus = run.model["cpus"]
    assert [cpu["cpu"] for cpu in cpus] == [0, 1]
    assert all(cpu["regions"]["submit"]["entries"] > 0 for cpu in cpus)
    assert sum(cpu["regions"]["submit"]["entries"] for cpu in cpus) == run.job["submitted"]


def test_nothing_is_counted_unless_asked_for(boot):
    run = boot("irq=posted size=4m runtime=0", cpus=1, disks=null_disks(1)).ended_well()
    assert "regions" not in run.model and "instructions of" not in run.qemu_said
