# SPDX-License-Identifier: BSD-2-Clause
"""Disks that fail, stall, vanish and come back while a job reads them: each read ends once, and the
other disks don't notice."""
from itertools import product

import pytest

from conftest import broken, full, launch, stamped
from monitor import Monitor

JOB = "irq=adaptive iodepth=16 bs=4k"
ALL_OF_IT = "rw=read size=16m runtime=0"
# A run ends only once each of its reads has, however long after its time that is.
SECONDS = 2


def extra_disk(backend, bus="pcie.0", options=""):
    """QEMU arguments of one more disk, the last, over block back ends, whose top is `slow`."""
    return [*[word for drive in backend for word in ("-blockdev", drive)],
            "-device", f"nvme,id=ctrl,serial=EXTRA,ioeventfd=off,bus={bus}{options}",
            "-device", "nvme-ns,bus=ctrl,drive=slow"]


def null(name):
    return f"driver=null-co,node-name={name},size=16777216,read-zeroes=on,read-only=on"


def failing(tmp_path, rules):
    """Reads that blkdebug fails."""
    config = tmp_path / "blkdebug"
    config.write_text(rules)
    return [f"driver=raw,node-name=slow,read-only=on,file.driver=blkdebug,"
            f"file.config={launch.quoted(config)},file.image.driver=null-co,"
            f"file.image.size=16777216,file.image.read-zeroes=on"]


def job_of(run, name):
    return next(job for job in run.disk_jobs if job["filename"] == name)


def all_ended(run):
    for job in run.disk_jobs:
        assert job["total_ios"] == job["submitted"] > job["errors"], job


def other_is_well(run):
    job = job_of(run, "nvme0n1")
    assert job["errors"] == 0 and job["total_ios"] > 1000, job


# Where firmware doesn't look.
ONCE = """
[inject-error]
event = "read_aio"
errno = "5"
once = "on"
sector = "20480"
"""

ALWAYS = ONCE.replace('once = "on"', 'once = "off"')


def test_an_error_that_goes_away(boot, tmp_path):
    """It is tried again, and nobody is told but by the count."""
    run = boot(f"{JOB} {ALL_OF_IT}", disks=stamped(1),
               extra=extra_disk(failing(tmp_path, ONCE)))
    run.ended_well()
    all_ended(run)
    assert job_of(run, "nvme1n1")["errors"] == 0
    assert run.one("recovery")["retries"] == 1


def test_an_error_that_stays(boot, tmp_path):
    """After a few tries those reads fail, and no others."""
    run = boot(f"{JOB} {ALL_OF_IT}", disks=stamped(1),
               extra=extra_disk(failing(tmp_path, ALWAYS)))
    all_ended(run)
    other_is_well(run)
    job = job_of(run, "nvme1n1")
    assert job["errors"] > 0 and job["total_ios"] > 0


STALLED = ["-object", "throttle-group,id=tg,x-iops-total=1,x-iops-total-max=1"]
THROTTLED = [null("bottom"), "driver=throttle,node-name=slow,throttle-group=tg,file=bottom,read-only=on"]


def test_a_disk_that_stalls(boot):
    """Past its time-out it is aborted or reset, again and again; the run ends in time, all the same."""
    run = boot(f"{JOB} runtime={SECONDS}s nvme.timeout=1s", disks=stamped(1),
               extra=STALLED + extra_disk(THROTTLED))
    all_ended(run)
    other_is_well(run)
    assert run.of("error", what="nvme-timeout")
    assert run.of("warning", what="nvme-reset") or " aborts" in run.console


def failing_register(**register):
    """Of the extra disk, once its first queue has taken some commands."""
    return broken("nvme", "nvme[0]", "ctrl", offset=0x1c, arm=0x1008, armbits=0xff, armcount=100,
                  **register)


# What a look at CSTS sees, and what is said of it.
LOOKS = {
    "fatal": ({"mask": 2, "value": 2}, "CSTS.CFS"),
    "not-ready": ({"mask": 1, "value": 0}, "CSTS.RDY"),
    "absent": ({"mask": 0xffffffff, "value": 0xffffffff}, "all ones"),
}
USUAL = [("posted", "fatal"), ("remapped", "not-ready"), ("adaptive", "absent"), ("poll", "fatal")]


@pytest.mark.parametrize("mode, look", USUAL + [
    both for both in full(*product(("posted", "remapped", "adaptive", "poll"), LOOKS)) if both not in USUAL])
def test_a_controller_that_comes_back(boot, mode, look):
    """It fails for a few looks, under load, and is reset: no read is lost, and none ends twice."""
    register, why = LOOKS[look]
    run = boot(f"irq={mode} iodepth=32 bs=4k runtime={SECONDS}s nvme.timeout=1s", disks=stamped(1),
               extra=failing_register(reads=4, **register) + extra_disk([null("slow")]))
    run.ended_well()
    all_ended(run)
    other_is_well(run)
    assert job_of(run, "nvme1n1")["errors"] == 0
    assert why in run.one("warning", what="nvme-reset")["message"]
    recovery = run.one("recovery", device="nvme1")
    assert (recovery["resets"], recovery["aborts"], recovery["gone"]) == (1, 0, False)


@pytest.mark.parametrize("legacy", ["on", "off"])
def test_a_controller_with_queues_of_its_own_comes_back(boot, legacy):
    """Reads go on from its memory, which it has to be told of again."""
    run = boot(f"irq=adaptive iodepth=32 bs=4k runtime={SECONDS}s nvme.timeout=1s nvme.cmb=1", disks=stamped(1),
               extra=failing_register(reads=4, mask=2, value=2)
               + extra_disk([null("slow")], options=f",cmb_size_mb=1,legacy-cmb={legacy}"))
    run.ended_well()
    all_ended(run)
    assert run.one("nvme", filename="nvme1n1")["cmb_queues"] == 2
    assert run.one("recovery", device="nvme1")["resets"] == 1


@pytest.mark.parametrize("mode", ["remapped", "adaptive", *full("posted", "poll")])
def test_a_controller_that_is_gone(boot, mode):
    """Nothing answers any more, from one moment to the next: its reads end, the other disk goes on."""
    run = boot(f"irq={mode} iodepth=32 bs=4k runtime={SECONDS}s nvme.timeout=1s", disks=stamped(1),
               extra=failing_register(mask=0xffffffff, value=0xffffffff)
               + extra_disk([null("slow")]))
    assert run.status == launch.EXIT_FAILED
    all_ended(run)
    other_is_well(run)
    assert "all ones" in run.one("error", what="nvme-gone")["message"]


def test_a_controller_that_is_given_up_reaches_nothing(boot):
    """Nor what it reached before: its id is the attacker's all along."""
    run = boot(f"irq=adaptive iodepth=32 bs=4k runtime={SECONDS + 1}s nvme.timeout=1s", disks=stamped(1), attack=["ctrl"],
               extra=failing_register(mask=0xffffffff, value=0xffffffff)
               + extra_disk([null("slow")]))
    assert run.status == launch.EXIT_FAILED
    all_ended(run)
    assert run.one("error", what="nvme-gone")
    attack = run.model["attack"]
    assert attack["granted_pages"] > 0 and attack["revoked memory"]["tried"] > 20
    assert all(found["through"] == 0 for target, found in attack.items() if target != "granted_pages")


@pytest.mark.parametrize("mode", ["posted", "poll", *full("remapped", "adaptive")])
def test_a_disk_that_is_taken_out(boot, tmp_path, mode):
    """device_del presses its slot's button: its reads end, its power goes off, and QEMU takes it out."""
    monitor = Monitor(tmp_path)
    monitor.when(tmp_path / "boot0" / "com1", "job: 1.0 of ", "device_del ctrl")
    later = Monitor(tmp_path)
    later.path = monitor.path
    later.when(tmp_path / "boot0" / "com1", "job: 3.0 of ", "info pci", "device_del ctrl")
    run = boot(f"irq={mode} iodepth=16 bs=4k runtime=4s", disks=stamped(1),
               extra=["-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
                      "-device", "pcie-root-port,id=bay,chassis=9,slot=9", *monitor.arguments,
                      *extra_disk([null("slow")], bus="bay")])
    all_ended(run)
    other_is_well(run)
    assert "button" in run.one("warning", what="nvme-removed")["message"]
    assert run.of("error", what="nvme-gone") == []
    assert "not found" in later.answers[1]  # it is no more
