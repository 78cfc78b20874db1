# SPDX-License-Identifier: BSD-2-Clause
"""app=bench: its rows, its JSON, and that no disk and no machine makes it fail as a whole."""

import pytest

from conftest import launch, stamped

POSTING = ["remapped", "posted", "adaptive", "poll"]
QUICK = "app=bench bench=quick repeats=2 runtime=20ms"
FIGURES = ("iops", "cycles_per_io", "busy")


def null_disks(count):
    return [launch.Disk(size="64m", null=True) for _ in range(count)]


def bins_of(run, row, of):
    """All lines of a histogram, as one."""
    lines = run.of("bins", table=row["table"], row=row["row"], of=of)
    assert [line["part"] for line in lines] == list(range(len(lines)))
    assert all(line["parts"] == len(lines) for line in lines)
    bins = [(int(ns), count) for line in lines for ns, count in line["bins"].items()]
    assert [ns for ns, _ in bins] == sorted({ns for ns, _ in bins})
    return bins


def check_latency(run, row, of):
    latency, bins = row[of], bins_of(run, row, of)
    assert sum(count for _, count in bins) == latency["N"]
    mean = sum(ns * count for ns, count in bins) / latency["N"]
    assert abs(mean - latency["mean"]) <= 0.02 * mean + 1
    percentiles = [latency["percentile"][name] for name in sorted(latency["percentile"], key=float)]
    assert percentiles == sorted(percentiles) and percentiles[-1] <= latency["max"]


def check_row(run, row, cpus):
    assert (row["errors"], row["cpus"]) == (0, cpus)
    assert row["total_ios"] == row["clat_ns"]["N"] > 0
    for name in FIGURES:
        assert 0 <= row[name]["min"] <= row[name]["median"] <= row[name]["max"], name
    assert row["busy"]["max"] <= 1000
    assert row["bw_bytes"] == row["iops"]["median"] * row["bs"]
    assert row["msis"] > 0
    assert abs(row["notifications_per_msi"] - row["notifications"] / row["msis"]) <= 0.001
    assert (row["irq"] in ("remapped", "msi")) <= (row["notifications"] == row["msis"])
    assert (row["irq"] == "poll") <= (row["notifications"] == 0)
    check_latency(run, row, "clat_ns")
    timed = row["table"] in ("latency", "background", "rate")
    assert ("slat_ns" in row) == timed
    if timed:
        check_latency(run, row, "slat_ns")
    assert ("background" in row) == (row["table"] == "background")


def check(run, cpus=2):
    """Each row that was planned, in order; what they say of themselves."""
    plan, rows = run.one("bench_plan"), run.of("bench")
    assert [row["row"] for row in rows] == list(range(plan["rows"]))
    assert [table for table in plan["tables"] if any(row["table"] == table for row in rows)] == \
        list(dict.fromkeys(row["table"] for row in rows))
    for row in rows:
        assert (row["repeats"], row["runtime"]) == (plan["repeats"], plan["runtime_each"])
        check_row(run, row, cpus)
    run.line(f"bench: ok: {plan['rows']} of {plan['rows']} rows in .*; nothing was written")
    return rows


def values(rows, table, key):
    return list(dict.fromkeys(row[key] for row in rows if row["table"] == table))


def check_tables(run, rows):
    """For people: a line for each value that is varied, with a column for each mode."""
    for table in {"disks", "bs", "depth"}:
        key = "iodepth" if table == "depth" else table
        heads = run.line(f"^ *{key} +{rows[0]['irq']}.*").split()
        assert heads == [key, *values(rows, table, "irq")]
    for row in rows:
        if row["table"] == "disks":
            iops = f"{row['iops']['median']:,}"
            assert run.console.count(f" {iops} ") + run.console.count(f" {iops}\n") >= 2, row


@pytest.mark.timeout(240)
def test_quick_with_eight_disks(boot):
    run = boot(f"{QUICK} irq=posted", disks=null_disks(8), deadline=180).ended_well()
    rows = check(run)
    assert values(rows, "disks", "disks") == [1, 4, 8]
    assert values(rows, "bs", "bs") == [4096, 16384, 131072]
    assert values(rows, "depth", "iodepth") == [1, 8, 128]
    assert values(rows, "loops", "loops") == [1, 3, 8]
    assert values(rows, "latency", "rate_iops") == [1000, 10000, 100000]
    assert values(rows, "background", "rate_iops") == [10000]
    for table in ("disks", "bs", "depth", "latency", "background"):
        assert values(rows, table, "irq") == POSTING
    assert values(rows, "loops", "irq") == ["posted"]
    assert all(row["background"]["counted_per_s"]["min"] > 0 for row in run.of("bench", table="background"))
    check_tables(run, rows)
    msis = sum(row["msis"] for row in rows)
    assert msis <= run.model["passed"] + run.model["posted"]
    assert msis >= 0.9 * (run.model["passed"] + run.model["posted"] - run.model["repeated"])
    assert sum(row["notifications"] for row in rows if row["irq"] not in ("remapped", "poll")) \
        <= run.model["notified"]


def test_a_budget_of_notifications(boot):
    """posted.rate= on and off by turns: who stays below it has no notification less, who doesn't has."""
    run = boot("app=bench bench=rate posted.rate=2000 repeats=1 runtime=300ms irq=posted",
               disks=null_disks(2)).ended_well()
    rows = check(run)
    assert [(row["irq"], row["posted_rate"]) for row in rows[:4]] == [
        ("posted", 0), ("posted", 2000), ("adaptive", 0), ("adaptive", 2000)]
    assert values(rows, "rate", "rate_iops") == [1000, 10000, 0]
    below = [row for row in rows if row["rate_iops"] == 1000]
    assert all(row["notifications"] > 0 for row in below)
    assert all(row["moderated"] <= 0.1 * row["notifications"] for row in below)
    heads = run.line("^ *IOPS +posted .*").split()
    assert heads == ["IOPS", "posted", "at", "2,000/s", "adaptive", "at", "2,000/s"]
    free, kept = (row for row in rows if row["irq"] == "posted" and row["rate_iops"] == 0)
    assert free["moderated"] == 0 < kept["moderated"]
    assert kept["notifications_per_s"] < min(free["notifications_per_s"] / 2, 2 * 2000)


def test_a_budget_is_needed_for_its_table(boot):
    boot("app=bench bench=rate", cpus=1, disks=null_disks(1)).failed("bench-rate")


def test_three_disks_of_4096_byte_blocks(boot):
    disks = [launch.Disk(size="16m", lbas=[4096]) for _ in range(3)]
    run = boot("app=bench bench=disks repeats=2 runtime=20ms irq=adaptive", disks=disks).ended_well()
    rows = check(run)
    assert values(rows, "disks", "disks") == [1, 2, 3]
    assert values(rows, "disks", "irq") == POSTING


@pytest.mark.parametrize("options, words, modes", [
    ({"model": False}, "irq=remapped", ["remapped"]),
    ({"iommu": ""}, "irq=msi", ["msi"]),
])
def test_a_machine_that_cannot_post(boot, options, words, modes):
    run = boot(f"app=bench bench=quick repeats=1 runtime=20ms {words}", cpus=1, disks=null_disks(1),
               **options).ended_well()
    rows = check(run, cpus=1)
    assert {row["irq"] for row in rows} == set(modes)
    assert values(rows, "disks", "disks") == [1]
    assert run.of("bench", table="loops") == []


def test_a_disk_with_errors(boot, tmp_path):
    """Its row goes, the run doesn't."""
    errors = tmp_path / "errors"
    errors.write_text('[inject-error]\nevent = "read_aio"\nerrno = "5"\nonce = "off"\n')
    disks = stamped(3)
    disks[1].errors = errors
    run = boot("app=bench bench=disks repeats=2 runtime=20ms", disks=disks).ended_well()
    assert {row["disks"] for row in run.of("bench")} == {1}
    said = [warning["message"] for warning in run.of("warning") if warning["what"].startswith("bench")]
    assert said == [
        "nvme1n1 had errors: table disks, 2 disks, 4 KiB, iodepth 32 is left out, and the bench goes on "
        "without this disk",
        "table disks, 3 disks, 4 KiB, iodepth 32 is left out: only 2 disks are left"]


def test_what_cannot_be_measured_is_an_error(boot):
    disks = [launch.Disk(size="16m", lbas=[4096])]
    boot("app=bench bench=depth bs=512", cpus=1, disks=disks).failed("bench-nothing")


def test_allowed_writes_are_not_made(boot, tmp_path):
    disk = launch.Disk(size="16m", writable=tmp_path)
    run = boot("app=bench bench=disks repeats=1 runtime=50ms allow-write=OB0001", cpus=1,
               disks=[disk]).ended_well()
    check(run, cpus=1)
    assert launch.copy_of(disk, 0, 1).read_bytes() == launch.image_of(disk, 0, 1).read_bytes()
