# SPDX-License-Identifier: BSD-2-Clause
"""LAVA and labgrid run the files of tools/ against machines in QEMU."""
import pytest
from labs import LabgridRun, LavaRun, need_labgrid, need_lava

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
