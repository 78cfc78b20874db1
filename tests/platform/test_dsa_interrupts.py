# SPDX-License-Identifier: BSD-2-Clause
"""onebell-dsa: MSI-X, its permissions, causes, handles and their revocation (341204-006, 3.7, 9.2.22)."""
import pytest

import vtd
from dsa import (ASK, DISABLE_WQ, ENABLE, ENABLE_WQ, FILL, GENCTRL, INTCAUSE, INTERRUPT, NOOP, OTHER,
                 RECORDS, RELEASE_HANDLE, REQUEST_HANDLE, RESET, Accelerator, machine)

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
