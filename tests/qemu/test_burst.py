# SPDX-License-Identifier: BSD-2-Clause
"""Two hundred queues of one controller complete while the CPU's interrupts are off, each with a
handler that takes long."""
import pytest

from conftest import stamped

VECTORS = 200


def disks(queues):
    return stamped(1, controller={"max_ioqpairs": queues, "msix_qsize": queues})


@pytest.mark.parametrize("preempt", [1, 0])
def test_burst(boot, preempt):
    run = boot(f"app=burst vectors={VECTORS} nvme.queues={VECTORS} work=10000 verify=crc32c "
               f"irq=posted posted.preempt={preempt}", cpus=1, disks=disks(VECTORS)).ended_well()
    assert run.one("nvme")["queues"] == VECTORS
    assert run.model["coalesced"] >= VECTORS - 1  # by the unit: all but the first
    test = run.one("test")
    assert test["ok"] and test["vectors"] == test["handled"] == VECTORS
    assert test["notifications"] == 1
    assert test["timer_in_between"] == bool(preempt)
    # It falls due in the handler in the middle: behind that one it runs, or all others go first.
    if preempt:
        assert test["handlers_while_timer_waited"] <= 1
    else:
        assert test["handlers_while_timer_waited"] == VECTORS // 2


def test_queues_of_two_cpus(boot):
    """Only those of the CPU that reads are in the burst."""
    run = boot("app=burst vectors=30 nvme.queues=30 irq=posted verify=crc32c", cpus=2,
               disks=disks(60)).ended_well()
    test = run.one("test")
    assert (test["handled"], test["notifications"]) == (30, 1)


def test_too_few_queues(boot):
    run = boot("app=burst nvme.queues=200 irq=posted", cpus=1, disks=disks(64))
    run.failed("burst-queues", "nvme0n1 has 64", "nvme.queues=", "max_ioqpairs=")
    assert "there are 64: each CPU uses 64" in run.line("^warning: nvme0 ")
