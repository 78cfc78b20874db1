# SPDX-License-Identifier: BSD-2-Clause
"""tools/linux/figures.py: from what guests and model said to rows and a table."""
import copy
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools/linux"))
import figures


def snapshot(byte, instructions, passed=0, posted=0, notified=0):
    return {"byte": byte, "instructions": instructions, "passed": passed, "posted": posted,
            "notified": notified, "repeated": 0}


def fio(name, ios, before, after, status=0):
    return {"type": "fio", "job": name, "status": status, "before": before, "after": after,
            "fio": {"jobs": [{"error": 0, "read": {"total_ios": ios, "iops": 100.0 * ios}}]}}


# fio does 5,000 instructions once, and 40 for each read.
EVENTS = [{"type": "linux", "release": "6.12"},
          fio("uring", 100, {"pmn": 3, "nvme": 7}, {"pmn": 13, "nvme": 27}),
          fio("uring", 1100, {"pmn": 13, "nvme": 27}, {"pmn": 103, "nvme": 227}),
          {"type": "end", "status": "ok"}]
SNAPSHOTS = [snapshot(1, 1000, 50, 7, 3), snapshot(2, 10000, 50, 27, 13),
             snapshot(1, 20000, 55, 27, 13), snapshot(2, 69000, 65, 227, 103)]


def linux(irq="posted", setting="pinned", **other):
    row, = figures.linux_rows(EVENTS, SNAPSHOTS, irq)
    return {"setting": setting, **row, **other}


def test_what_a_read_costs_linux():
    row = linux()
    assert row["instructions_per_io"] == 40
    assert (row["total_ios"], row["iops"], row["errors"]) == (1100, 110000, 0)


@pytest.mark.parametrize("irq, expected", [("posted", (200, 90)), ("remapped", (10, 10))])
def test_interrupts_of_the_run_with_many(irq, expected):
    row = linux(irq)
    assert (row["msis"], row["notifications"]) == expected
    assert row["handled"] == 200


def test_errors_of_either_run_count():
    events = copy.deepcopy(EVENTS)
    events[1]["fio"]["jobs"][0]["error"] = 1
    row, = figures.linux_rows(events, SNAPSHOTS, "posted")
    assert list(figures.problems(row)) == ["linux uring posted: 1 errors"]


def test_linux_and_the_model_count_the_same():
    assert list(figures.problems(linux())) == []
    events = copy.deepcopy(EVENTS)
    events[2]["after"]["pmn"] = 102
    row, = figures.linux_rows(events, SNAPSHOTS, "posted")
    problem, = figures.problems(row)
    assert "102" in problem and "103" in problem


@pytest.mark.parametrize("events, snapshots", [
    ([], []),
    (EVENTS, SNAPSHOTS[:3]),
    (EVENTS, SNAPSHOTS[::-1]),
    (EVENTS[:2], SNAPSHOTS[:2]),
    ([EVENTS[1], {**EVENTS[2], "status": 1}], SNAPSHOTS),
    ([EVENTS[1], {**EVENTS[2], "fio": {}}], SNAPSHOTS)])
def test_a_guest_that_did_something_else(events, snapshots):
    with pytest.raises(figures.BadRun):
        figures.linux_rows(events, snapshots, "posted")


JOB = {"type": "job", "filename": "all", "irq": "adaptive", "total_ios": 1000, "errors": 0,
       "iops": 5000, "msis": 100, "notifications": 2}
MODEL = {"regions": {name: {"entries": 1, "instructions": n} for name, n in (
    ("submit", 600), ("reap", 400), ("idle", 3000), ("progress", 70000), ("other", 900000))}}


def test_what_a_read_costs_onebell():
    row = figures.onebell_row(JOB, MODEL, "job")
    assert row["instructions_per_io"] == 1
    assert row["with_idle_per_io"] == 4
    assert list(figures.problems(row)) == []


def test_an_elf_file_of_another_image():
    regions = {**MODEL["regions"], "reap": {"entries": 0, "instructions": 0}}
    with pytest.raises(figures.BadRun):
        figures.onebell_row(JOB, {"regions": regions}, "job")


def onebell(job="job", setting="pinned", **other):
    return {"setting": setting, **figures.onebell_row(JOB, MODEL, job), **other}


def test_onebell_uncounted():
    row = figures.onebell_row(JOB, {}, "job")
    assert (row["instructions_per_io"], row["iops"]) == (0, 5000)


def rows():
    return [linux(iops=1), linux(setting="free", instructions_per_io=9000),
            onebell(), onebell(setting="free", iops=7000, notifications=4),
            linux(instructions_per_io=50), linux(setting="free", iops=90000),
            linux(instructions_per_io=90), linux(setting="free", iops=70000)]


def test_medians_with_their_spread():
    first, second = figures.summaries(rows())
    assert first["instructions_per_io"] == {"median": 50, "min": 40, "max": 90}
    assert first["iops"] == {"median": 90000, "min": 70000, "max": 110000}
    assert (first["rounds"], first["msis"], first["notifications_per_msi"]) == (3, 600, 0.45)
    assert first["pmn_equal"] is True
    assert (second["system"], second["rounds"], second["notifications_per_msi"]) == ("onebell", 1, 0.04)
    assert (second["iops"]["median"], second["instructions_per_io"]["median"]) == (7000, 1)
    assert "pmn_equal" not in second


@pytest.mark.parametrize("setting", ["pinned", "free"])
def test_one_that_was_not_equal_is_not_hidden_by_the_others(setting):
    one, _ = figures.summaries(rows() + [linux(setting=setting, pmn=1)])
    assert one["pmn_equal"] is False
    assert "DIFFERS" in figures.table([one])


def both(make, job, instructions):
    return [make(job=job, setting=setting, instructions_per_io=instructions)
            for setting in ("pinned", "free")]


def test_the_best_of_each():
    found = figures.summaries(
        both(linux, "libaio", 900) + both(linux, "polled", 400) + both(linux, "bare", 300)
        + both(onebell, "job", 10) + both(onebell, "stream", 5))
    timed, least = figures.ratios(found)
    assert (timed["linux"], timed["onebell"], timed["times"]) == (
        ["polled", "posted"], ["job", "adaptive"], 40)
    assert (least["linux"], least["onebell"], least["times"]) == (
        ["bare", "posted"], ["stream", "adaptive"], 60)
    assert timed["each_read_timed"] and not least["each_read_timed"]


def test_without_interrupts():
    one, = figures.summaries(both(lambda **words: linux(msis=0, notifications=0, **words), "polled", 40))
    assert one["notifications_per_msi"] is None
    assert figures.table([one]).splitlines()[1].split()[-2:] == ["-", "equal"]


def test_the_table_is_aligned():
    lines = figures.table(figures.summaries(rows())).splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["system", "job", "irq"], ["linux", "uring", "posted"], ["onebell", "job", "adaptive"]]
    assert lines[1].split()[3:] == ["50.0", "40.0", "90.0", "90.0", "70.0", "110.0", "0.450", "equal"]
    assert lines[0].index("job") == lines[1].index("uring") == lines[2].index("job")
    assert lines[0].index("min") + 3 == lines[1].index("40.0") + 4
