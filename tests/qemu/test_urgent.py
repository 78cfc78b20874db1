# SPDX-License-Identifier: BSD-2-Clause
"""Urgent reads: by queues of their own, whose interrupts notify even where others don't."""
import pytest

from conftest import stamped

JOB = "nvme.urgent=1 urgent=20 iodepth=8 runtime=500ms verify=crc32c"


def check_share(run):
    """A fifth of the reads, told apart and counted among all."""
    for job in run.of("job"):
        urgent = job["urgent_clat_ns"]["N"]
        assert job["clat_ns"]["N"] == job["total_ios"]
        assert 0.1 * job["total_ios"] < urgent < 0.3 * job["total_ios"]
    cells = run.line("^urgent ").split()
    mean = run.job["urgent_clat_ns"]["mean"] / 1000
    assert float(cells[3].replace(",", "")) == pytest.approx(mean, abs=0.11)


def by_queue(run):
    """MSIs of urgent queues, and of the others."""
    queues = [irq for irq in run.of("irq") if "chip" in irq]
    urgent = [irq for irq in queues if irq["name"].endswith("u")]
    return urgent, [irq for irq in queues if irq not in urgent]


@pytest.mark.parametrize("mode", ["posted", "adaptive", "remapped"])
def test_urgent_queues(boot, mode):
    run = boot(f"irq={mode} {JOB}", cpus=2, disks=stamped(2)).verified()
    assert all((nvme["queues"], nvme["urgent_queues"]) == (2, 2) for nvme in run.of("nvme"))
    check_share(run)
    urgent, others = by_queue(run)
    assert len(urgent) == len(others) == 4
    assert all(irq["count"] for irq in urgent + others)


def test_adaptive_notifies_for_them(boot):
    """While the CPUs are awake and SN is set: only urgent MSIs notify."""
    run = boot(f"irq=adaptive {JOB}", cpus=2, disks=stamped(4)).verified()
    assert run.model["overrode"] > 0
    plain = boot("irq=adaptive urgent=20 iodepth=8 runtime=500ms verify=crc32c", cpus=2,
                 disks=stamped(4)).verified()
    assert plain.model["overrode"] == 0
    check_share(plain)  # marked all the same


def test_too_few_queues(boot):
    """Without enough queues for each CPU, urgent reads use the others, and it says so."""
    disks = stamped(1, controller={"max_ioqpairs": 3})
    run = boot(f"irq=adaptive {JOB}", cpus=2, disks=disks).verified()
    assert "and there are 3" in run.line("^warning: nvme0 .*: no urgent queues: ")
    assert run.one("nvme")["urgent_queues"] == 0
    check_share(run)
    assert len(by_queue(run)[0]) == 0
