# SPDX-License-Identifier: BSD-2-Clause
"""LAVA and labgrid run the files of tools/ against machines in QEMU."""
import json
import socket
import subprocess
import threading

import pytest
from bmc import Played
from conftest import synthetic
from labs import (DEADLINE, PLACE, ROOT, LabgridRun, LavaRun, labgrid_in_qemu, lava_in_qemu, need_labgrid,
                  need_lava)

WRONG = "irq=posted rw=randread bs=1"  # ends in an error


@pytest.fixture(scope="module")
def lava(tmp_path_factory):
    need_lava()
    return lava_in_qemu(tmp_path_factory.mktemp("lava"))


@pytest.fixture(scope="module")
def labgrid(tmp_path_factory):
    need_labgrid()
    return labgrid_in_qemu(tmp_path_factory.mktemp("labgrid"))


def test_lava(lava):
    assert lava.status == 0, lava.log
    assert lava.results == {"job": "pass", "run": "pass"}
    assert set(lava.lava.values()) == {"pass"}
    assert '"status":"ok"' in lava.json.read_text().splitlines()[-1]


def test_lava_sees_an_error(tmp_path):
    need_lava()
    run = lava_in_qemu(tmp_path, words=WRONG)
    assert run.results == {"run": "fail"}
    assert run.lava["lava-test-monitor"] == "pass"  # it found an end


def test_lava_reads_ktap(tmp_path):
    need_lava()
    run = lava_in_qemu(tmp_path, job="posting")
    assert run.status == 0, run.log
    assert set(run.results.values()) == {"pass"} and len(run.results) >= 40
    assert {"posted", "sn_suppresses", "fault_28_descriptor"} < set(run.results)
    assert "table_changed_alone" not in run.results  # skipped


def test_labgrid(labgrid):
    assert labgrid.status == 0, labgrid.said
    assert "2 passed" in labgrid.said
    assert '"type":"end","status":"ok"' in labgrid.json.read_text()


def test_labgrid_sees_an_error(tmp_path):
    need_labgrid()
    run = labgrid_in_qemu(tmp_path, words=WRONG)
    assert run.status == 1
    assert "1 failed, 1 passed" in run.said and "bs=1" in run.said


# ---- a server, by its BMC and a console server ----

FIGURES = synthetic.job("nvme0n1", iops=20000.25) + synthetic.job(iops=41000.5)
CONSOLE = ["Onebell: 1536 KiB of kernel at 0x3e4d7000; leaving firmware", "irq=posted, up 264 ms after firmware",
           "job: 1.0 of 1.0 s: 21,140 IOPS, 86.5 MB/s", *synthetic.lines(FIGURES),
           "selftest moves: ok: 2,000 moves under 7 reads", "job: failed: 3 errors", "run: failed, ended"]


@pytest.fixture
def server(rack):
    pytest.importorskip("sushy", reason="sushy is not installed (package python3-sushy)")
    bmc = rack.machine("node1", machine=Played(CONSOLE), keys={"url": "http://web.example/onebell.iso"}.items())
    rack.write()
    return bmc


def test_lava_and_a_server(server, rack):
    need_lava()
    run = LavaRun(rack.folder, "server", "server", {"telnet console.example 7001": f"tail -c +1 -F {server.console}",
                                          f"{PLACE}/rack.toml": rack.folder / "rack.toml", PLACE: ROOT})
    assert run.results == {"selftest_moves": "pass", "job": "fail", "run": "fail"}, run.log
    assert run.measured == {"nvme0n1": 20000.25, "all": 41000.5}
    assert [did for did in server.did if isinstance(did, str)] == ["InsertMedia", "On", "EjectMedia", "ForceOff"]


@pytest.fixture
def console_server(server):
    """A port that says what came on the machine's console, and what will come."""
    said = []

    def serve():
        with listening.accept()[0] as one:
            said.append(subprocess.Popen(["tail", "-c", "+1", "-F", server.console], stdout=one))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
    for tail in said:
        tail.kill()
        tail.wait()


def test_labgrid_and_a_server(server, console_server, rack):
    need_labgrid()

    def edit(target):
        target["resources"]["NetworkSerialPort"] |= {"host": "127.0.0.1", "port": console_server}
        power = target["drivers"]["ExternalPowerDriver"]
        for key, command in power.items():
            power[key] = command.replace("tools/", f"{ROOT}/tools/").replace("rack.toml",
                                                                             f"{rack.folder}/rack.toml")

    run = LabgridRun(rack.folder, "server", edit)
    assert run.status == 1 and "2 failed" in run.said, run.said
    assert "job: failed: 3 errors" in run.said
    assert [did for did in server.did if isinstance(did, str)] == ["InsertMedia", "On", "EjectMedia", "ForceOff"]


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
