# SPDX-License-Identifier: BSD-2-Clause
"""What a read costs, in guest instructions (lib/mark.h): they don't depend on the host's load."""

import pytest

from conftest import launch

JOB = "rw=randread bs=4k iodepth=32 runtime=2s"
KERNEL = launch.BUILD / "kernel.elf"

# Busy instructions for each I/O at depth 32: 113 to 115 were measured.
LEAST, MOST = 80, 120
STREAM_MOST = 75  # by streams: 73 to 75


def null_disks(count):
    return [launch.Disk(size="1g", null=True) for _ in range(count)]


def entries(run, region):
    return run.model["regions"][region]["entries"]


def instructions(run, *regions):
    return sum(run.model["regions"][region]["instructions"] for region in regions)


def busy(run):
    """All that the reads cost: not waiting, a line each second, and "other", which runs once: the way
    up, tables, the way down."""
    return instructions(run, *(name for name in run.model["regions"]
                               if name not in ("idle", "progress", "other")))


def price(run):
    return busy(run) / run.job["total_ios"]


@pytest.mark.parametrize("mode", ["remapped", "posted", "adaptive", "poll"])
def test_a_read_has_its_price(boot, mode):
    run = boot(f"irq={mode} {JOB}", cpus=1, disks=null_disks(8), count=KERNEL).ended_well()
    job = run.job
    assert entries(run, "submit") == job["submitted"] == job["total_ios"]
    assert entries(run, "callback") >= job["total_ios"]
    assert 0 < entries(run, "reap") <= entries(run, "callback") + run.model["passed"] \
        + run.model["posted"]
    assert all(instructions(run, name) > 0
               for name in ("submit", "reap", "callback", "loop", "idle"))
    path = instructions(run, "submit", "reap", "callback") / job["total_ios"]
    assert LEAST < path < MOST
    assert path < price(run) < MOST

    if mode != "adaptive":  # it may or may not have slept
        assert (instructions(run, "notification") > 0) == (mode == "posted")
    assert (instructions(run, "device") > 0) == (mode == "remapped")
    assert (instructions(run, "harvest") > 0) == (mode != "remapped")
    if mode in ("posted", "poll"):
        assert entries(run, "notification") == run.model["notified"]


def test_a_streamed_read_has_its_price(boot):
    run = boot(f"irq=adaptive {JOB} clat=batch", cpus=1, disks=null_disks(8), count=KERNEL).ended_well()
    job = run.job
    assert job["streams"] == 8
    assert job["submitted"] == job["total_ios"]
    assert entries(run, "submit") == 8 * 32  # once; then they go on by turns
    assert 50 < price(run) < STREAM_MOST


@pytest.mark.parametrize("clat, most", [("exact", MOST), ("batch", STREAM_MOST)])
def test_a_plain_write_has_the_price_of_a_read(boot, tmp_path, clat, most):
    disks = [launch.Disk(size="1g", null=True, writable=tmp_path) for _ in range(8)]
    serials = ":".join(launch.serial_of(disk, i) for i, disk in enumerate(disks))
    run = boot(f"irq=adaptive {JOB} rw=randwrite clat={clat} allow-write={serials}", cpus=1, disks=disks,
               count=KERNEL).ended_well()
    assert run.job["write"]["total_ios"] == run.job["total_ios"]
    assert 50 < price(run) < most


@pytest.mark.parametrize("disks, words", [(8, "iodepth=32"), (1, "iodepth=1 idle.spin=0")])
def test_adaptive_costs_no_more(boot, disks, words):
    """Awake and loaded, and asleep between one read and the next."""
    adaptive, remapped = (boot(f"irq={mode} rw=randread bs=4k runtime=3s {words}", cpus=1,
                               disks=null_disks(disks), count=KERNEL).ended_well()
                          for mode in ("adaptive", "remapped"))
    assert price(adaptive) <= price(remapped)


def test_a_wake_up_is_cheap(boot):
    """One read at a time, asleep in between: what a poller doesn't have is the notification alone."""
    run = boot("irq=adaptive rw=randread bs=4k runtime=3s iodepth=1 idle.spin=0", cpus=1,
               disks=null_disks(1), count=KERNEL).ended_well()
    notified = instructions(run, "notification")
    assert entries(run, "notification") > 0.5 * run.job["total_ios"]
    assert notified <= 0.05 * (busy(run) - notified)


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
    run = boot("irq=posted runtime=1s", cpus=1, disks=null_disks(1)).ended_well()
    assert "regions" not in run.model and "instructions of" not in run.qemu_said
