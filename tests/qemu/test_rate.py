# SPDX-License-Identifier: BSD-2-Clause
"""posted.rate: the machine's notifications, and the harvests in place of one, stay within a budget."""
import re

import pytest

from conftest import stamped

SECONDS = 1
BEFORE_IT_KNOWS = 500
JOB = f"runtime={SECONDS}s verify=crc32c idle.spin=0"


def taken(run):
    """Both, as the CPUs count them."""
    return sum(cpu["notifications"] + cpu["moderated"] for cpu in run.of("delivery"))


def moderated(run):
    return sum(cpu["moderated"] for cpu in run.of("delivery"))


@pytest.mark.parametrize("mode, budget, words", [
    ("posted", 100, "iodepth=4"),
    ("posted", 100, "nvme.urgent=1"),
    ("adaptive", 100, "iodepth=1"),
])
def test_notifications_stay_within_the_budget(boot, mode, budget, words):
    run = boot(f"irq={mode} posted.rate={budget} {words} {JOB}", cpus=2, disks=stamped(4)).verified()
    assert moderated(run) > 0
    assert run.job["notifications"] + moderated(run) == taken(run)
    # As many as it likes until it has counted some. A host that puts the guest aside makes windows late,
    # never early.
    if "urgent" not in words:
        assert taken(run) < 2 * budget * SECONDS + BEFORE_IT_KNOWS
        assert run.model["notified"] < 2 * budget * SECONDS + 2 * BEFORE_IT_KNOWS


@pytest.mark.parametrize("mode", ["posted", "adaptive"])
def test_below_the_budget_nothing_waits(boot, mode):
    run = boot(f"irq={mode} posted.rate=1000000000 size=8m runtime=0 verify=crc32c idle.spin=0", cpus=2, disks=stamped(2)).verified()
    assert moderated(run) == 0
    assert run.job["notifications"] > 0


def test_modes_change_above_the_budget(boot):
    run = boot("app=selftest test=modes modes=60 irq=posted posted.rate=100 verify=crc32c", cpus=2,
               disks=stamped(2)).ended_well()
    test = run.one("test")
    assert (test["modes"], test["failed"]) == (60, 0)
    assert test["ios"] == test["submitted"] > 0


def test_the_table_tells_of_them(boot):
    run = boot(f"irq=posted posted.rate=100 {JOB}", cpus=1, disks=stamped(2)).verified()
    assert re.search(r"\d", run.line("^moderated harvests:"))
