# SPDX-License-Identifier: BSD-2-Clause
"""What tools/report makes of captures before it draws: charts' rows, and what may be said of two
runs' difference."""
import sys
from pathlib import Path

import pytest
import synthetic

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from report import capture, data, extras, stats


def spread(low, median, high):
    return {"min": low, "median": median, "max": high}


def read(tmp_path, objects, name="run"):
    return capture.read(synthetic.write(tmp_path / f"{name}.jsonl", objects))


def charts_of(*found):
    return {chart["id"]: chart for _, charts in data.charts_of(list(found)) for chart in charts}


# ---- statistics ----

@pytest.mark.parametrize("a, b, p", [
    ([1, 2, 3], [4, 5, 6], 2 / 20), ([4, 5, 6], [1, 2, 3], 2 / 20), ([1, 2, 4], [3, 5, 6], 4 / 20),
    ([1, 2, 3], [1, 2, 3], 1), ([5], [7], 1), ([1, 1, 1], [1, 1, 1], 1),
    ([1, 2, 3, 4], [5, 6, 7, 8], 2 / 70), ([1, 3, 5, 7], [2, 4, 6, 8], 48 / 70),
])
def test_rank_sum(a, b, p):
    assert stats.rank_sum_p(a, b) == pytest.approx(p)


@pytest.mark.parametrize("a, n, b, m, words, p", [
    (spread(1, 2, 3), 3, spread(4, 5, 6), 3, "ranges apart", 0.1),
    (spread(1, 2, 3), 3, spread(2, 3, 4), 3, "no difference shown", 0.5),
    (spread(1, 2, 3), 5, spread(4, 5, 6), 5, "differs", 2 / 252),
    (spread(1, 2, 3), 5, spread(3, 5, 6), 5, "can't be told", None),
    (spread(1, 2, 3), 3, spread(4, 5, 6), 5, "differs", 2 / 56),
    (spread(1, 1, 1), 1, spread(9, 9, 9), 1, "ranges apart", 1),
    (spread(1, 1.5, 2), 2, spread(1, 1.5, 2), 2, "no difference shown", 1),
])
def test_verdicts(a, n, b, m, words, p):
    verdict, found, why = stats.verdict(a, n, b, m)
    assert verdict == words and why
    assert found == (p if p is None else pytest.approx(p))


def test_sign_test():
    assert stats.sign_test_p([1.1] * 9 + [0.9]) == (pytest.approx(22 / 1024), 9, 1)
    assert stats.sign_test_p([1.0, 1.0]) == (1.0, 0, 0)
    assert stats.sign_test_p([2, 0.5])[0] == 1.0


# ---- side by side ----

def test_two_runs_differ(tmp_path):
    old = read(tmp_path, synthetic.bench(repeats=5), "old")
    new = read(tmp_path, synthetic.bench(1.25, repeats=5), "new")
    chart = charts_of(old, new)["differences"]
    row = next(row for row in chart["rows"] if row[1:3] == ["posted", "disks 8"])
    assert row[5] == pytest.approx(1.25, rel=1e-3)
    assert row[6] == pytest.approx(1.25 * 0.96 / 1.04, rel=1e-3)
    assert row[8] == "differs" and row[9] == pytest.approx(2 / 252)
    assert "new: faster in 72 of 72 rows" in chart["notes"][0]
    assert len(chart["rows"]) == 100


def test_rows_of_another_place_are_not_compared(tmp_path):
    old = read(tmp_path, [*synthetic.row("disks", 0, "posted", disks=2), *synthetic.row(
        "disks", 1, "posted", disks=4)], "old")
    new = read(tmp_path, synthetic.row("disks", 0, "posted", disks=4), "new")
    rows = charts_of(old, new)["differences"]["rows"]
    assert [row[2] for row in rows] == ["disks 4"]
    other = read(tmp_path, synthetic.row("bs", 0, "poll"), "other")
    assert "differences" not in charts_of(old, other)


# ---- charts ----

def test_lines_have_modes_in_order(tmp_path):
    found = read(tmp_path, [*synthetic.row("disks", 0, "poll", disks=8),
                            *synthetic.row("disks", 1, "poll", disks=1),
                            *synthetic.row("disks", 2, "remapped", disks=8)])
    rows = charts_of(found)["iops"]["rows"]
    assert [row[1:3] for row in rows] == [["remapped", 8], ["poll", 1], ["poll", 8]]
    assert charts_of(found)["iops"]["constants"] == "4 KiB, depth 32, 2 CPUs, 3 repeats"


def test_what_a_row_lacks_has_no_point(tmp_path):
    row = synthetic.row("disks", 0, "poll")[0]
    for key in ("cycles_per_io", "busy", "notifications_per_msi"):
        del row[key]
    found = charts_of(read(tmp_path, [{**row, "msis": 0}]))
    assert not {"cycles", "busy", "per-msi", "cdf", "energy", "depth"} & set(found)
    found = charts_of(read(tmp_path, [{**row, "msis": 10, "notifications": 4}]))
    assert found["per-msi"]["rows"] == [["run", "poll", 4, 0.4, 0.4, 0.4]]
    energy = {**row, "energy_uj_per_io": spread(1, 2, 3)}
    assert charts_of(read(tmp_path, [energy]))["energy"]["rows"][0][3:] == [2, 1, 3]


def test_one_repeat_that_went_wrong(tmp_path):
    objects = [o for mode in synthetic.MODES for o in synthetic.row("disks", 0, mode)]
    for i, o in enumerate(o for o in objects if o["type"] == "bench"):
        o["row"] = i
    chart = charts_of(read(tmp_path, objects))["iops"]
    assert chart["top"] == max(row[5] for row in chart["rows"]) and "above" not in chart["text"]
    objects[0]["iops"]["max"] *= 100
    chart = charts_of(read(tmp_path, objects))["iops"]
    assert chart["top"] == 2.5 * max(row[3] for row in chart["rows"])
    assert chart["text"].endswith("A whisker without an end goes on above.")


def test_units(tmp_path):
    found = charts_of(read(tmp_path, synthetic.bench()))
    assert found["busy"]["rows"][0][3] == 70  # of 700 per mille
    low = found["fixed-rate"]["rows"][0]
    assert low[3] == low[4] < low[5]
    assert {chart.get("badge") for chart in found.values() if chart["is_rate"]} == {
        "an emulator's rate"}


def test_a_budget_is_a_run_of_its_own(tmp_path):
    rows = charts_of(read(tmp_path, synthetic.bench()))["budget"]["rows"]
    assert [row[:3] for row in rows if row[1] == "posted"] == [
        ["run", "posted", 1000], ["run", "posted", 10000],
        ["run, 2,000/s", "posted", 1000], ["run, 2,000/s", "posted", 10000]]
    assert all(row[3] == row[4] == row[5] > 0 for row in rows)


def test_cumulative():
    bins = [[ns, 1] for ns in range(1000)]
    points = data.cumulative(bins)
    assert len(points) == data.CDF_POINTS
    assert points[0] == (0, 0.001) and points[-1] == (999, 1)
    assert data.cumulative([[5, 3], [7, 1]]) == [(5, 0.75), (7, 1)]


def test_the_cdf_is_of_the_most_disks(tmp_path):
    chart = charts_of(read(tmp_path, synthetic.bench()))["cdf"]
    assert chart["constants"].startswith("8 disks")
    for mode in synthetic.MODES:
        shares = [row[3] for row in chart["rows"] if row[1] == mode]
        assert shares == sorted(shares) and shares[-1] == 1


@pytest.mark.parametrize("ns", [0, 1, 9, 10, 11, 12345, 10 ** 9, 10 ** 12])
def test_a_time_lies_in_its_cell(ns):
    _, low, high = data.cell_of(ns)
    assert low <= ns < high or ns < low == 1


def test_the_heat_maps_columns_are_whole(tmp_path):
    chart = charts_of(read(tmp_path, synthetic.bench()))["heat"]
    assert chart["x"] == "iodepth"
    sums = {}
    for _, mode, x, _, _, share in chart["rows"]:
        sums[mode, x] = sums.get((mode, x), 0) + share
    assert len(sums) == 4 * 5
    assert all(total == pytest.approx(1) for total in sums.values())


# ---- instructions ----

def model(**regions):
    return {"regions": {name: {"entries": 1, "instructions": n} for name, n in regions.items()}}


def test_stages(tmp_path):
    path = synthetic.write(tmp_path / "count.jsonl", synthetic.job(mode="remapped"))
    counted = extras.count_of(model(submit=100000, device=50000, notification=25000, idle=10 ** 9,
                                    other=10 ** 9, progress=5), path)
    mode, stages, _ = counted
    assert mode == "remapped"
    assert stages == {"submit": 2, "reap": 0, "callback": 0, "loop": 0, "harvest": 0,
                      "interrupt": 1.5}
    assert extras.busy([counted]) == {"remapped": 3.5}


def test_counts_that_are_none(tmp_path):
    path = synthetic.write(tmp_path / "count.jsonl", synthetic.job())
    for odd in ({}, {"regions": []}, {"regions": {"submit": {"instructions": -1}}}):
        with pytest.raises(capture.CaptureError, match="the model's counts"):
            extras.count_of(odd, path)
    path = synthetic.write(tmp_path / "none.jsonl", synthetic.job("nvme0n1"))
    with pytest.raises(capture.CaptureError, match="no job of all disks"):
        extras.count_of(model(), path)


def burst(start, step):
    """Two vectors in a notification; each handler takes `step`."""
    return [[start, "notify", 0], [start + 1, "post", 32], [start + 2, "post", 33],
            [start + 3, "eoi", 0],
            [start + 4, "handler", 32], [start + 4 + step, "handler-end", 32],
            [start + 5 + step, "handler", 33], [start + 5 + 2 * step, "handler-end", 33],
            [start + 9 + 2 * step, "sleep", 0]]


def test_the_timeline_is_of_the_shortest_burst(tmp_path):
    events = [*burst(1000, 500), *burst(9000, 40), *burst(20000, 300)]
    path = synthetic.write(tmp_path / "t.jsonl", [
        {"type": "trace", "cpu": 0, "tsc_hz": 10 ** 9, "lost": 0, "events": events},
        {"type": "job", "filename": "all", "irq": "posted"}])
    chart = extras.timeline_chart([path])
    assert chart["title"] == "One burst of 2 MSIs"
    assert chart["rows"][0] == ["posted", "interrupt", "notification", 0, pytest.approx(0.003)]
    assert chart["rows"][-1] == ["posted", "handler", "handler vector 21h", pytest.approx(0.045),
                                 pytest.approx(0.085)]


def test_a_trace_without_a_burst(tmp_path):
    path = synthetic.write(tmp_path / "trace.jsonl", synthetic.job())
    with pytest.raises(capture.CaptureError, match="holds no trace"):
        extras.timeline_chart([path])


# ---- accelerators ----

def accelerators(**more):
    return {"type": "dsa_job", "irq": "posted", "loops": 4, "op": "memfill", "bs": 4096, "iodepth": 32,
            "devices": 2, "wqs": 2, "cpus": 1, "submitted": 10, "completed": 10, "errors": 0,
            "verify_errors": 0, "twice": 0, "runtime": 1, "completions_per_s": 2500000,
            "bw_bytes": 10 ** 9, "msis": 4, "notifications": 2, "notifications_per_completion": 0.2,
            "cycles_per_completion": 700, "reads": 0, **more}


def test_accelerators_are_a_table(tmp_path):
    found = read(tmp_path, [*synthetic.machine(), accelerators(),
                            accelerators(irq="adaptive", loops=3), accelerators(irq="carrier pigeon"),
                            {"type": "end", "status": "ok"}])
    assert found.holds_results
    assert len(found.left_out) == 1
    chart = charts_of(found)["accelerators"]
    assert chart["rows"] == [
        ["run", mode, "memfill of 4096, depth 32, 2 queues of 2, 1 CPU", 2.5, 8.0, 0.2, 700]
        for mode in ("posted, 4 loops", "adaptive")]
    assert "accelerators" not in charts_of(read(tmp_path, synthetic.bench(), "other"))
