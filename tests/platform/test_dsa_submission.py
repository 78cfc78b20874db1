# SPDX-License-Identifier: BSD-2-Clause
"""onebell-dsa: portals, queues, and the checks of a descriptor (341204-006, 5.3 to 5.5, 9.3)."""
import struct

import pytest

from dsa import (ASK, BATCH, BLOCK, CHECK, COMPARE, COMPARE_PATTERN, COPY_CRC, CRC, DATA,
                 DISABLE_WQ, DRAIN, FENCE, FILL, MOVE, NOOP, OTHER, RECORD, RECORDS, SWERROR, VALID,
                 Accelerator, machine)


@pytest.fixture
def dsa():
    with machine() as m:
        yield Accelerator(m).bring_up()


# ---- portals ----


@pytest.mark.parametrize("page", range(4))
@pytest.mark.parametrize("slot", [0, 17, 63])
def test_any_slot_of_any_portal(dsa, page, slot):
    dsa.clear()
    dsa.submit_raw(dsa.descriptor(), page=page, slot=slot)
    assert dsa.record()[0] == 1


def test_reads_give_ones(dsa):
    assert dsa.machine.read(dsa.bar2, 8) == (1 << 64) - 1


def stores(dsa, order, size=8):
    data = dsa.descriptor()
    dsa.clear()
    for i in order:
        dsa.machine.write(dsa.bar2 + i * size, int.from_bytes(data[i * size:i * size + size], "little"), size)
    dsa.settle()
    return dsa.machine.read(RECORDS, 1)


@pytest.mark.parametrize("order, status", [
    (range(8), 1), (range(7, -1, -1), 0), ((1, 2, 3, 4, 5, 6, 7), 0), ((0, 1, 2, 3, 5, 4, 6, 7), 0),
    ((0, 1, 2, 0, 1, 2, 3, 4, 5, 6, 7), 1), ((0, 1, 2, 3, 4, 5, 6), 0)])
def test_eight_stores_in_ascending_order(dsa, order, status):
    assert stores(dsa, order) == status


def test_what_was_begun_is_forgotten(dsa):
    for i, word in enumerate(struct.unpack("<8Q", dsa.descriptor(op=0x77))[:3]):
        dsa.machine.write(dsa.bar2 + 8 * i, word, 8)
    assert stores(dsa, range(8)) == 1


@pytest.mark.parametrize("size", [1, 2, 4])
def test_narrow_stores_are_ignored(dsa, size):
    assert stores(dsa, range(64 // size), size) == 0


def test_two_slots_at_a_time(dsa):
    """As two CPUs do it, each with its own slot."""
    records = (RECORDS, RECORDS + 32)
    words = [struct.unpack("<8Q", dsa.descriptor(record=r)) for r in records]
    for r in records:
        dsa.clear(r)
    for i in range(8):
        for slot in (0, 1):
            dsa.machine.write(dsa.bar2 + slot * 64 + 8 * i, words[slot][i], 8)
    assert [dsa.record(r)[0] for r in records] == [1, 1]


def test_a_queue_that_is_not_enabled_ignores_writes(dsa):
    dsa.submit(wq=1)
    assert dsa.command(DISABLE_WQ, 1) == 0
    dsa.submit(record=RECORDS + 32)
    assert dsa.command(3) == 0
    assert [dsa.machine.read(RECORDS + i, 1) for i in (0, 32)] == [0, 0] and dsa.error() == 0


# ---- queues ----


def test_a_full_queue_drops_what_comes():
    with machine() as m:
        dsa = Accelerator(m).bring_up(size=4)
        dsa.set("hold", "on")
        for i in range(5):
            assert dsa.occupancy() == i
            if i == 4:
                assert dsa.error() == 0
            dsa.submit(record=RECORDS + 32 * i)
        assert dsa.occupancy() == 4
        assert dsa.read(SWERROR, 8) >> 16 & 0xFF == 0 and dsa.error() == 0x53
        dsa.set("hold", "off")
        dsa.settle()
        assert [m.read(RECORDS + 32 * i, 1) for i in range(5)] == [1, 1, 1, 1, 0]
        assert dsa.occupancy() == 0 and dsa.status() == 1


def test_one_error_at_a_time(dsa):
    for _ in range(2):
        dsa.submit(op=0x55, flags=0, record=0)
        dsa.settle()
    word = dsa.read(SWERROR, 8)
    assert word & 3 == 3 and word >> 32 & 0xFF == 0x55
    dsa.write(SWERROR, 1, 8)
    assert dsa.read(SWERROR, 8) & 3 == 2, "Overflow is cleared on its own"
    dsa.write(SWERROR, 2, 8)
    assert dsa.read(SWERROR, 8) & 3 == 0


# ---- checks ----

GOOD = {
    NOOP: {}, BATCH: {"source": DATA, "size": 2}, DRAIN: {},
    MOVE: {"source": DATA, "destination": OTHER, "size": 64},
    FILL: {"source": 7, "destination": OTHER, "size": 64},
    COMPARE: {"source": DATA, "destination": OTHER, "size": 64},
    COMPARE_PATTERN: {"source": DATA, "size": 64},
    CRC: {"source": DATA, "size": 64},
    COPY_CRC: {"source": DATA, "destination": OTHER, "size": 64},
}
# Table 5-3: flags besides those that all have, and bytes that are reserved.
STRICT, CACHE, TC1, TC2, TC_RECORD = 1 << 13, 1 << 8 | 1 << 14, 1 << 9, 1 << 10, 1 << 12
ALLOWED = {
    NOOP: 0, BATCH: TC1, DRAIN: 3 << 18, MOVE: CACHE | STRICT | TC1 | TC2, FILL: CACHE | STRICT | TC2,
    COMPARE: CHECK | TC1 | TC2, COMPARE_PATTERN: CHECK | TC1, CRC: TC1 | 7 << 16,
    COPY_CRC: CACHE | STRICT | TC1 | TC2 | 7 << 16,
}
RESERVED = {
    NOOP: (16, 24, 32, 38, 63), BATCH: (24, 31, 38, 63), DRAIN: (16, 24, 32, 38, 63), MOVE: (38, 40, 63),
    FILL: (38, 40, 63), COMPARE: (38, 41, 63), COMPARE_PATTERN: (38, 41, 63),
    CRC: (24, 38, 44, 47, 48, 55, 56, 63), COPY_CRC: (38, 44, 47, 48, 55, 56, 63),
}


@pytest.mark.parametrize("op", GOOD)
def test_flags(dsa, op):
    for bit in range(5, 24):
        if op in (CRC, COPY_CRC) and bit == 16:
            continue  # which reads the seed at address 0
        status, _, _, _, invalid = dsa.run(op=op, flags=ASK | 1 << bit, **GOOD[op])
        if 1 << bit & (ALLOWED[op] | TC_RECORD):
            assert status in (1, 2, 5), bit
        else:
            assert status == 0x11 and invalid & 0xFFFFFF == 1 << bit, bit
    for flag in (FENCE, BLOCK):
        status, _, _, _, invalid = dsa.run(op=op, flags=ASK | flag, **GOOD[op])
        assert status == 0x11 and invalid == flag


@pytest.mark.parametrize("op", GOOD)
def test_reserved_fields(dsa, op):
    for byte in RESERVED[op]:
        data = bytearray(dsa.descriptor(op=op, **GOOD[op]))
        data[byte] |= 1
        dsa.clear()
        dsa.submit_raw(bytes(data))
        assert dsa.record()[0] == 0x12, byte
    assert dsa.status(op=op, handle=1, **GOOD[op]) == 0x12, "a handle, and no interrupt"
    data = dsa.descriptor(op=op, trusted=0x8FFFFFFF, **GOOD[op])
    dsa.clear()
    dsa.submit_raw(data)
    assert dsa.record()[0] != 0x12, "PASID and privilege are ignored in a dedicated queue"


def error_of(dsa, **fields):
    """The software error of a descriptor without a record."""
    dsa.submit_raw(dsa.descriptor(**fields))
    dsa.settle()
    return dsa.error()


def test_record_flags(dsa):
    assert error_of(dsa, flags=RECORD, record=0) == 0x11
    assert error_of(dsa, flags=0, record=RECORDS) == 0x12
    assert error_of(dsa, flags=0, record=0) == 0
    assert error_of(dsa, flags=1 << 12, record=0) == 0x11, "a traffic class for no record"


@pytest.mark.parametrize("op", [COMPARE, COMPARE_PATTERN, CRC, COPY_CRC])
def test_results_need_a_record(dsa, op):
    """Table 5-5."""
    assert error_of(dsa, op=op, flags=0, record=0, **GOOD[op]) == 0x11
    status, _, _, _, invalid = dsa.run(op=op, flags=VALID, **GOOD[op])
    assert status == 0x11 and invalid == RECORD


def test_a_drain_needs_some_notice(dsa):
    assert error_of(dsa, op=DRAIN, flags=0, record=0) == 0x11


@pytest.mark.parametrize("record", [RECORDS + 8, RECORDS + 16, RECORDS + 1])
def test_a_misaligned_record(dsa, record):
    assert error_of(dsa, record=record) == 0x1B
    assert all(dsa.machine.read(RECORDS + i, 8) == 0 for i in range(0, 64, 8))


@pytest.mark.parametrize("op", [7, 8, 9, 10, 0x12, 0x20, 0xFF])
def test_operations_that_there_are_not(dsa, op):
    assert dsa.status(op=op) == 0x10


@pytest.mark.parametrize("op", [MOVE, FILL, COMPARE, COMPARE_PATTERN, CRC, COPY_CRC])
def test_transfer_sizes(op):
    with machine() as m:
        dsa = Accelerator(m).bring_up(transfer=7)
        for size, status in ((0, 0x13), (128, 1), (129, 0x13), (0x80000000, 0x13)):
            assert dsa.status(op=op, **{**GOOD[op], "size": size}) == status


@pytest.mark.parametrize("count, status", [(0, 0x14), (1, 0x14), (2, 1), (4, 1), (5, 0x14)])
def test_descriptor_counts(count, status):
    with machine() as m:
        dsa = Accelerator(m).bring_up(batch=2)
        for i in range(0, 64 * 5, 8):
            m.write(DATA + i, 0, 8)
        assert dsa.status(op=BATCH, source=DATA, size=count) == status


def test_addresses(dsa):
    assert dsa.status(op=BATCH, source=DATA + 32, size=2) == 0x18
    assert dsa.status(op=COPY_CRC, source=DATA, destination=DATA + 63, size=64) == 0x16
    assert dsa.status(op=COPY_CRC, source=DATA + 63, destination=DATA, size=64) == 0x16
    assert dsa.status(op=COPY_CRC, source=DATA, destination=DATA + 64, size=64) == 1
    assert dsa.status(op=COPY_CRC, source=DATA + 64, destination=DATA, size=64) == 1
    tail = bytes(8) + (DATA + 2).to_bytes(8, "little")
    assert dsa.status(op=CRC, flags=ASK | 1 << 16, source=DATA, size=8, tail=tail) == 0x1C


@pytest.mark.parametrize("flags, status", [(0, 1), (TC1, 0x1E), (TC2, 0x1E)])
def test_traffic_classes(flags, status):
    """There is but class 0; TC-B of the group is another one."""
    with machine() as m:
        dsa = Accelerator(m)
        dsa.write(dsa.groups + 40, 96 << 20 | 1 << 3, 8)
        dsa.bring_up()
        assert dsa.status(op=MOVE, flags=ASK | flags, **GOOD[MOVE]) == status
        dsa.submit_raw(dsa.descriptor(flags=ASK | TC_RECORD, record=RECORDS + 32))
        dsa.settle()
        assert dsa.error() == 0x1E and m.read(RECORDS + 32, 1) == 0, "the record has no way, either"
