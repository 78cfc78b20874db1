# SPDX-License-Identifier: BSD-2-Clause
"""Several queues for each CPU: the job's reads take them in turn, and they move like any other."""
import pytest

from conftest import stamped

JOB = "size=4m runtime=0 iodepth=8 verify=crc32c"


def queues_used(run, cpus):
    """Each queue's MSIs, all on the CPU that owns it."""
    irqs = [irq for irq in run.of("irq") if "chip" in irq]
    for irq in irqs:
        number = int(irq["name"].rstrip("u").split("q")[1])
        users = [cpu for cpu, count in enumerate(irq["counts"]) if count]
        assert users == [(number - 1) % cpus], irq
    return len(irqs)


@pytest.mark.parametrize("mode", ["posted", "remapped"])
def test_three_for_each_cpu(boot, mode):
    run = boot(f"irq={mode} nvme.queues=3 {JOB}", cpus=2, disks=stamped(2)).verified()
    assert [nvme["queues"] for nvme in run.of("nvme")] == [6, 6]
    assert queues_used(run, cpus=2) == 12


def test_with_urgent_ones(boot):
    run = boot(f"irq=adaptive nvme.queues=3 nvme.urgent=1 urgent=20 {JOB}", cpus=2,
               disks=stamped(1)).verified()
    nvme = run.one("nvme")
    assert (nvme["queues"], nvme["urgent_queues"], nvme["vectors"]) == (6, 2, 8)
    assert ", 6 queues of 255, and 2 urgent" in run.line("^nvme0n1 .* blocks of ")
    assert queues_used(run, cpus=2) == 8


def test_fewer_than_wanted(boot):
    """Whole sets only, and it says so."""
    run = boot(f"irq=posted nvme.queues=3 {JOB}", cpus=2,
               disks=stamped(1, controller={"max_ioqpairs": 5})).verified()
    warning = run.line("^warning: nvme0 ")
    assert "takes 6 queues and vectors, and there are 5: each CPU uses 2" in warning
    assert run.one("nvme")["queues"] == 4
    assert queues_used(run, cpus=2) == 4


def test_two_disks_share_a_cpus_vectors(boot):
    """Each could have them all; the second one must not go without."""
    run = boot("irq=posted nvme.queues=207 size=4m runtime=0 iodepth=104 verify=crc32c", cpus=1,
               disks=stamped(2, controller={"max_ioqpairs": 207, "msix_qsize": 207})).verified()
    assert [nvme["queues"] for nvme in run.of("nvme")] == [103, 104]
    for name, count in ("nvme0", 103), ("nvme1", 104):
        assert f"there are {count} (all controllers share the CPUs' vectors): each CPU uses " \
               f"{count}" in run.line(f"^warning: {name} ")
    assert queues_used(run, cpus=1) == 207


@pytest.mark.parametrize("test, steps", [("moves", 500), ("offline", 20)])
def test_under_moves(boot, test, steps):
    word = {"moves": "moves", "offline": "rounds"}[test]
    run = boot(f"app=selftest test={test} {word}={steps} irq=posted nvme.queues=3 nvme.urgent=1 "
               "verify=crc32c", cpus=3, disks=stamped(2)).ended_well()
    result = run.one("test")
    assert (result["ok"], result[word], result["failed"]) == (True, steps, 0)
    assert result["ios"] == result["submitted"] > steps
