# SPDX-License-Identifier: BSD-2-Clause
"""The main job under each way of delivering interrupts."""
import re

import pytest

from conftest import stamped

JOB = "rw=randread bs=4k iodepth=32 runtime=1s verify=crc32c"


def console_numbers(run, name):
    """The numbers of a row in the tables at the end."""
    tables = run.console.split("\ndisk ")[1].splitlines()
    cells = next(row.split() for row in tables if row.split()[:1] == [name])
    return [float(cell.replace(",", "")) for cell in cells[1:] if re.fullmatch(r"[\d,.]+", cell)]


def check_console_agrees(run):
    """What people read is what tools get."""
    for job in run.of("job"):
        numbers = console_numbers(run, job["filename"])
        assert numbers[0] == pytest.approx(job["iops"], abs=1)
        assert numbers[1] == pytest.approx(job["bw_bytes"] / 1e6, abs=0.11)
        assert numbers[2] == pytest.approx(job["clat_ns"]["mean"] / 1000, abs=0.11)
        assert numbers[3] == pytest.approx(job["clat_ns"]["percentile"]["50.000000"] / 1000, abs=0.11)
        assert numbers[-2:] == [job["errors"], job["verify_errors"]]
    for irq in run.of("irq"):
        assert console_numbers(run, irq["name"] + ":") == irq["counts"]
        assert irq["count"] == sum(irq["counts"])
    verdict = run.line("^job: ok: ")
    assert f"{run.job['total_ios']:,} reads of 4 KiB from {run.job['disks']} disks" in verdict
    assert "all data verified" in verdict


def check_sums(run):
    """The parts add up to the whole."""
    job = run.job
    device_irqs = [irq for irq in run.of("irq") if "chip" in irq]
    assert job["msis"] == sum(irq["count"] for irq in device_irqs)
    assert 0 < job["msis"] <= job["total_ios"]
    assert job["clat_ns"]["N"] == job["total_ios"]
    assert job["iops"] == pytest.approx(job["total_ios"] * 1000 / job["runtime"], rel=0.02)
    assert job["runtime"] > 900
    assert job["disks"] == len(run.disk_jobs) == len(run.of("nvme"))
    assert job["cpus"] == run.one("platform")["cpus"] == len(run.of("cpu"))


def run_job(boot, mode):
    """On the machine as users have it."""
    run = boot(f"irq={mode} {JOB}", disks=stamped(4), lean=False).verified()
    assert run.job["irq"] == mode
    check_sums(run)
    check_console_agrees(run)
    return run


def test_posted(boot):
    run = run_job(boot, "posted")
    job, model = run.job, run.model
    assert job["msis"] > job["notifications"] > 0
    assert all(irq["chip"] == "VTD-POST" for irq in run.of("irq") if "chip" in irq)
    assert run.one("irq", name="PMN")["count"] == job["notifications"]
    assert run.one("vtd_unit")["posting"]

    # The model has counted the same events from the other side. It also saw those of bring-up and
    # shutdown, some for each disk; a bit that was posted again before it was harvested is one MSI.
    taken = model["posted"] - model["repeated"]
    assert job["msis"] <= taken <= job["msis"] + 4 * 64
    assert job["notifications"] <= model["notified"] <= job["notifications"] + 4 * 64
    assert model["posted"] == model["notified"] + model["coalesced"] + model["suppressed"]
    assert not any(model["faults"].values())


def test_remapped(boot):
    run = run_job(boot, "remapped")
    assert run.job["notifications"] == run.job["msis"]
    assert run.one("irq", name="PMN")["count"] == 0
    assert all(irq["chip"] == "VTD-REMAP" for irq in run.of("irq") if "chip" in irq)
    assert run.model["posted"] == 0
    assert run.model["passed"] >= run.job["msis"]


def test_adaptive(boot):
    run = run_job(boot, "adaptive")
    job, model = run.job, run.model
    assert job["notifications"] < job["msis"]
    assert model["suppressed"] > 0  # posted while awake: SN was set
    assert model["posted"] == model["notified"] + model["coalesced"] + model["suppressed"]
    assert not any(model["faults"].values())


def test_adaptive_sleeps_where_there_is_little_to_do(boot):
    run = boot("irq=adaptive iodepth=1 runtime=500ms verify=crc32c", cpus=1, disks=stamped(1)).verified()
    # A single MSI is waited for asleep, and its notification is the wake-up. How many come before the
    # CPU sleeps depends on how busy the emulator's host is.
    assert run.job["notifications"] > 0
    # It only ends the halt, and the loop harvests.
    harvesting = sum(sum(cpu["harvests_per_notification"]) for cpu in run.of("delivery"))
    assert harvesting < run.job["notifications"]


def test_mwait_needs_no_notification(boot):
    """On the emulator MWAIT is a pause; the descriptor still is all that tells of completions."""
    run = boot("irq=adaptive idle=mwait size=4m runtime=0 verify=crc32c", disks=stamped(2)).verified()
    assert run.job["notifications"] == 0
    assert run.model["notified"] == 0


def test_mwait_that_no_post_ends(boot):
    """The emulator has no monitor, and on one CPU its MWAIT is a halt: the timer finds what was
    posted, and the CPU falls back."""
    run = boot("irq=adaptive idle=mwait iodepth=1 idle.spin=0 runtime=3s verify=crc32c", cpus=1,
               disks=stamped(1)).verified()
    assert [w["what"] for w in run.of("warning")] == ["mwait-missed"]
    assert run.one("delivery")["mwait_misses"] == 2
    assert run.job["notifications"] > 10  # it halts


def test_the_window(boot):
    run = boot("irq=adaptive posted.window=500 runtime=1s verify=crc32c", disks=stamped(2)).verified()
    assert run.one("irq", name="LOC")["count"] > 100  # the window's timer
    assert sum(cpu["windows"] for cpu in run.of("delivery")) > 0


def test_poll(boot):
    run = run_job(boot, "poll")
    assert run.job["notifications"] == 0
    assert run.one("irq", name="PMN")["count"] == 0
    assert run.model["notified"] == 0
    assert run.model["suppressed"] == run.model["posted"] > 0


def test_auto_is_adaptive_where_it_can_be(boot):
    run = boot("size=4m runtime=0 verify=crc32c", disks=stamped(1)).verified()
    assert run.job["irq"] == "adaptive"


def test_auto_without_posting_says_why(boot):
    run = boot("size=4m runtime=0 verify=crc32c", disks=stamped(1), model=False).verified()
    assert run.job["irq"] == "remapped"
    unit = run.one("vtd_unit")
    assert not unit["posting"]
    reason = run.line("^irq=auto: remapped")
    assert "CAP.PI" in reason and unit["unit"] in reason


@pytest.mark.parametrize("mode", ["posted", "adaptive", "poll"])
def test_posting_that_is_not_there(boot, mode):
    run = boot(f"irq={mode}", disks=stamped(1), model=False)
    run.failed("vtd-no-posting", "CAP.PI", "fed90000")


def test_plain_msi_without_vtd(boot):
    run = boot("irq=msi size=4m runtime=0 verify=crc32c", disks=stamped(2), iommu="").verified()
    assert run.job["irq"] == "msi"
    assert run.of("vtd_unit") == []
    assert all(irq["chip"] == "MSI" for irq in run.of("irq") if "chip" in irq)


def test_one_harvest_loop(boot):
    run = boot("irq=posted posted.loops=1 size=4m runtime=0 verify=crc32c", disks=stamped(2)).verified()
    assert run.job["msis"] >= run.job["notifications"] > 0
