# SPDX-License-Identifier: BSD-2-Clause
"""What the image sends is what tools/report and tools/to-fio read: nothing of it is left out."""
import json
import subprocess
import sys

from conftest import ROOT, launch

from report import capture

FIO = "fio_jsonplus_clat2csv"


def saved(run, path):
    path.write_text("".join(json.dumps(event) + "\n" for event in run.events))
    return path


def null_disks(count):
    return [launch.Disk(size="1g", null=True) for _ in range(count)]


def converted(path, folder):
    """fio's own tool reads what to-fio makes of it."""
    fio = folder / "fio.json"
    commands = [[ROOT / "tools/to-fio", path, fio], [FIO, fio, folder / "fio.csv"],
                [FIO, fio, folder / "fio.csv", "--validate"]]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
    assert "mismatch" not in done.stdout
    return json.loads(fio.read_text())["jobs"]


def test_all_of_the_bench_is_read(boot, tmp_path):
    run = boot("app=bench bench=quick repeats=2 runtime=20ms", cpus=1, disks=null_disks(2),
               deadline=180).ended_well()
    path = saved(run, tmp_path / "bench.jsonl")
    found = capture.read(path)
    assert found.left_out == []
    assert len(found.rows) == found.plan["rows"] == len(run.of("bench")) > 20
    for row in found.rows:
        assert sum(n for _, n in found.bins_of(row)) == row["clat_ns"]["N"] == row["total_ios"]
    assert capture.emulated(found)
    assert len(converted(path, tmp_path)) == len(found.rows)

    done = subprocess.run([sys.executable, "-B", ROOT / "tools/report", "--out", tmp_path, path],
                          capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads((tmp_path / "report.json").read_text())
    charts = {chart["id"] for section in report["sections"] for chart in section["charts"]}
    assert {"iops", "per-msi", "depth", "bandwidth", "loops", "cdf", "heat", "fixed-rate",
            "background", "cycles"} <= charts


def test_a_job_with_its_bins(boot, tmp_path):
    run = boot("irq=posted runtime=200ms bins=1", cpus=1, disks=null_disks(2)).ended_well()
    path = saved(run, tmp_path / "job.jsonl")
    found = capture.read(path)
    assert found.left_out == [] and len(found.jobs) == 3
    for job in found.jobs:
        assert sum(n for _, n in found.bins_of(job)) == job["clat_ns"]["N"]
    jobs = converted(path, tmp_path)
    for job, made in zip(found.jobs, jobs, strict=True):
        assert made["read"]["total_ios"] == job["total_ios"]
        assert sum(made["read"]["clat_ns"]["bins"].values()) == job["clat_ns"]["N"]
