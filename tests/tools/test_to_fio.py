# SPDX-License-Identifier: BSD-2-Clause
"""tools/to-fio: fio's own tool reads what it makes, and fio-plot finds what it looks for."""
import csv
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import synthetic

ROOT = Path(__file__).resolve().parents[2]


def to_fio(*args):
    return subprocess.run([ROOT / "tools/to-fio", *args], capture_output=True, text=True,
                          timeout=60)


def converted(tmp_path, objects):
    out = tmp_path / "fio.json"
    done = to_fio(synthetic.write(tmp_path / "com2.jsonl", objects), out)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(out.read_text())


WHOLE = [*synthetic.machine(), *synthetic.row("disks", 3, "adaptive", disks=8),
         *synthetic.row("depth", 0, "posted", iodepth=1), *synthetic.job("nvme0n1"),
         *synthetic.job(), {"type": "end", "status": "ok"}]


def test_fios_own_tool_reads_it(tmp_path):
    assert shutil.which("fio_jsonplus_clat2csv"), "install Debian's fio: tools/setup.sh"
    fio = converted(tmp_path, WHOLE)
    assert len(fio["jobs"]) == 4
    command = ["fio_jsonplus_clat2csv", tmp_path / "fio.json", tmp_path / "fio.csv"]
    for more in [], ["--validate"]:
        done = subprocess.run([*command, *more], capture_output=True, text=True)
        assert done.returncode == 0 and "mismatch" not in done.stdout, done.stdout + done.stderr
    assert done.stdout.count(" validated\n") == 4

    with open(tmp_path / "fio_job1.csv") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    bins = {o: n for line in WHOLE if line.get("table") == "disks" and line["type"] == "bins"
            for o, n in line["bins"].items()}
    assert {r["nsec"]: int(r["read_clat_ns_count"]) for r in rows} == bins
    assert float(rows[-1]["read_clat_ns_percentile"]) == 1


def same_shape(real, made, path=""):
    """All that fio has stands in ours as well, with the same kind of value."""
    if isinstance(real, dict) and not path.endswith(("/bins", "/percentile", "/job options")):
        for key, value in real.items():
            assert key in made, f"{path}/{key} is missing"
            same_shape(value, made[key], f"{path}/{key}")
    elif isinstance(real, (int, float)):
        assert isinstance(made, (int, float)), path
    else:
        assert type(real) is type(made), path


def test_it_has_all_that_fio_has(tmp_path):
    (tmp_path / "data").write_bytes(bytes(1 << 20))
    done = subprocess.run(["fio", "--name=x", "--filename=data", "--size=1m", "--rw=randread",
                           "--output-format=json+"], cwd=tmp_path, capture_output=True, text=True)
    real = json.loads(done.stdout)
    made = converted(tmp_path, WHOLE)
    if real["fio version"] != made["fio version"]:
        pytest.skip(f"{real['fio version']} is here, whose files may hold more")
    same_shape({key: real[key] for key in real if key not in ("jobs", "disk_util")}, made)
    for job in made["jobs"]:
        same_shape(real["jobs"][0], job)


def test_what_a_row_becomes(tmp_path):
    made = converted(tmp_path, WHOLE)
    row = next(o for o in WHOLE if o.get("table") == "disks" and o["type"] == "bench")
    job = next(job for job in made["jobs"] if job["onebell"].get("table") == "disks")
    assert job["jobname"] == "adaptive disks row 3: 8 disks bs=4k iodepth=32"
    options = {"rw": "randread", "bs": "4k", "iodepth": "32", "numjobs": "2"}
    assert options.items() <= job["job options"].items()
    read = job["read"]
    assert read["iops"] == row["iops"]["median"]
    assert (read["iops_min"], read["iops_max"], read["iops_samples"]) == (
        row["iops"]["min"], row["iops"]["max"], 3)
    assert read["bw_bytes"] == row["bw_bytes"] and read["bw"] == row["bw_bytes"] // 1024
    assert read["clat_ns"]["N"] == sum(read["clat_ns"]["bins"].values()) == row["total_ios"]
    assert read["clat_ns"]["percentile"]["99.000000"] == row["clat_ns"]["percentile"]["99.000000"]
    assert read["lat_ns"]["mean"] == read["clat_ns"]["mean"] + row["slat_ns"]["mean"]
    assert read["clat_ns"]["stddev"] > 0
    assert job["write"]["total_ios"] == job["trim"]["total_ios"] == 0
    shares = sum(sum(job[f"latency_{unit}"].values()) for unit in ("ns", "us", "ms"))
    assert shares == pytest.approx(100)
    assert job["onebell"]["notifications"] == row["notifications"]
    assert "usr_cpu" in job["onebell"]["not_measured"]


def test_a_share_lies_in_fios_bucket(tmp_path):
    job = synthetic.job()
    job[1]["bins"] = {"2": 1, "3": 1, "1000": 1, "1001": 1, "999000": 2, "1800000000": 1,
                      "3000000000": 1}
    made = converted(tmp_path, [*job, {"type": "end", "status": "ok"}])["jobs"][0]
    eighth = 12.5
    assert {k: v for k, v in made["latency_ns"].items() if v} == {
        "2": eighth, "4": eighth, "1000": eighth}
    assert {k: v for k, v in made["latency_us"].items() if v} == {"2": eighth, "1000": 2 * eighth}
    assert {k: v for k, v in made["latency_ms"].items() if v} == {
        "2000": eighth, ">=2000": eighth}


def test_jobs_that_write(tmp_path):
    way = {"total_ios": 10, "io_bytes": 40960, "errors": 0, "runtime": 1000, "iops": 10,
           "bw_bytes": 40960, "clat_ns": {"mean": 5, "max": 9, "N": 10, "percentile": {"50.0": 5}}}
    line = synthetic.job(rw="randrw", read=way, write={**way, "total_ios": 7})[0]
    made = converted(tmp_path, [line, {"type": "end", "status": "ok"}])["jobs"][0]
    assert (made["read"]["total_ios"], made["write"]["total_ios"]) == (10, 7)
    line = synthetic.job(rw="randtrim")[0]
    made = converted(tmp_path, [line, {"type": "end", "status": "ok"}])["jobs"][0]
    assert (made["read"]["total_ios"], made["trim"]["total_ios"]) == (0, 50000)


# What fio-plot takes from each job, beside fio's version (its fiolib/jsonparsing).
PLOTTED = ("bw", "iops", "iops_stddev")


def test_folders_for_fio_plot(tmp_path):
    top = tmp_path / "plots"
    objects = [*synthetic.rows(), {"type": "end", "status": "ok"}]
    done = to_fio(synthetic.write(tmp_path / "com2.jsonl", objects), "--fio-plot", top)
    assert (done.returncode, done.stderr) == (0, "")
    depths = {mode: sorted(int(file.stem.split("-")[1])
                           for file in (top / f"{mode}-depth-4disks-4k").iterdir())
              for mode in synthetic.MODES}
    assert depths == dict.fromkeys(synthetic.MODES, [1, 4, 16, 64, 256])
    for file in top.glob("*/*.json"):
        rw, depth, numjobs = file.stem.split("-")
        data = json.loads(file.read_text())
        (job,) = data["jobs"]
        options = {**job["job options"], **data["global options"]}
        assert (options["rw"], options["iodepth"], options["numjobs"]) == (rw, depth, numjobs)
        assert all(isinstance(job["read"][key], (int, float)) for key in PLOTTED)
        assert job["read"]["lat_ns"]["mean"] > 0 and "stddev" in job["read"]["lat_ns"]
        assert {"2", "1000", "2000", ">=2000"} <= set(job["latency_ms"])
        assert {"2", "1000"} <= set(job["latency_us"]) and {"2", "1000"} <= set(job["latency_ns"])
        assert {"usr_cpu", "sys_cpu", "jobname"} <= set(job)


def test_no_name_leaves_its_folder(tmp_path):
    top = tmp_path / "plots"
    objects = [*synthetic.job("../../x/y"), *synthetic.job(rw="../../x"),
               {"type": "end", "status": "ok"}]
    done = to_fio(synthetic.write(tmp_path / "com2.jsonl", objects), "--fio-plot", top)
    assert done.returncode == 0
    assert "rw is '../../x', which this version doesn't know" in done.stderr
    assert sorted(file.name for file in tmp_path.rglob("*.json")) == ["randread-32-1.json"]
    assert [file.parents[1] for file in tmp_path.rglob("*.json")] == [top]
    assert {path.name for path in tmp_path.iterdir()} == {"com2.jsonl", "plots"}


@pytest.mark.parametrize("objects, words", [
    ([], "holds no row of the bench and no job"),
    (['{"type":"job","filename":"all"'], "line 1: cut or damaged JSON"),
])
def test_files_without_results(tmp_path, objects, words):
    done = to_fio(synthetic.write(tmp_path / "com2.jsonl", objects))
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr and "Traceback" not in done.stderr


def test_no_file(tmp_path):
    done = to_fio(tmp_path / "none.jsonl")
    assert done.returncode == 1
    assert done.stderr == f"to-fio: {tmp_path}/none.jsonl: No such file or directory: name a " \
                          "capture of COM2\n"
