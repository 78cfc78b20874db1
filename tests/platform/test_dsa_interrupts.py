# SPDX-License-Identifier: BSD-2-Clause
"""onebell-dsa: MSI-X, its permissions, causes, handles and their revocation (341204-006, 3.7, 9.2.22)."""
import pytest

import vtd
from dsa import (ASK, ENABLE, ENABLE_WQ, GENCTRL, INTCAUSE, INTERRUPT, RECORDS, RELEASE_HANDLE,
                 REQUEST_HANDLE, RESET, Accelerator, machine)

SOFTWARE_ERROR, COMMAND_DONE, OCCUPANCY, REVOKED = 1, 2, 4, 1 << 31


class Wired:
    """A device whose MSI-X entries 0 to 3 post to bits 40 to 43 of a descriptor."""

    def __init__(self, m):
        self.machine, self.unit = m, vtd.Unit(m)
        self.unit.enable()
        self.posts = vtd.Descriptor(m, apic_id=1)
        self.dsa = Accelerator(m)
        self.dsa.msix_on()
        for entry in range(4):
            self.unit.entry(10 + entry, vtd.posted(40 + entry, sid=self.dsa.bdf, svt=vtd.SVT_SID))
            self.dsa.program(entry, 10 + entry)

    def fired(self):
        """Entries whose interrupts came since the last call."""
        entries = {vector - 40 for vector in self.posts.pir()}
        for i in range(0, 64, 8):
            if i != 32:
                self.machine.write(self.posts.address + i, 0, 8)
        return entries


@pytest.fixture
def wired():
    with machine() as m:
        yield Wired(m)


@pytest.fixture
def handles():
    with machine(handles="on", max_handles=3) as m:
        yield Wired(m)


def test_completion_interrupt(wired):
    dsa = wired.dsa.bring_up()
    dsa.run(flags=ASK | INTERRUPT, handle=2)
    dsa.settle()
    assert wired.fired() == {2}
    dsa.run(flags=ASK)
    dsa.settle()
    assert wired.fired() == set()


def test_command_interrupt(wired):
    assert wired.dsa.command(RESET, interrupt=True) == 0
    assert wired.fired() == {0} and wired.dsa.read(INTCAUSE) == COMMAND_DONE
    wired.dsa.write(INTCAUSE, COMMAND_DONE)
    assert wired.dsa.read(INTCAUSE) == 0


def test_the_record_comes_first(wired):
    """With the interrupt's entry masked, it waits; the record doesn't."""
    wired.dsa.program(2, 12, masked=True)
    dsa = wired.dsa.bring_up()
    dsa.run(flags=ASK | INTERRUPT, handle=2)
    dsa.settle()
    assert wired.fired() == set() and dsa.read(0x5000) == 4
    dsa.program(2, 12)
    assert wired.fired() == {2} and dsa.read(0x5000) == 0


def test_permissions(wired):
    dsa = wired.dsa.bring_up()
    dsa.write(dsa.permissions + 8 * 1, 1 << 2)  # ignore
    dsa.write(dsa.permissions + 8 * 2, 1 << 3)  # PASID
    assert dsa.status(flags=ASK | INTERRUPT, handle=1) == 1
    assert dsa.status(flags=ASK | INTERRUPT, handle=2) == 0x19
    assert dsa.status(flags=ASK | INTERRUPT, handle=3) == 1
    dsa.settle()
    assert wired.fired() == {3}


@pytest.mark.parametrize("page, handle", [(0, 9), (1, 0xFFFF), (2, 1), (3, 0)])
def test_handles_that_name_nothing(wired, page, handle):
    """Beyond the table, and all of those that come through the portals for IMS."""
    dsa = wired.dsa.bring_up()
    assert dsa.status(page=page, flags=ASK | INTERRUPT, handle=handle) == 0x19
    dsa.settle()
    low, high = dsa.read(0xC0, 8), dsa.read(0xC8, 8)
    assert low >> 8 & 0xFF == 0x19 and low & 1 << 7 and high >> 32 == handle
    assert wired.fired() == set()


def test_software_error_interrupt(wired):
    dsa = wired.dsa.bring_up()
    for control, fired in ((0, set()), (1, {0})):
        dsa.write(GENCTRL, control)
        for _ in range(2):
            dsa.submit(op=0x99, flags=0, record=0)
            dsa.settle()
        assert wired.fired() == fired
        assert dsa.error() == 0x10 and dsa.read(0xC0) & 2 == 0
    assert dsa.read(INTCAUSE) == SOFTWARE_ERROR


def test_halt_interrupt(wired):
    wired.dsa.bring_up().set("halt", "software")
    assert wired.fired() == set()
    wired.dsa.command(RESET)
    wired.dsa.write(GENCTRL, 2)
    wired.dsa.bring_up().set("halt", "software")
    assert wired.fired() == {0} and wired.dsa.read(INTCAUSE) == 1 << 4


@pytest.mark.parametrize("entry, cause", [(0, OCCUPANCY), (3, 0)])
def test_occupancy_interrupt(wired, entry, cause):
    dsa = wired.dsa
    dsa.write(dsa.wqcfg(0, 16), entry)
    dsa.bring_up()
    dsa.set("hold", "on")
    for i in range(4):
        dsa.submit(record=RECORDS + 32 * i)
    dsa.write(dsa.wqcfg(0, 20), 2 | 1 << 16)
    assert wired.fired() == set()
    dsa.set("hold", "off")
    dsa.settle()
    assert wired.fired() == {entry} and dsa.read(INTCAUSE) == cause
    dsa.run()
    assert wired.fired() == set(), "not again until it is acknowledged"
    dsa.write(dsa.wqcfg(0, 24), 1 << 16)
    assert wired.fired() == {entry}, "the queue is still that empty"


# ---- handles that must be asked for ----


def test_handles(handles):
    dsa = handles.dsa.bring_up()
    assert dsa.command(REQUEST_HANDLE, 2) == 0
    handle = dsa.result
    assert handle != 2
    assert dsa.status(flags=ASK | INTERRUPT, handle=2) == 0x19
    assert dsa.status(flags=ASK | INTERRUPT, handle=handle) == 1
    dsa.settle()
    assert handles.fired() == {2}
    assert dsa.command(RELEASE_HANDLE, 2) == 0
    assert dsa.status(flags=ASK | INTERRUPT, handle=handle) == 0x19


def test_a_handle_that_is_asked_for_again(handles):
    """It is the same one (figure 7-3), and work with it goes on; not so once it was released or revoked."""
    dsa = handles.dsa.bring_up()
    assert dsa.command(REQUEST_HANDLE, 1) == 0
    handle = dsa.result
    dsa.set("hold", "on")
    dsa.submit(flags=ASK | INTERRUPT, handle=handle)
    assert dsa.command(REQUEST_HANDLE, 1) == 0 and dsa.result == handle
    assert dsa.command(REQUEST_HANDLE, 2) == 0 and dsa.result != handle
    dsa.set("hold", "off")
    assert dsa.record()[0] == 1
    seen = {handle, dsa.result}
    for _ in range(3):
        dsa.set("revoke", "on")
        assert dsa.command(REQUEST_HANDLE, 1) == 0 and dsa.result not in seen
        seen.add(dsa.result)
        assert dsa.command(RELEASE_HANDLE, 1) == 0
        assert dsa.command(REQUEST_HANDLE, 1) == 0 and dsa.result not in seen
        seen.add(dsa.result)
    assert dsa.command(RESET) == dsa.command(REQUEST_HANDLE, 1) == 0 and dsa.result not in seen


def test_handles_without_end(handles):
    """When all numbers of an entry have been, they begin anew."""
    dsa = handles.dsa.bring_up()
    seen = []
    while seen.count(seen[0] if seen else 0) < 2:
        assert dsa.command(REQUEST_HANDLE, 1) == 0 and dsa.result > 0x1000
        seen.append(dsa.result)
        assert dsa.status(flags=ASK | INTERRUPT, handle=dsa.result) == 1
        dsa.set("revoke", "on")
    assert len(seen) > 500


def test_handles_run_out(handles):
    dsa = handles.dsa
    for entry in range(3):
        assert dsa.command(REQUEST_HANDLE, entry) == 0
    assert dsa.command(REQUEST_HANDLE, 3) == 0x42
    assert dsa.command(REQUEST_HANDLE, 2) == 0, "it has it already"
    assert dsa.command(RELEASE_HANDLE, 1) == 0
    assert dsa.command(REQUEST_HANDLE, 3) == 0


@pytest.mark.parametrize("command", [REQUEST_HANDLE, RELEASE_HANDLE])
def test_entries_that_there_are_not(handles, command):
    assert handles.dsa.command(command, 9) == handles.dsa.command(command, 1 << 16) == 0x41


def test_revocation(handles):
    dsa = handles.dsa.bring_up()
    assert dsa.command(REQUEST_HANDLE, 1) == 0
    old = dsa.result
    dsa.set("revoke", "on")
    assert handles.fired() == {0} and dsa.read(INTCAUSE) == REVOKED
    dsa.write(INTCAUSE, REVOKED)
    assert dsa.status(flags=ASK | INTERRUPT, handle=old) == 0x19
    assert handles.fired() == set()
    assert dsa.command(REQUEST_HANDLE, 1) == 0 and dsa.result != old
    new = dsa.result
    assert dsa.status(flags=ASK | INTERRUPT, handle=old) == 0x19
    assert dsa.status(flags=ASK | INTERRUPT, handle=new) == 1
    dsa.settle()
    assert handles.fired() == {1}


def test_occupancy_with_handles(handles):
    dsa = handles.dsa
    dsa.write(dsa.wqcfg(0, 16), 1)
    dsa.configure_wq()
    dsa.configure_group()
    assert dsa.command(ENABLE) == 0 and dsa.command(ENABLE_WQ) == 0x2B
    assert dsa.command(REQUEST_HANDLE, 1) == 0
    dsa.write(dsa.wqcfg(0, 16), dsa.result)
    dsa.write(dsa.wqcfg(0, 20), 1 << 16)
    assert handles.fired() == set(), "the queue is Disabled"
    assert dsa.command(ENABLE_WQ) == 0
    assert handles.fired() == {1}
