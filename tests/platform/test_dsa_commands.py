# SPDX-License-Identifier: BSD-2-Clause
"""onebell-dsa: states and administrative commands (341204-006, 3.15, 5.1, 5.2, 9.2.12 and table 5-8)."""
import pytest

from dsa import (ABORT_ALL, ABORT_PASID, ABORT_WQ, ACTIVE, CMDCAP, CMDSTATUS, DISABLE, DISABLED,
                 DISABLE_WQ, DRAINING, DRAIN_ALL, DRAIN_PASID, DRAIN_WQ, ENABLE, ENABLED, ENABLE_WQ,
                 GENCAP, GENCFG, GENCTRL, GENSTS, HALTED, INTCAUSE, NOOP, RECORDS, RELEASE_HANDLE,
                 REQUEST_HANDLE, RESET, RESET_WQ, Accelerator, machine)

BUFFERS_ALLOWED = 20  # the field's place in a group's flags


@pytest.fixture
def dsa():
    with machine() as m:
        yield Accelerator(m)


def submit_held(dsa, count, wq=0, first=0):
    """Descriptors that stay in the queue."""
    dsa.set("hold", "on")
    for i in range(first, first + count):
        dsa.submit(wq=wq, record=RECORDS + 32 * i)


def records(dsa, count):
    return [dsa.machine.read(RECORDS + 32 * i, 1) for i in range(count)]


# ---- enable and disable ----


def test_a_life(dsa):
    assert dsa.command(RESET) == 0 and dsa.state == DISABLED
    dsa.bring_up()
    assert dsa.state == ENABLED and dsa.wq_state() == ENABLED
    assert dsa.status(op=NOOP) == 1
    assert dsa.command(DISABLE_WQ, 1) == 0 and dsa.wq_state() == DISABLED and dsa.state == ENABLED
    assert dsa.command(DISABLE) == 0 and dsa.state == DISABLED
    assert dsa.command(ENABLE) == 0, "the configuration is kept"
    assert dsa.command(ENABLE_WQ, 0) == 0


def test_disabling_the_device_disables_its_queues(dsa):
    dsa.bring_up(wqs=2)
    assert dsa.command(DISABLE) == 0
    assert dsa.wq_state(0) == dsa.wq_state(1) == DISABLED


@pytest.mark.parametrize("command, operand, state", [
    (DISABLE, 0, None), (DISABLE_WQ, 1, ENABLED), (DRAIN_WQ, 1, ENABLED), (DRAIN_ALL, 0, ENABLED)])
def test_commands_that_wait(dsa, command, operand, state):
    dsa.bring_up()
    submit_held(dsa, 3)
    dsa.start(command, operand)
    for _ in range(20):
        assert dsa.read(CMDSTATUS) & ACTIVE
    assert dsa.state == (state or DRAINING)
    assert dsa.wq_state() == (ENABLED if command in (DRAIN_WQ, DRAIN_ALL) else DRAINING)
    assert records(dsa, 3) == [0] * 3
    dsa.set("hold", "off")
    assert dsa.finish() == 0 and records(dsa, 3) == [1] * 3


def test_drain_all_waits_for_no_later_descriptor(dsa):
    dsa.bring_up()
    dsa.set("hold", "on")
    dsa.start(DRAIN_ALL)
    dsa.submit()
    assert dsa.finish() == 0 and dsa.occupancy() == 1


@pytest.mark.parametrize("command, operand", [(ABORT_ALL, 0), (ABORT_WQ, 1), (RESET_WQ, 1), (RESET, 0)])
def test_commands_that_abandon(dsa, command, operand):
    dsa.bring_up()
    submit_held(dsa, 3)
    assert dsa.command(command, operand) == 0
    dsa.set("hold", "off")
    assert dsa.command(DRAIN_ALL) == 0
    assert records(dsa, 3) == [0] * 3
    if command in (ABORT_ALL, ABORT_WQ):
        assert dsa.status(op=NOOP) == 1, "the queue goes on"


def test_abort_leaves_other_queues_alone(dsa):
    dsa.bring_up(wqs=2)
    submit_held(dsa, 1, wq=0)
    submit_held(dsa, 1, wq=1, first=1)
    assert dsa.command(ABORT_WQ, 1) == 0
    assert (dsa.occupancy(0), dsa.occupancy(1)) == (0, 1)


def test_queues_above_15():
    with machine(wqs=20) as m:
        dsa = Accelerator(m)
        dsa.configure_wq(17)
        dsa.configure_group(0, 1 << 17, 1)
        assert dsa.command(ENABLE) == 0 and dsa.command(ENABLE_WQ, 17) == 0
        assert dsa.status(wq=17) == 1
        assert dsa.command(DISABLE_WQ, 1 << 16 | 2) == 0 and dsa.wq_state(17) == DISABLED
        assert dsa.command(DRAIN_WQ, 1 << 16 | 1 << 5) == 2, "there is no queue 21"


def test_reset_clears_the_configuration(dsa):
    dsa.bring_up()
    dsa.write(GENCTRL, 3)
    dsa.write(dsa.permissions, 4)
    dsa.program(1, 5)
    assert dsa.command(RESET) == 0
    assert dsa.state == DISABLED and dsa.wq_state() == DISABLED
    assert [dsa.read(dsa.wqcfg(0, at)) for at in (0, 8, 12)] == [0, 0, 0]
    assert dsa.read(dsa.groups, 8) == dsa.read(dsa.groups + 32, 8) == 0
    assert dsa.read(dsa.groups + 40, 8) == 96 << BUFFERS_ALLOWED and dsa.read(GENCFG) == 96
    assert dsa.read(GENCTRL) == dsa.read(dsa.permissions) == 0
    assert dsa.read(0x4000 + 16) == 0xFEE00010 | 5 << 5, "the MSI-X table is preserved"


def test_reset_wq_keeps_its_size(dsa):
    dsa.bring_up(size=9)
    assert dsa.command(RESET_WQ, 3) == 0  # also of one that is disabled
    assert [dsa.read(dsa.wqcfg(0, at)) for at in (0, 8, 12)] == [9, 0, 0]


def test_function_level_reset(dsa):
    dsa.bring_up()
    submit_held(dsa, 2)
    express = dsa.capability(0x10)
    assert dsa.machine.config_read(dsa.bdf, express + 4) & 1 << 28
    dsa.machine.config_write(dsa.bdf, express + 8, 1 << 15, 2)
    dsa.set("hold", "off")
    again = Accelerator(dsa.machine)
    assert again.state == DISABLED and again.read(again.wqcfg(0, 0)) == 0
    assert again.bring_up().status(op=NOOP) == 1


# ---- commands that fail ----


def test_one_command_at_a_time(dsa):
    dsa.bring_up()
    submit_held(dsa, 1)
    dsa.start(DRAIN_ALL)
    dsa.start(DISABLE)
    assert dsa.error() == 0x52
    dsa.set("hold", "off")
    assert dsa.finish() == 0 and dsa.state == ENABLED


@pytest.mark.parametrize("code", [0, REQUEST_HANDLE, RELEASE_HANDLE, 15, 31])
def test_commands_that_there_are_not(dsa, code):
    assert not dsa.read(CMDCAP, 8) >> code & 1
    assert dsa.command(code) == 1


def test_command_capabilities(dsa):
    assert dsa.read(GENCAP, 8) & 1 << 4
    assert dsa.read(CMDCAP, 8) == 0x1FFE
    assert dsa.command(DRAIN_PASID, 7) == dsa.command(ABORT_PASID, 7) == 0


def test_commands_in_the_wrong_state(dsa):
    assert dsa.command(DISABLE) == 0x31
    assert dsa.command(ENABLE_WQ, 0) == 0x20
    for code in (DISABLE_WQ, DRAIN_WQ, ABORT_WQ):
        assert dsa.command(code, 1) == 0x32
    dsa.bring_up()
    assert dsa.command(ENABLE) == 0x10
    assert dsa.command(ENABLE_WQ, 0) == 0x21
    assert dsa.command(DRAIN_WQ, 3) == 0x32, "queue 1 isn't enabled"
    assert dsa.command(ENABLE_WQ, 8) == dsa.command(RESET_WQ, 1 << 8) == 2
    assert dsa.command(ENABLE_WQ, 1 << 8) == 4
    dsa.write(0xA0, 1 << 25 | RESET << 20)
    assert dsa.finish() & 0xFF == 4 and dsa.state == ENABLED


# ---- checks of the device's configuration ----


def two_groups(dsa, first, second, sizes=(1, 1)):
    for wq, size in enumerate(sizes):
        dsa.configure_wq(wq, size=size)
    dsa.configure_group(0, *first)
    dsa.configure_group(1, *second)
    return dsa.command(ENABLE)


@pytest.mark.parametrize("first, second, error", [
    ((1, 1), (2, 2), 0), ((3, 3), (0, 0), 0),
    ((3, 0), (0, 0), 0x15), ((3, 1), (0, 2), 0x15),
    ((3, 1), (2, 2), 0x16), ((1, 1), (0, 0), 0x16), ((7, 1), (0, 0), 0x16), ((0x103, 1), (0, 0), 0x16),
    ((1, 1), (2, 1), 0x17), ((3, 0x11), (0, 0), 0x17)])
def test_groups(dsa, first, second, error):
    assert two_groups(dsa, first, second) == error
    assert dsa.state == (DISABLED if error else ENABLED)


def test_sizes(dsa):
    assert two_groups(dsa, (3, 1), (0, 0), (100, 29)) == 0x14
    assert two_groups(dsa, (3, 1), (0, 0), (100, 28)) == 0


@pytest.mark.parametrize("allowed, reserved, error", [
    (96, 0, 0), (8, 8, 0), (4, 0, 0x18), (8, 9, 0x18), (97, 0, 0x18), (96, 97, 0x18)])
def test_read_buffers(dsa, allowed, reserved, error):
    """Two engines need at least eight."""
    dsa.write(dsa.groups + 40, allowed << BUFFERS_ALLOWED | reserved << 8, 8)
    assert two_groups(dsa, (3, 3), (0, 0)) == error


def test_read_buffers_that_all_groups_reserve(dsa):
    for group in (0, 1):
        dsa.write(dsa.groups + 64 * group + 40, 100 << BUFFERS_ALLOWED | 100 << 8, 8)
    assert two_groups(dsa, (1, 1), (2, 2)) == 0x18


def test_bus_mastering():
    with machine() as m:
        dsa = Accelerator(m, master=False)
        dsa.configure_wq(0)
        dsa.configure_group()
        assert dsa.command(ENABLE) == 0x12


# ---- checks of a queue's configuration ----


@pytest.mark.parametrize("options, error", [
    ({"priority": 0}, 0x23), ({"mode": 0}, 0x26), ({"mode": 1 | 1 << 28}, 0x26), ({"mode": 3}, 0x25),
    ({"batch": 0}, 0x27), ({"batch": 6}, 0x27), ({"transfer": 21}, 0x28), ({}, 0)])
def test_wq_configuration(options, error):
    with machine(max_batch=5, max_transfer=20) as m:
        dsa = Accelerator(m)
        dsa.configure_wq(0, **options)
        dsa.configure_group()
        assert dsa.command(ENABLE) == 0
        assert dsa.command(ENABLE_WQ, 0) == error
        assert dsa.wq_state() == (DISABLED if error else ENABLED)
        assert dsa.command(ENABLE_WQ, 1) == 0x22, "its size is 0"


@pytest.mark.parametrize("word, error", [(9, 0x2B), (1 << 16, 0x2B), (8, 0)])
def test_occupancy_handle(dsa, word, error):
    dsa.configure_wq(0)
    dsa.configure_group()
    dsa.write(dsa.wqcfg(0, 16), word)
    assert dsa.command(ENABLE) == 0 and dsa.command(ENABLE_WQ, 0) == error


def test_operations_by_queue():
    with machine(opcfg="on") as m:
        dsa = Accelerator(m)
        assert dsa.read(dsa.wqcfg(0, 32), 8) == dsa.read(0x40, 8) == 0x3007F
        dsa.configure_wq(0)
        dsa.configure_group()
        assert dsa.command(ENABLE) == 0
        dsa.write(dsa.wqcfg(0, 32), 1 << 7, 8)
        assert dsa.command(ENABLE_WQ, 0) == 0x2D
        dsa.write(dsa.wqcfg(0, 32), 1 << 3, 8)
        assert dsa.command(ENABLE_WQ, 0) == 0
        assert dsa.status(op=NOOP) == 0x10


# ---- halt ----


def test_halt(dsa):
    dsa.bring_up()
    dsa.write(GENCTRL, 2)
    submit_held(dsa, 2)
    dsa.set("halt", "software")
    dsa.set("hold", "off")
    assert dsa.read(GENSTS) == HALTED and dsa.read(INTCAUSE) == 1 << 4
    assert dsa.command(DRAIN_ALL) == dsa.command(ENABLE) == 5
    assert records(dsa, 2) == [0, 0]
    assert dsa.command(RESET) == 0 and dsa.state == DISABLED
    assert dsa.bring_up().status(op=NOOP) == 1


def test_a_halt_that_needs_more(dsa):
    dsa.set("halt", "function")
    assert dsa.read(GENSTS) == HALTED | 1 << 2
    assert dsa.command(RESET) == 5
    dsa.machine.config_write(dsa.bdf, dsa.capability(0x10) + 8, 1 << 15, 2)
    assert Accelerator(dsa.machine).state == DISABLED


def test_bus_mastering_taken_away(dsa):
    dsa.machine.config_write(dsa.bdf, 4, 2, 2)  # of a device that is Disabled: allowed
    assert dsa.state == DISABLED
    dsa.machine.config_write(dsa.bdf, 4, 6, 2)
    dsa.bring_up()
    dsa.machine.config_write(dsa.bdf, 4, 2, 2)
    assert dsa.state == HALTED and dsa.error() == 0x51


def test_a_command_that_never_ends(dsa):
    dsa.set("plant", "stuck")
    dsa.start(RESET)
    for _ in range(50):
        assert dsa.read(CMDSTATUS) & ACTIVE
    dsa.set("plant", "none")
    assert dsa.read(CMDSTATUS) & ACTIVE
    dsa.machine.config_write(dsa.bdf, dsa.capability(0x10) + 8, 1 << 15, 2)
    assert Accelerator(dsa.machine).command(RESET) == 0
