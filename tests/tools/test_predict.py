# SPDX-License-Identifier: BSD-2-Clause
"""tools/predict: it finds the published posted rows again from the remapped ones, or is silent."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from report import predict

# As published: reads a second of each disk, and of four disks together by block size.
POSTED = {4: 2.023e6, 8: 1.943e6}
SIZES = {4: 8778e3, 8: 5896e3, 16: 2900e3, 32: 1520e3, 128: 398e3}


@pytest.mark.parametrize("disks", POSTED)
def test_posted_rows_by_disks(disks):
    rate, _ = predict.of_a_disk(predict.calibrate(), "posted", disks)
    assert rate == pytest.approx(POSTED[disks], rel=0.10)


@pytest.mark.parametrize("kib", SIZES)
def test_posted_rows_by_block_size(kib):
    rate, _ = predict.of_a_disk(predict.calibrate(), "posted", 4, kib * 1024)
    assert 4 * rate == pytest.approx(SIZES[kib], rel=0.10)


def test_all_of_them_are_in_the_check():
    held = [row["published"] for row in predict.check(predict.calibrate()) if row["held"]]
    assert set(held) >= {*POSTED.values(), *SIZES.values()}


def test_it_knows_the_remapped_rows_alone(monkeypatch):
    before = predict.calibrate()
    for name, rows in (("POSTED", {4: 1.0}), ("SIZES_POSTED", {4096: 1.0}), ("POLLED", 1.0)):
        monkeypatch.setattr(predict, name, rows)
    assert predict.calibrate() == before
    remapped = {n: 0.9 * rate for n, rate in predict.REMAPPED.items()}
    assert predict.calibrate(remapped).alone == pytest.approx(0.9 * before.alone)


@pytest.mark.parametrize("remapped, words", [
    ({2: 1.7e6, 4: 1.136e6, 8: 0.834e6}, r"posted, 4 disks, each: the model is -16% off"),
    ({2: 1.991e6, 4: 1.136e6, 8: 0.5e6}, r"remapped, 4 disks"),
])
def test_nothing_is_predicted_from_what_it_cannot_find_again(remapped, words):
    with pytest.raises(predict.PredictError, match=words):
        predict.predict(model=predict.calibrate(remapped))


def test_modes_are_in_order():
    by = {(row["mode"], row["disks"]): row for row in predict.predict()}
    for disks in (2, 4, 8, 24):
        rates = [by[mode, disks]["iops"] for mode in ("remapped", "posted", "adaptive")]
        assert rates == sorted(rates)
        assert by["adaptive", disks]["iops"] == by["poll", disks]["iops"]
    assert by["remapped", 24]["per_disk"] < by["remapped", 8]["per_disk"]
    assert [row["beyond"] for row in predict.predict() if row["mode"] == "poll"] == \
        [False] * 3 + [True] * 4


def test_instructions_are_cores():
    rows = predict.predict({"adaptive": 56.0})
    adaptive, poll = ([row for row in rows if row["mode"] == mode] for mode in ("adaptive", "poll"))
    assert adaptive[0]["cores"] == pytest.approx(poll[0]["cores"] / 2)
    assert poll[1]["cores"] == pytest.approx(12.704e6 * 112 / 2.7e9, rel=1e-3)


def test_the_instructions_are_those_of_the_document():
    text = (ROOT / "docs/performance.md").read_text()
    names = next(line for line in text.splitlines() if line.startswith("| region |")).split("|")
    counts = next(line for line in text.splitlines() if "**busy, for each read**" in line)
    counts = dict(zip((name.strip() for name in names), counts.replace("*", "").split("|")))
    for mode, n in predict.INSTRUCTIONS.items():
        assert float(counts[mode]) == pytest.approx(n, rel=0.02)


def run(*args):
    return subprocess.run([ROOT / "tools/predict", *args], capture_output=True, text=True)


def test_what_it_prints(tmp_path):
    done = run("--json", tmp_path / "p.json")
    assert (done.returncode, done.stderr) == (0, "")
    assumed, checked, predicted = done.stdout.split("\n\n")
    assert "1.991 million" in assumed and "a bound, and no measurement" in assumed
    assert "not held to it" in checked and "-9.3%" in checked
    assert predicted.startswith("predicted") and "adaptive" in predicted
    data = json.loads((tmp_path / "p.json").read_text())
    assert len(data["predicted"]) == 28 and len(data["assumptions"]) == len(assumed.splitlines())


def test_odd_instructions():
    assert run("--instructions", "nan").returncode == 2
    assert "between 1 and 1000000" in run("--instructions", "0").stderr
