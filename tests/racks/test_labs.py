# SPDX-License-Identifier: BSD-2-Clause
"""LAVA and labgrid run the files of tools/ against machines in QEMU."""
import json
import subprocess

import pytest
from labs import DEADLINE, ROOT, LabgridRun, LavaRun, need_labgrid, need_lava

WRONG = "irq=posted rw=randread bs=1"  # ends in an error


@pytest.fixture(scope="module")
def lava(tmp_path_factory):
    need_lava()
    return LavaRun(tmp_path_factory.mktemp("lava"), "lava")


@pytest.fixture(scope="module")
def labgrid(tmp_path_factory):
    need_labgrid()
    return LabgridRun(tmp_path_factory.mktemp("labgrid"), "labgrid")


def test_lava(lava):
    assert lava.status == 0, lava.log
    assert lava.results == {"job": "pass", "run": "pass"}
    assert set(lava.lava.values()) == {"pass"}
    assert '"status":"ok"' in lava.json.read_text().splitlines()[-1]


def test_lava_sees_an_error(tmp_path):
    need_lava()
    run = LavaRun(tmp_path, "lava", words=WRONG)
    assert run.results == {"run": "fail"}
    assert run.lava["lava-test-monitor"] == "pass"  # it found an end


def test_labgrid(labgrid):
    assert labgrid.status == 0, labgrid.said
    assert "2 passed" in labgrid.said
    assert '"type":"end","status":"ok"' in labgrid.json.read_text()


def test_labgrid_sees_an_error(tmp_path):
    need_labgrid()
    run = LabgridRun(tmp_path, "labgrid", words=WRONG)
    assert run.status == 1
    assert "1 failed, 1 passed" in run.said and "bs=1" in run.said


def test_one_report(lava, labgrid, tmp_path):
    """Of a machine that LAVA ran and one that labgrid ran."""
    done = subprocess.run([ROOT / "tools/fleet", "merge", lava.json, labgrid.json, "--out", tmp_path],
                          capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads((tmp_path / "report.json").read_text())
    assert [run["label"] for run in report["runs"]] == ["lava", "labgrid"]
    assert report["subtitle"] == "2 machines that ran the same job: lava, labgrid."
    rates = next(c for s in report["sections"] for c in s["charts"] if c["id"] == "iops")
    assert {row[0] for row in rates["rows"]} == {"lava", "labgrid"}
    assert "<h3>lava</h3>" in (tmp_path / "index.html").read_text()
