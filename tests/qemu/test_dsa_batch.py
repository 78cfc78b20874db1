# SPDX-License-Identifier: BSD-2-Clause
"""Accelerators that take several operations as one descriptor; comparisons; and what an operation costs that
does nothing."""
import os
import re

import pytest

FULL = "ONEBELL_FULL" in os.environ
COUNT = 20000


def rows_of(run, count=COUNT):
    rows = run.of("dsa_job")
    for row in rows:
        assert row["completed"] == row["submitted"] == count, row
        assert (row["errors"], row["verify_errors"], row["twice"]) == (0, 0, 0), row
    return rows


@pytest.mark.parametrize("op", ["compare", *(["memmove", "memfill", "crc", "noop"] if FULL else [])])
def test_batches(boot, op):
    run = boot(f"app=dsa op={op} rows=modes batch=8 count={COUNT} iodepth=32 bs=4k", cpus=1, disks=[],
               dsa=2).ended_well()
    rows = rows_of(run)
    assert all((row["op"], row["batch"]) == (op, 8) for row in rows)
    submitted = sum(dsa["submitted"] for dsa in run.model["dsa"])
    assert submitted <= len(rows) * COUNT / 8 + 100
    assert sum(dsa["interrupts"] for dsa in run.model["dsa"]) == submitted
    assert sum(dsa["completed"] for dsa in run.model["dsa"]) >= len(rows) * COUNT + submitted / 2
    assert [dsa["dropped"] for dsa in run.model["dsa"]] == [0, 0]
    assert f"{op} of 4 KiB in batches of 8, iodepth 32" in run.console


def test_each_of_a_batch_ends_by_itself(boot):
    """The batches' own descriptors are of no interest to the app, bad or not."""
    run = boot(f"app=dsa rows=now op=noop batch=8 count={COUNT}", cpus=1, disks=[], dsa=1,
               dsa_options={"plant": "error:403"})
    run.failed("dsa-run")
    row, = run.of("dsa_job")
    assert row["completed"] == row["submitted"] > row["errors"] > 0
    assert row["twice"] == 0
    assert re.search(r"(no-op|batch) of \d+ (bytes|descriptors) failed: .*\(status 0x20\)",
                     run.one("warning", what="dsa-descriptor")["message"])


@pytest.mark.parametrize("plant", ["revoke:50", *(["twice:100", "early:7"] if FULL else [])])
def test_batches_end_once(boot, plant):
    """A handle that was revoked sends the whole batch out anew."""
    run = boot(f"app=dsa op=memmove rows=now batch=8 count={COUNT} iodepth=32", cpus=1, disks=[], dsa=2,
               dsa_options={"handles": "on", "plant": plant}).ended_well()
    rows_of(run)
    assert ("handles revoked" in run.console) == plant.startswith("revoke")


def test_wrong_comparisons_are_noticed(boot):
    run = boot("app=dsa rows=now op=compare batch=4 count=8000", cpus=1, disks=[], dsa=1,
               dsa_options={"plant": "corrupt:401"})
    run.failed("dsa-run")
    row, = run.of("dsa_job")
    assert (row["completed"], row["errors"], row["twice"]) == (8000, 0, 0)
    assert 8000 // 401 // 2 <= row["verify_errors"] <= 10000 // 401


@pytest.mark.parametrize("words, options, what, message", [
    ("batch=64", {"max-batch": 4}, "dsa-batch", r"batch=64 is more than dsa0 takes together \(16\)")])
def test_no_more_than_it_takes(boot, words, options, what, message):
    run = boot(f"app=dsa rows=now {words}", cpus=1, disks=[], dsa=1, dsa_options=options)
    run.failed(what)
    assert re.search(message, run.of("error")[0]["message"])
