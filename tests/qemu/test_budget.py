# SPDX-License-Identifier: BSD-2-Clause
"""What a read costs, in guest instructions (lib/mark.h), is no more than tests/perf/budget.json allows,
nor much less; modes cost as they should; and the bench tells what the platform model has seen."""

import json
import sys

import pytest

from conftest import ROOT, launch

sys.path.insert(0, str(ROOT / "tests" / "perf"))
import budget

DISKS, WORDS = budget.BOOTS[""]


def measured(boot, prefix=""):
    disks, words = budget.BOOTS[prefix]
    return boot(f"{budget.WORDS} {words}", cpus=1, disks=budget.null_disks(disks), count=budget.KERNEL,
                deadline=240).ended_well()


def check_budget(run, prefix):
    kept = json.loads(budget.FILE.read_text())
    if kept["compiler"] != budget.compiler():
        pytest.skip(f"the budget is of {kept['compiler']}, and this is {budget.compiler()}")
    mine = {row: cost for row, cost in kept["reads"].items()
            if row.startswith("asleep") == (prefix == "asleep")}
    assert budget.differences(mine, budget.costs_of(run.events, run.model, prefix)) == []


def check_order(costs, shape):
    """Where MSIs come together, as they do of eight disks under load."""
    cost = {mode: costs[f"{mode} {shape}"]["all"]
            for mode in ("remapped", "posted", "adaptive", "poll")}
    assert max(cost["adaptive"], cost["poll"]) <= cost["posted"] <= cost["remapped"]


def check_rows(run):
    """Each row against the instructions that its own laps had."""
    for row, laps in budget.laps_of(run.events, run.model):
        def entries(region):
            return sum(lap[region]["entries"] for lap in laps)
        streamed = row["clat"] == "batch"
        reads = row["disks"] * row["iodepth"] * row["repeats"] if streamed else row["total_ios"]
        assert entries("submit") == reads, row
        assert streamed or entries("callback") == row["total_ios"], row
        if row["irq"] == "remapped":
            assert entries("device") == row["msis"] == row["notifications"], row
        else:
            assert entries("device") == 0
            assert entries("notification") == row["notifications"], row
        assert (row["notifications"] == 0) == (row["irq"] == "poll"), row


def check_sums(run):
    """And all of them against what the remapping unit has counted: beside the rows there is little."""
    def msis(remapped):
        return sum(row["msis"] for row in run.of("bench") if (row["irq"] == "remapped") == remapped)
    model = run.model
    assert 0 <= model["passed"] - msis(True) <= 0.01 * model["passed"]
    assert 0 <= model["posted"] - model["repeated"] - msis(False) <= 0.01 * model["posted"]


@pytest.mark.timeout(300)
def test_what_reads_cost(boot):
    run = measured(boot)
    check_rows(run)
    check_sums(run)
    costs = budget.costs_of(run.events, run.model)
    check_order(costs, f"{DISKS}x32")
    for shape in ("1x1", f"{DISKS}x1"):
        assert costs[f"adaptive {shape}"]["all"] <= costs[f"remapped {shape}"]["all"]
    assert costs[f"adaptive {DISKS}x32-batch"]["all"] < 0.75 * costs[f"adaptive {DISKS}x32"]["all"]
    check_budget(run, "")


@pytest.mark.timeout(300)
def test_what_reads_cost_asleep(boot):
    """Adaptive sleeps between one read and the next, and is woken by notifications."""
    run = measured(boot, "asleep")
    check_rows(run)
    row = run.one("bench", irq="adaptive", iodepth=1)
    assert row["notifications"] > 0.5 * row["msis"]
    costs = budget.costs_of(run.events, run.model, "asleep")
    assert costs["asleep adaptive 1x1"]["all"] <= costs["asleep remapped 1x1"]["all"]
    check_budget(run, "asleep")


# ---- what is said of a difference ----

MAY = {"posted 8x32": {"all": 100.0, "submit": 34.0, "loop": 2.0}}


@pytest.mark.parametrize("does, said", [
    ({"all": 101.9, "submit": 34.6, "loop": 2.9}, []),
    ({"all": 98.1, "submit": 33.4, "loop": 1.1}, []),
    ({"all": 102.1, "submit": 34.0, "loop": 2.0},
     ["posted 8x32, all: 102.1 instructions for each read, and 100.0 are allowed"]),
    ({"all": 100.0, "submit": 35.0, "loop": 2.0},
     ["posted 8x32, submit: 35.0 instructions for each read, and 34.0 are allowed"]),
    ({"all": 100.0, "submit": 34.0, "loop": 3.1},
     ["posted 8x32, loop: 3.1 instructions for each read, and 2.0 are allowed"]),
    ({"all": 97.9, "submit": 34.0, "loop": 2.0},
     ["posted 8x32, all: 97.9 instructions for each read are enough, and 100.0 are allowed: "
      "lower the budget with make budget"]),
    ({"all": 100.0, "submit": 34.0, "loop": 2.0, "device": 1.2},
     ["posted 8x32, device: 1.2 instructions for each read, and 0 are allowed"]),
])
def test_differences_are_told(does, said):
    assert budget.differences(MAY, {"posted 8x32": does}) == said


@pytest.mark.parametrize("row, strict", [("posted 8x1", False), ("asleep posted 24x1", False),
                                         ("asleep poll 1x1", False), ("adaptive 1x1", False),
                                         ("posted 1x1", True), ("asleep remapped 1x1", True),
                                         ("adaptive 1x32", True), ("posted 8x32", True),
                                         ("posted 1x32", True), ("posted 8x32-batch", True)])
def test_what_the_host_decides_is_not_held_against_a_read(row, strict):
    """How many MSIs come together where several disks have one read each, and how often a CPU looks."""
    may = {row: {"all": 100.0, "submit": 34.0, "loop": 20.0}}
    assert bool(budget.differences(may, {row: {"all": 107.0, "submit": 34.0, "loop": 27.0}})) == strict
    assert budget.differences(may, {row: {"all": 101.0, "submit": 35.0, "loop": 20.0}})
    assert budget.differences(may, {row: {"all": 111.0, "submit": 34.0, "loop": 20.0}})


def test_rows_are_all_there():
    assert budget.differences(MAY, {}) == ["posted 8x32: only in the budget: run make budget"]
    assert budget.differences({}, MAY) == ["posted 8x32: only measured: run make budget"]


@pytest.mark.parametrize("row, all_of_it, said", [("posted 1x1", 93.0, 0), ("posted 1x1", 89.0, 1), ("posted 1x1", 102.1, 1),
                                                  ("remapped 1x1", 93.0, 1), ("asleep remapped 1x1", 93.0, 0)])
def test_notifications_that_are_held_cost_less(row, all_of_it, said):
    """Some, as the host has it; never more."""
    does = {"all": all_of_it, "submit": 34.0, "loop": 2.0}
    assert len(budget.differences({row: MAY["posted 8x32"]}, {row: does})) == said
