# SPDX-License-Identifier: BSD-2-Clause
"""onebell-dsa as a device of a machine: configuration space, options, several of them, behind a root port."""
import json

import pytest

from dsa import (ENGCAP, FILL, GENCAP, GRPCAP, MOVE, NOOP, OTHER, VERSION, WQCAP, Accelerator,
                 machine)
from qtest_machine import Machine, bdf


def test_configuration_space():
    with machine() as m:
        at = bdf(0, 8)
        assert m.config_read(at, 0) == 0x0B258086
        assert m.config_read(at, 8) >> 16 == 0x0880
        assert m.config_read(at, 0x2C) == 0x4F421AF4
        dsa = Accelerator(m)
        kind = m.config_read(at, dsa.capability(0x10)) >> 20 & 15
        assert kind == 9, "not a root complex integrated endpoint"
        assert m.config_read(at, dsa.capability(0x11)) >> 16 & 0x7FF == 9 - 1
        with pytest.raises(AssertionError):
            dsa.capability(0x05)  # MSI


def test_capabilities_follow_the_options():
    with machine(wqs=3, groups=2, engines=5, total_size=40, max_transfer=16, max_batch=4, opcfg="on") as m:
        dsa = Accelerator(m)
        assert dsa.read(VERSION) == 0x100
        assert dsa.read(GENCAP, 8) >> 16 & 0x1FF == 4 << 5 | 16
        assert dsa.read(WQCAP, 8) & 0xFFFFFFF == 1 << 24 | 3 << 16 | 40
        assert dsa.read(GRPCAP, 8) & 0xFF == 2 and dsa.read(ENGCAP, 8) == 5
        assert dsa.wqcfg_bytes == 64


def test_tables_do_not_overlap():
    with machine(wqs=64, groups=16, vectors=64, opcfg="on") as m:
        dsa = Accelerator(m)
        spans = sorted([(dsa.permissions, 64 * 8), (dsa.groups, 16 * 64), (dsa.wqs, 64 * 64),
                        (0x4000, 64 * 16), (0x5000, 8), (0, 0x198)])
        assert all(a + size <= b for (a, size), (b, _) in zip(spans, spans[1:]))


def test_two_devices(tmp_path):
    file = tmp_path / "json"
    with machine(2, f",json={file}") as m:
        a, b = Accelerator(m).bring_up(), Accelerator(m, 1).bring_up()
        assert b.status(op=FILL, source=0x55, destination=OTHER, size=1) == 1
        assert a.status(op=MOVE, source=OTHER, destination=OTHER + 1, size=1) == 1
        assert b.status(op=NOOP) == 1
        assert m.read(OTHER, 2) == 0x5555
    told = json.loads(file.read_text())["dsa"]
    assert {d["id"]: (d["submitted"], d["completed"], d["failed"]) for d in told} == {
        "dsa0": (1, 1, 0), "dsa1": (2, 2, 0)}


def test_behind_a_root_port():
    devices = ["pcie-root-port,id=rp,addr=8,chassis=1", "onebell-dsa,id=dsa0,bus=rp"]
    with Machine(devices=devices) as m:
        m.config_write(bdf(0, 8), 0x18, 0x010100)  # bus 1 behind it
        m.config_write(bdf(0, 8), 0x20, 0xE7F0E000)
        m.config_write(bdf(0, 8), 0x24, 0xE7F1E001)  # prefetchable
        m.config_write(bdf(0, 8), 0x04, 6, 2)
        dsa = Accelerator(m, address=bdf(1, 0))
        assert m.config_read(dsa.bdf, dsa.capability(0x10)) >> 20 & 15 == 0, "not an endpoint"
        dsa.bring_up()
        assert dsa.status(op=NOOP) == 1


def test_a_device_that_comes_late():
    devices = ["pcie-root-port,id=rp,addr=8,chassis=1"]
    with Machine(devices=devices) as m:
        m.qmp("device_add", driver="onebell-dsa", id="late", bus="rp", wqs="2")
        m.qmp("qom-set", path="/machine/peripheral/late", property="plant", value="never:3")


@pytest.mark.parametrize("option, value", [
    ("wqs", "0"), ("wqs", "65"), ("engines", "x"), ("total-size", "-1"), ("max-batch", "16"),
    ("handles", "perhaps"), ("plant", "nonsense"), ("plant", "twice:0"), ("halt", "software"),
    ("revoke", "on"), ("nothing", "1")])
def test_a_wrong_option(option, value):
    with pytest.raises(AssertionError, match=option):
        machine(**{option: value})


def test_limits_stand_once_there_is_a_machine():
    with machine() as m:
        dsa = Accelerator(m)
        for name, value in (("wqs", "4"), ("ats", "on"), ("revoke", "on"), ("halt", "cold")):
            with pytest.raises(AssertionError):
                dsa.set(name, value)
