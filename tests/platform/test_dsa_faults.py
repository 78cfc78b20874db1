# SPDX-License-Identifier: BSD-2-Clause
"""onebell-dsa behind the IOMMU (341204-006, 3.13, table 5-6; VT-d 3.6): what is not mapped is not reached,
and the device tells of it as ATS lets it."""
import pytest

import vtd
from dsa import (ASK, BATCH, COMPARE, COPY_CRC, CRC, DATA, FILL, INTERRUPT, MOVE, OTHER, RECORDS, Accelerator,
                 get, machine, put)
from test_dsa_operations import crc32c
from vtd import GCMD, GSTS

TABLES, DID = 0x400000, 5
MAPPED = {0x10000: RECORDS, 0x11000: DATA, 0x12000: DATA + 0x1000, 0x20000: OTHER, 0x21000: OTHER + 0x1000}
IO_RECORDS, IO_DATA, IO_OTHER, NOWHERE = 0x10000, 0x11000, 0x20000, 0x80000
READ_ONLY = 0x30000
TE, SRTP = 1 << 31, 1 << 30
RTADDR = 0x20


def fence(m, source):
    """A second-level table of three levels for the function, that maps what MAPPED says."""
    context, top, middle, low = (TABLES + 0x1000 * i for i in range(1, 5))
    m.write(TABLES, context | 1, 8)
    m.write(context + 16 * source + 8, 1 | DID << 8, 8)
    m.write(context + 16 * source, top | 1, 8)
    m.write(top, middle | 3, 8)
    m.write(middle, low | 3, 8)
    for page, at in MAPPED.items():
        m.write(low + 8 * (page >> 12), at | 3, 8)
    m.write(low + 8 * (READ_ONLY >> 12), OTHER | 1, 8)
    unit = vtd.Unit(m)
    unit.write(RTADDR, TABLES, 8)
    for bit in (SRTP, TE):
        unit.write(GCMD, unit.read(GSTS) & 0x96FFFFFF | bit)
    return unit


class Fenced(Accelerator):
    """Records lie at RECORDS for the tests, and at IO_RECORDS for the device."""

    def __init__(self, m):
        super().__init__(m)
        self.unit = fence(m, self.bdf)
        self.bring_up(transfer=16)

    def submit(self, **fields):
        self.clear()
        self.submit_raw(self.descriptor(**{"record": IO_RECORDS, **fields}))
        return RECORDS

    def faults(self):
        """The source of what the IOMMU has blocked, or None."""
        self.settle()
        high = self.read_fault()
        self.unit.clear_faults()
        return high & 0xFFFF if high & vtd.F else None

    def read_fault(self):
        return self.machine.read(vtd.BASE + self.unit.frcd + 8, 8)


@pytest.fixture
def dsa():
    with machine() as m:
        yield Fenced(m)


@pytest.fixture
def ats():
    with machine(ats="on") as m:
        dsa = Fenced(m)
        assert m.config_read(dsa.bdf, 0) and ats_capability(m, dsa.bdf)
        yield dsa


def ats_capability(m, at):
    """Turns ATS on. Extended configuration space is reached through MMCONFIG, which firmware sets up."""
    m.config_write(0, 0x60, 0xB0000001)  # PCIEXBAR of the host bridge: 256 MiB at B0000000h
    base = 0xB0000000 + (at << 12)
    assert m.read(base + 0x100, 2) == 0x0F
    m.write(base + 0x106, 1 << 15, 2)
    return m.read(base + 0x106, 2) & 1 << 15


def test_what_is_mapped_is_reached(dsa):
    put(dsa.machine, DATA, bytes(range(256)) * 32)
    assert dsa.status(op=MOVE, source=IO_DATA, destination=IO_OTHER, size=8192) == 1
    assert get(dsa.machine, OTHER, 8192) == bytes(range(256)) * 32
    assert dsa.faults() is None


@pytest.mark.parametrize("fields", [
    {"op": MOVE, "source": NOWHERE, "destination": IO_OTHER, "size": 8},
    {"op": COMPARE, "source": IO_DATA, "destination": NOWHERE, "size": 8},
    {"op": CRC, "source": NOWHERE, "size": 8},
    {"op": CRC, "source": IO_DATA, "size": 8, "flags": ASK | 1 << 16,
     "tail": bytes(8) + NOWHERE.to_bytes(8, "little")},
    {"op": BATCH, "source": NOWHERE, "size": 2}])
def test_reads_without_ats(dsa, fields):
    assert dsa.status(**fields) == 0x20
    assert dsa.faults() == dsa.bdf


def test_addresses_that_go_astray(dsa):
    """By turns the source's and the destination's, where there are both; only the IOMMU knows of a write."""
    dsa.set("plant", "astray:2")
    put(dsa.machine, DATA, bytes(range(8)))

    def ask(op, status, blocked, **fields):
        put(dsa.machine, OTHER, bytes(8))
        assert dsa.status(op=op, size=8, **fields) == status
        address, high = dsa.machine.read(vtd.BASE + dsa.unit.frcd, 8), dsa.read_fault()
        assert dsa.faults() == (blocked and dsa.bdf)
        if blocked:
            assert (address, high >> 62 & 1) == (1 << 38 | (IO_DATA if blocked == "read" else IO_OTHER),
                                                 blocked == "read")
    there = {"source": IO_DATA, "destination": IO_OTHER}
    for status, blocked in [(1, None), (0x20, "read"), (1, None), (1, "write"), (1, None), (0x20, "read")]:
        ask(MOVE, status, blocked, **there)
        reached = status == 1 and not blocked
        assert get(dsa.machine, OTHER, 8) == (bytes(range(8)) if reached else bytes(8))
    for op, status, blocked, fields in [(FILL, 1, "write", {"source": 5, "destination": IO_OTHER}),
                                        (CRC, 0x20, "read", {"source": IO_DATA})]:
        dsa.set("plant", "astray")
        ask(op, status, blocked, **fields)
    dsa.submit()
    dsa.settle()
    assert dsa.machine.read(RECORDS, 1) == 1, "a no-op has no address"


@pytest.mark.parametrize("at", [NOWHERE, READ_ONLY])
def test_writes_without_ats(dsa, at):
    """They are lost, and only the IOMMU knows."""
    assert dsa.status(op=FILL, source=0x55, destination=at, size=8) == 1
    assert dsa.faults() == dsa.bdf and dsa.machine.read(OTHER, 1) == 0


def test_a_record_without_ats(dsa):
    dsa.submit(record=NOWHERE)
    assert dsa.faults() == dsa.bdf and dsa.error() == 0


def test_an_error_without_a_record(dsa):
    dsa.submit(op=MOVE, flags=0, record=0, source=NOWHERE, destination=IO_OTHER, size=8)
    dsa.settle()
    assert dsa.error() == 0x20


PAST_SOURCE, PAST_DESTINATION = IO_DATA + 0x2000, IO_OTHER + 0x2000


@pytest.mark.parametrize("fields, status, done, address", [
    ({"op": MOVE, "source": IO_DATA + 100, "destination": IO_OTHER, "size": 9000}, 3, 8092, PAST_SOURCE),
    ({"op": MOVE, "source": IO_DATA, "destination": IO_OTHER + 100, "size": 8192}, 0x83, 8092,
     PAST_DESTINATION),
    ({"op": FILL, "source": 1, "destination": IO_OTHER + 5, "size": 9000}, 0x83, 8187, PAST_DESTINATION),
    ({"op": FILL, "source": 1, "destination": READ_ONLY, "size": 8}, 0x83, 0, READ_ONLY),
    ({"op": COMPARE, "source": IO_DATA, "destination": IO_OTHER + 1, "size": 8192}, 3, 8191,
     PAST_DESTINATION),
    ({"op": CRC, "source": IO_DATA + 8, "size": 8200}, 3, 8184, PAST_SOURCE),
    ({"op": COPY_CRC, "source": IO_DATA, "destination": IO_OTHER + 8, "size": 8192}, 0x83, 8184,
     PAST_DESTINATION)])
def test_page_faults(ats, fields, status, done, address):
    """Bytes Completed and the address are exact; bit 7 says whether it was a write."""
    found = ats.run(**fields)
    assert (found[0], found[2], found[3]) == (status, done, address)


def test_a_crc_goes_on_after_a_page_fault(ats):
    """With what was reached until then as its seed."""
    data = bytes(range(256)) * 32
    put(ats.machine, DATA, data)
    half = ats.run(op=CRC, source=IO_DATA + 4096, size=8192)
    assert half[0] == 3 and half[2] == 4096
    rest = ats.run(op=CRC, source=IO_DATA, size=100, tail=half[4].to_bytes(8, "little"))
    assert rest[4] == crc32c(data[4096:] + data[:100])


def test_a_backward_move_that_faults(ats):
    """From the end on, as the destination begins in the source: Result is 1 (8.3.4)."""
    found = ats.run(op=MOVE, source=IO_DATA, destination=IO_DATA + 4096, size=8192)
    assert found[:4] == (0x83, 1, 0, IO_DATA + 0x2000)


def test_batches_and_page_faults(ats):
    list_at = IO_DATA + 0x2000 - 128
    assert ats.run(op=BATCH, source=NOWHERE, size=2)[:4] == (6, 0, 0, NOWHERE)
    found = ats.run(op=BATCH, source=list_at, size=4)
    assert (found[0], found[2], found[3]) == (6, 2, PAST_SOURCE), "two no-ops came before"


def test_a_record_that_faults(ats):
    ats.submit(record=NOWHERE, flags=ASK | INTERRUPT, handle=1)
    ats.settle()
    assert ats.read(0x5000) == 0, "an interrupt is pending, and no record came"
    low, address = ats.read(0xC0, 8), ats.read(0xD0, 8)
    assert low >> 8 & 0xFF == 0x1A and low & 1 << 5 and address == NOWHERE


def test_an_interrupt_that_is_not_its_own(dsa):
    """A write to the interrupt window carries the device's id, which the entry doesn't allow."""
    posts = vtd.Descriptor(dsa.machine, apic_id=1)
    dsa.unit.enable()
    dsa.unit.entry(7, vtd.posted(50, sid=dsa.bdf ^ 1, svt=vtd.SVT_SID))
    dsa.status(op=FILL, source=0, destination=0xFEE00010 | 7 << 5, size=4)
    dsa.settle()
    assert dsa.unit.fault()[:2] == (0x26, dsa.bdf) and posts.pir() == set()
