# SPDX-License-Identifier: BSD-2-Clause
"""Disks that are taken out of a slot and put into it while others are read."""
import pytest

from bay import Bay
from conftest import FULL, full, stamped

pytestmark = pytest.mark.timeout(300)

# The others are read at a pace that leaves the host's cores to what runs beside this: most of it is waiting. Polling
# has no pace: it takes a core of the host for each CPU.
JOB = "iodepth=16 bs=4k rate_iops=1000"


def null(name):
    return ["-blockdev",
            f"driver=null-co,node-name={name},size=16777216,read-zeroes=on,read-only=on"]


def other_is_well(run):
    job = next(job for job in run.disk_jobs if job["filename"] == "nvme0n1")
    assert job["errors"] == 0 and job["total_ios"] == job["submitted"] > 1000, job


@pytest.mark.parametrize("mode", ["remapped", "adaptive", *full("posted", "poll")])
def test_a_disk_is_put_into_an_empty_slot(boot, tmp_path, mode):
    def steps(bay):
        bay.wait_for(r"job: [\d.]+ of ")
        bay.put_in("LATE")

    bay = Bay(tmp_path).start(steps)
    run = boot(f"irq={mode} {JOB} runtime=9s verify=crc32c", disks=stamped(1),
               extra=[*bay.arguments, *null("slow")])
    assert bay.failed is None
    run.verified()
    disk = run.one("nvme", serial="LATE")
    assert disk["filename"] == "nvme1n1" and disk["size"] == 16777216


@pytest.mark.parametrize("mode", ["posted", "poll", *full("remapped", "adaptive")])
def test_a_disk_goes_another_comes_and_the_first_returns(boot, tmp_path, mode):
    """The same serial number comes back under its name, another is another disk."""
    def steps(bay):
        bay.wait_for(r"job: [\d.]+ of ")
        bay.take_out()
        bay.put_in("FIRST")
        bay.wait_for("it is back in its slot")
        bay.take_out()
        bay.put_in("SECOND")
        bay.wait_for("it was put into the slot")
        bay.wait_for("nvme2n1 .* SECOND")

    bay = Bay(tmp_path).start(steps)
    run = boot(f"irq={mode} {JOB} runtime=15s", cpus=1 if mode == "poll" else 2, disks=stamped(1),
               extra=[*bay.arguments, *null("slow"), *bay.disk("FIRST")])
    assert bay.failed is None, run.console
    other_is_well(run)
    assert "nvme1 " in run.one("warning", what="nvme-returned")["message"]
    assert len(run.of("warning", what="nvme-removed")) == 2
    assert run.one("nvme", serial="SECOND")["filename"] == "nvme2n1"
    assert {error["what"] for error in run.of("error")} == {"job-io"}  # the first one's reads


TIMES = 20 if FULL else 6


def test_in_and_out_again_and_again(boot, tmp_path):
    """Each time it is the same disk, under the same name; the other is read all along."""
    def steps(bay):
        bay.wait_for(r"job: [\d.]+ of ")
        for time in range(TIMES):
            bay.take_out()
            bay.put_in("FIRST")
            bay.wait_for("it is back in its slot", time + 1)

    bay = Bay(tmp_path).start(steps)
    run = boot(f"irq=adaptive {JOB} runtime={10 + 7 * TIMES}s", disks=stamped(1), deadline=220,
               extra=[*bay.arguments, *null("slow"), *bay.disk("FIRST")])
    assert bay.failed is None, run.console
    other_is_well(run)
    assert len(run.of("warning", what="nvme-returned")) == TIMES
    assert {disk["filename"] for disk in run.of("nvme", serial="FIRST")} == {"nvme1n1"}
    assert len(run.of("nvme", serial="FIRST")) == 1  # it is known
    assert run.one("recovery", device="nvme1")["gone"] is False


def test_one_that_comes_while_the_machine_starts(boot_and_say):
    """Firmware is done with the slot, and the image hasn't begun to watch it: found all the same, once it does."""
    extra = ["-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
             "-device", "pcie-root-port,id=bay,chassis=9,slot=9,addr=0x1a",
             "-blockdev", "null-co,node-name=late,size=16777216,read-only=on"]
    run = boot_and_say("irq=posted runtime=6s", "Onebell\n", "device_add nvme,id=ctrl,serial=LATE,bus=bay,drive=late",
                       extra=extra).ended_well()
    assert [disk["serial"] for disk in run.of("nvme")] == ["OB0001", "LATE"]
    assert run.line("nvme1 .*: it was put into the slot of 0000:00:1a.0")
