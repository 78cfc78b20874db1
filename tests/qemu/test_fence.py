# SPDX-License-Identifier: BSD-2-Clause
"""The fence around DMA: devices of the machine attack it by their own ids while the job runs."""
import pytest

from conftest import launch

DISKS = [launch.Disk(), launch.Disk(lbas=[4096])]
JOB = "rw=randread bs=4k iodepth=8 runtime=1s verify=crc32c"
DRIVEN = ["nvme0"]
UNDRIVEN = ["stranger"]
STRANGER = ["-device", "edu,id=stranger"]
TARGETS = ["remapping table", "queue", "root table", "page tables", "registers", "interrupts", "memory"]


def told(run):
    """Faults that the guest has told of, one by one or by number."""
    return len([f for f in run.of("fault") if "reason" in f]) + sum(
        f["suppressed"] for f in run.of("fault") if "suppressed" in f)


@pytest.mark.parametrize("cpus, mode, who", [
    (1, "remapped", DRIVEN), (2, "posted", DRIVEN), (4, "adaptive", DRIVEN), (2, "poll", UNDRIVEN),
    (2, "adaptive", UNDRIVEN), (2, "posted", DRIVEN + UNDRIVEN)])
def test_nothing_gets_through(boot, cpus, mode, who):
    run = boot(f"irq={mode} {JOB}", cpus=cpus, disks=DISKS, attack=who, extra=STRANGER)
    attack = run.model["attack"]
    for target in TARGETS:
        if target != "page tables" or who != UNDRIVEN:  # which has none
            assert attack[target]["tried"] > 8, target
    for target in attack:
        assert target == "granted_pages" or attack[target]["through"] == 0, (target, attack[target])
    dma = run.one("dma")
    assert dma["dma"] == "fence" and dma["functions"] == 2
    assert attack["granted_pages"] * 4096 <= dma["arena"]

    # Each attempt was recorded, and is told of; a driven device's are errors, since it is in use.
    blocked = sum(attack[target]["blocked"] for target in attack if target != "granted_pages")
    assert blocked - 1 <= told(run) <= blocked
    sources = {fault["source"] for fault in run.of("fault") if "source" in fault}
    assert sources <= {"0000:00:02.0", "0000:00:04.0"} and len(sources) == len(who)
    assert all("blocked a" in f["message"] for f in run.of("fault") if "reason" in f)
    if who == UNDRIVEN:
        run.ended_well()
    for job in run.of("job"):
        assert job["total_ios"] == job["submitted"] > 0
        assert (job["errors"], job["verify_errors"]) == (0, 0)


def test_an_open_machine_is_open(boot):
    """The same attack, but that it only reads: the attacker is a real one."""
    run = boot(f"irq=adaptive dma=open {JOB}", disks=DISKS, attack=DRIVEN + UNDRIVEN,
               attack_writes=False, extra=STRANGER)
    attack = run.model["attack"]
    assert run.one("dma")["dma"] == "open"
    for target in ("remapping table", "descriptors", "queue", "memory"):
        assert attack[target]["tried"] > 8
        assert attack[target]["through"] == attack[target]["tried"]


@pytest.mark.parametrize("topology", ["ports", "bridge"])
def test_behind_bridges(boot, topology):
    """Behind a bridge to PCI, both disks bear its id. Nobody drives the display."""
    run = boot(f"irq=adaptive {JOB}", disks=DISKS, attack=DRIVEN, topology=topology, lean=False)
    assert run.line("^dma: 0000:00:01.0, a display, is kept from all memory")
    attack = run.model["attack"]
    assert attack["memory"]["tried"] > 8
    assert sum(attack[t]["through"] for t in attack if t != "granted_pages") == 0
    assert attack["granted_pages"] * 4096 <= run.one("dma")["arena"]
    assert all((job["errors"], job["verify_errors"]) == (0, 0) for job in run.of("job"))


@pytest.mark.parametrize("unit", ["aw-bits=39", "aw-bits=48", "caching-mode=on", "snoop-control=on",
                                  "x-scalable-mode=on,aw-bits=48"])
def test_other_units(boot, unit):
    """The attacker is shut out, and the disks are not."""
    run = boot(f"irq=adaptive {JOB}", disks=DISKS, attack=UNDRIVEN, extra=STRANGER,
               iommu=f"intremap=on,eim=on,{unit}").verified()
    attack = run.model["attack"]
    assert attack["memory"]["tried"] > 8
    assert sum(attack[t]["through"] for t in attack if t != "granted_pages") == 0


def test_reserved_memory_is_kept_on_request(boot):
    """dma=rmrr, on a machine whose table reserves none: the same as the fence."""
    run = boot(f"irq=adaptive dma=rmrr {JOB}", disks=DISKS, attack=UNDRIVEN, extra=STRANGER).verified()
    assert run.one("dma")["dma"] == "fence"
    assert run.model["attack"]["memory"]["through"] == 0
