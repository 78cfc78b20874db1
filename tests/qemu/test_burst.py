# SPDX-License-Identifier: BSD-2-Clause
"""Two hundred vectors at once, each with a handler that takes long."""
import pytest

from conftest import launch

DISK = launch.Disk(size="64m", null=True, controller={"msix_qsize": 256})


@pytest.mark.parametrize("preempt", [1, 0])
def test_burst(boot, preempt):
    run = boot(f"app=burst work=300000 irq=posted posted.preempt={preempt}", cpus=1, disks=[DISK]).ended_well()
    test = run.one("test")
    assert test["vectors"] == test["handled"] == 200
    assert test["notifications"] == 1
    assert test["timer_in_between"] == bool(preempt)
    if preempt:
        assert test["handlers_while_timer_waited"] <= 1
    else:
        assert test["handlers_while_timer_waited"] > 1
