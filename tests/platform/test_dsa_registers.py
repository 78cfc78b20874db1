# SPDX-License-Identifier: BSD-2-Clause
"""onebell-dsa: which registers can be written when (341204-006, 9.2, tables 9-3, 9-4 and 9-7)."""
import pytest

from dsa import (CMDCAP, DISABLE, ENABLE, ENABLE_WQ, ENGCAP, GENCAP, GENCFG, GENCTRL, GENSTS,
                 GRPCAP, INTCAUSE, OFFSETS, OPCAP, RESET, SWERROR, VERSION, WQCAP, Accelerator,
                 machine)


@pytest.fixture
def dsa():
    with machine() as m:
        yield Accelerator(m)


@pytest.mark.parametrize("at", [VERSION, GENCAP, WQCAP, GRPCAP, ENGCAP, OPCAP, OPCAP + 24, OFFSETS,
                                OFFSETS + 8, GENSTS, CMDCAP, SWERROR + 8, 0x180])
def test_read_only(dsa, at):
    before = dsa.read(at, 8)
    dsa.write(at, ~before & (1 << 64) - 1, 8)
    assert dsa.read(at, 8) == before


def test_operations(dsa):
    assert [dsa.read(OPCAP + i, 8) for i in (0, 8, 16, 24)] == [0x3007F, 0, 0, 0]


def test_widths_of_access(dsa):
    at = dsa.wqcfg(0, 8)
    dsa.write(at, 0x11223301, 4)
    assert [dsa.read(at + i, 1) for i in range(4)] == [0x01, 0x33, 0x22, 0x11]
    dsa.write(at + 1, 0x44, 1)
    assert dsa.read(at) == 0x11224401
    dsa.write(at + 2, 0x1655, 2)
    assert dsa.read(at + 2, 2) == 0x1655 and dsa.read(at) == 0x16554401
    dsa.write(dsa.wqcfg(0, 0), 7 | 5 << 32, 8)
    assert dsa.read(dsa.wqcfg(0, 0), 8) == 7 | 5 << 32


def changed(dsa, at, value):
    """Whether a write of the value arrives."""
    before = dsa.read(at)
    assert before != value
    dsa.write(at, value)
    after = dsa.read(at)
    assert after in (before, value)
    return after == value


# What each part of the configuration is read-only by: the device, the queue, nothing.
FIELDS = {"size": (0, 3), "threshold": (4, 3), "mode": (8, 1 | 2 << 4), "limits": (12, 19 | 4 << 5),
          "handle": (16, 2), "limit": (20, 5)}


@pytest.mark.parametrize("name, disabled, device_on, queue_on", [
    ("size", True, False, False), ("threshold", True, True, True), ("mode", True, True, False),
    ("limits", True, True, False), ("handle", True, True, False), ("limit", True, True, True)])
def test_wqcfg_by_state(dsa, name, disabled, device_on, queue_on):
    offset, value = FIELDS[name]
    for steps, expected in ((0, disabled), (1, device_on), (2, queue_on)):
        assert dsa.command(RESET) == 0
        dsa.configure_wq(0)
        dsa.configure_group()
        for command in ((ENABLE, ENABLE_WQ)[:steps]):
            assert dsa.command(command, 0) == 0
        assert changed(dsa, dsa.wqcfg(0, offset), value) == expected, (name, steps)


def test_occupancy_limit_while_its_interrupt_is_on(dsa):
    at = dsa.wqcfg(0, 20)
    dsa.write(at, 1 << 16 | 5)
    dsa.write(at, 1 << 16 | 6)
    assert dsa.read(at) == 1 << 16 | 5
    dsa.write(at, 7)
    assert dsa.read(at) == 5
    dsa.write(at, 7)
    assert dsa.read(at) == 7


@pytest.mark.parametrize("place", ["gencfg", "wqs", "engines", "flags"])
def test_device_configuration_by_state(dsa, place):
    at = {"gencfg": GENCFG, "wqs": dsa.groups + 64, "engines": dsa.groups + 96,
          "flags": dsa.groups + 104}[place]
    value = 96 | 1 << 12 if place == "gencfg" else 80 << 20 if place == "flags" else 2
    dsa.bring_up()
    assert not changed(dsa, at, value)
    assert dsa.command(DISABLE) == 0
    assert changed(dsa, at, value)


def test_permissions_and_control_at_any_time(dsa):
    dsa.bring_up()
    assert changed(dsa, dsa.permissions + 8, 4) and changed(dsa, GENCTRL, 3)
    dsa.write(dsa.permissions, 0xFFFFFFFF)
    assert dsa.read(dsa.permissions) == 0xFFFFF00C


def test_reserved_bits_stay_zero(dsa):
    for at, mask in ((GENCTRL, 3), (dsa.wqcfg(0, 0), 0xFFFF), (dsa.wqcfg(0, 12), 0x1FF)):
        dsa.write(at, 0xFFFFFFFF)
        assert dsa.read(at) == mask
    dsa.write(dsa.groups + 40, (1 << 64) - 1, 8)
    assert dsa.read(dsa.groups + 40, 8) == 0xFF0FF3F


def test_causes_are_cleared_by_ones(dsa):
    dsa.command(RESET, interrupt=True)
    dsa.write(INTCAUSE, 1)
    assert dsa.read(INTCAUSE) == 2
    dsa.write(INTCAUSE, 2)
    assert dsa.read(INTCAUSE) == 0
