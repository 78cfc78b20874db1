# SPDX-License-Identifier: BSD-2-Clause
"""Counted instructions (lib/mark.h) of domains: what a read costs behind the wall, and what a sleep does."""
import json
import os
import sys

import pytest

from conftest import ROOT, launch

sys.path.insert(0, str(ROOT / "tests" / "perf"))
import budget

FULL = "ONEBELL_FULL" in os.environ
NO_COST = ("idle", "progress", "other")  # waiting, a line each second, and what runs once


def null_disks(tmp_path, count):
    """Disks, and the words that let a domain have them."""
    disks = [launch.Disk(size="1g", null=True, writable=tmp_path / "disks") for _ in range(count)]
    serials = ":".join(launch.serial_of(disk, i) for i, disk in enumerate(disks))
    names = ",".join(f"nvme{i}n1" for i in range(count))
    return disks, f"app=domains allow-write={serials} domain=d:cpus=1:disks={names}:mem=64m:app=job"


def regions_of(run, cpu):
    regions, = [c["regions"] for c in run.model["cpus"] if c["cpu"] == cpu]
    return regions


# At depth 1 in posted mode a read has an interrupt, or a sleep: what those cost is below.
SHAPES = [("adaptive", 32), ("adaptive", 1), *([("posted", 32), ("poll", 32), ("poll", 1)] if FULL else [])]


@pytest.mark.parametrize("mode, depth", SHAPES)
def test_what_a_read_costs(boot, tmp_path, mode, depth):
    """At most 10% more than the kernel's own path: the program's part, and the kernel's on the same CPU."""
    disks, domain = null_disks(tmp_path, 8)

    def price(words, elf, cpus):
        run = boot(f"irq={mode} {words}", cpus=cpus, disks=disks, count=launch.BUILD / elf).ended_well()
        job, = [job for job in run.of("job") if job["filename"] == "all"]
        return sum(counts["instructions"] for name, counts in regions_of(run, cpus - 1).items()
                   if name not in NO_COST) / job["total_ios"]

    own = price(f"app=job runtime=1s rw=randread iodepth={depth}", "kernel.elf", 1)
    words = f"{domain}:runtime=1s:rw=randread:iodepth={depth}"
    behind = price(words, "domain.full.elf", 2) + price(words, "kernel.elf", 2)
    assert 50 < own < behind < 1.1 * own


# Guest instructions of the kernel's: from SYSCALL to IRETQ, but for what follows; around the halt, as on any CPU;
# the notification that ends it.
SLEEP, HALT, NOTIFICATION = 353, 204, 14
SHARE = 0.03
OTHER_COMPILERS_SHARE = 0.15


def test_what_a_sleep_costs(boot, tmp_path):
    """One disk, one read at a time, and no looking on: a sleep and a wake-up for nearly each."""
    disks, domain = null_disks(tmp_path, 1)
    run = boot(f"irq=adaptive idle.spin=0 {domain}:runtime=1s:rw=randread:iodepth=1", cpus=2, disks=disks,
               count=launch.BUILD / "kernel.elf").ended_well()
    regions = regions_of(run, 1)
    calls, sleeps = regions["ring-in"]["entries"], regions["idle"]["entries"]
    job, = [job for job in run.of("job") if job["filename"] == "all"]
    assert 0.5 * job["total_ios"] < sleeps <= calls
    assert regions["notification"]["entries"] > 0.9 * sleeps

    def each(count, *names):
        return sum(regions[name]["instructions"] for name in names) / count

    kept = json.loads(budget.FILE.read_text())
    share = SHARE if kept["compiler"] == budget.compiler() else OTHER_COMPILERS_SHARE
    assert each(calls, "domain", "harvest", "ring-in", "ring-out") == pytest.approx(SLEEP, rel=share)
    assert each(sleeps, "idle") == pytest.approx(HALT, rel=share)
    assert each(regions["notification"]["entries"], "notification") == NOTIFICATION
