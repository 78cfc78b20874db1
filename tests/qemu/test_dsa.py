# SPDX-License-Identifier: BSD-2-Clause
"""Accelerators (Intel DSA) of the platform model: each completion is seen once under each way to deliver
interrupts, and next to disks. In trouble: test_dsa_faults.py."""
import os
import re

import pytest

from conftest import launch, stamped

FULL = "ONEBELL_FULL" in os.environ
KERNEL = launch.BUILD / "kernel.elf"
COUNT = 20000


def check_rows(run, count=None):
    """All that was submitted ended once and well, as both sides counted it."""
    rows = run.of("dsa_job")
    for row in rows:
        assert row["completed"] == row["submitted"] > 0, row
        assert count is None or row["completed"] == count, row
        assert (row["errors"], row["verify_errors"], row["twice"]) == (0, 0, 0), row
    total = sum(row["completed"] for row in rows)
    for counter in ("submitted", "completed", "interrupts"):
        assert sum(dsa[counter] for dsa in run.model["dsa"]) == total
    assert [dsa["dropped"] for dsa in run.model["dsa"]] == [0] * len(run.model["dsa"])
    return rows


def test_two_devices_one_cpu(boot):
    run = boot(f"app=dsa count={COUNT} iodepth=32 bs=4k", cpus=1, disks=[], dsa=2).ended_well()
    rows = check_rows(run, COUNT)
    assert [(row["irq"], row["loops"]) for row in rows] == [
        ("remapped", 3), *(("posted", loops) for loops in range(2, 7)), ("adaptive", 3)]
    assert all((row["devices"], row["wqs"], row["cpus"]) == (2, 2, 1) for row in rows)
    assert rows[0]["msis"] == rows[0]["notifications"] > 0
    assert all(0 < row["notifications"] <= row["msis"] for row in rows[1:-1])
    assert rows[-1]["notifications"] <= 0.02 * COUNT  # none, where it never sleeps
    assert run.model["posted"] >= 6 * COUNT
    table = re.findall(r"^(remapped|posted|adaptive) +[-\d]+ +\d+\.\d{3} +\d", run.console, re.MULTILINE)
    assert len(table) == 7
    assert [dsa["name"] for dsa in run.of("dsa")] == ["dsa0", "dsa1"]


def test_the_bench_has_them(boot):
    run = boot("app=bench bench=dsa runtime=100ms", cpus=1, disks=[], dsa=1,
               dsa_options={"wqs": 1, "engines": 1}).ended_well()
    assert [row["irq"] for row in check_rows(run)] == ["remapped", *["posted"] * 5, "adaptive"]


@pytest.mark.skipif(not FULL, reason="ONEBELL_FULL: ten million descriptors in each mode")
@pytest.mark.timeout(3600)
def test_ten_million_descriptors(boot):
    run = boot("app=dsa rows=modes count=10000000 iodepth=32 bs=512", cpus=1, disks=[], dsa=2,
               deadline=3000).ended_well()
    rows = check_rows(run, 10000000)
    assert [row["irq"] for row in rows] == ["remapped", "posted", "adaptive"]
    assert rows[-1]["notifications"] <= 0.02 * 10000000


def costs(lap, count):
    """Instructions for each completion: all but waiting."""
    return sum(counts["instructions"] for name, counts in lap.items() if name != "idle") / count


@pytest.mark.parametrize("devices, iodepth, slack", [(2, 32, 0.5), (8, 1, 0)])
def test_what_a_completion_costs(boot, devices, iodepth, slack):
    """Adaptive <= posted <= remapped. At depth 32 a few interrupts serve 32 completions each, and how many of
    them there are is up to the host's threads: half an instruction is one interrupt in a hundred more."""
    run = boot(f"app=dsa rows=modes count=16000 iodepth={iodepth} bs=512", cpus=1, disks=[], dsa=devices,
               count=KERNEL).ended_well()
    check_rows(run, 16000)
    remapped, posted, adaptive = (costs(lap, 16000) for lap in run.model["laps"])
    assert adaptive <= posted + slack
    assert posted <= remapped + slack
    assert 0 < adaptive < 300
    entries = [lap["device"]["entries"] + lap["notification"]["entries"] for lap in run.model["laps"]]
    assert entries == sorted(entries, reverse=True)


def test_next_to_disks(boot):
    """Neither starves the other: each has all of its requests go round many times, with right data, behind the
    fence. Wrong data of a disk would be an error."""
    run = boot("app=dsa op=crc rows=modes runtime=700ms beside=reads verify=crc32c iodepth=16", cpus=1,
               disks=stamped(2), dsa=2).ended_well()
    assert run.one("dma")["dma"] == "fence"
    for row in check_rows(run):
        assert row["completed"] > 10 * 32, row
        assert row["reads"] > 10 * 32, row


def test_reads_are_summed_by_the_accelerator(boot):
    run = boot("verify=crc32c verify_by=accelerator bs=8k iodepth=8 size=8m runtime=0", cpus=1,
               disks=stamped(2, lbas=[4096]), dsa=2).verified()
    assert run.one("crc")["by"] == "accelerator"
    assert sum(dsa["completed"] for dsa in run.model["dsa"]) >= 2 * run.job["total_ios"]
    assert "verify=crc32c: by the accelerator: a sum of 4096 bytes takes" in run.console


def test_wrong_sums_are_not_blamed_on_the_disk(boot):
    run = boot("verify=crc32c verify_by=accelerator bs=4k iodepth=4 size=2m runtime=0", cpus=1,
               disks=stamped(1, lbas=[4096]), dsa=1, dsa_options={"plant": "corrupt:100"})
    assert run.job["verify_errors"] > 0
    assert {error["what"] for error in run.of("error")} == {"job-crc"}
    assert "is good, and the accelerator's CRC-32C of it isn't" in run.of("error")[0]["message"]


@pytest.mark.parametrize("op", ["memmove", "crc", "memfill"] if FULL else ["memmove"])
def test_more_cpus_than_queues(boot, op):
    run = boot(f"app=dsa op={op} rows=modes count=6000 bs=16k dsa.queues=2", cpus=4, disks=[], dsa=2,
               dsa_options={"engines": 1, "total-size": 16}).ended_well()
    rows = check_rows(run, 6000)
    assert all((row["wqs"], row["cpus"]) == (4, 2) for row in rows)
    assert [(dsa["queues"], dsa["depth"]) for dsa in run.of("dsa")] == [(2, 8)] * 2
