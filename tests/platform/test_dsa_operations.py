# SPDX-License-Identifier: BSD-2-Clause
"""onebell-dsa: operations and their completion records (341204-006, chapter 8)."""
import pytest

from dsa import (ASK, BATCH, CHECK, COMPARE, COMPARE_PATTERN, COPY_CRC, CRC, DATA, DRAIN, FENCE, FILL,
                 INTERRUPT, MOVE, NOOP, OTHER, RECORD, RECORDS, VALID, Accelerator, get, machine, put)

PATTERN = 0x8877665544332211


@pytest.fixture
def dsa():
    with machine() as m:
        yield Accelerator(m).bring_up()


def test_noop(dsa):
    assert dsa.run(op=NOOP) == (1, 0, 0, 0, 0)


def test_no_record_unless_asked_for(dsa):
    dsa.submit(op=NOOP, flags=VALID)
    dsa.settle()
    assert dsa.machine.read(RECORDS, 1) == 0


@pytest.mark.parametrize("size, shift", [(1, 0), (8, 0), (4096, 0), (10000, 5), (4097, 4095)])
def test_move(dsa, size, shift):
    data = bytes((i * 7 + i // 256) & 0xFF for i in range(size))
    put(dsa.machine, DATA + shift, data)
    assert dsa.status(op=MOVE, source=DATA + shift, destination=OTHER + 3, size=size) == 1
    assert get(dsa.machine, OTHER + 3, size) == data
    assert dsa.machine.read(OTHER + 3 + size, 1) == 0 and dsa.machine.read(OTHER + 2, 1) == 0


@pytest.mark.parametrize("by", [-5000, -7, 7, 5000])
def test_move_onto_itself(dsa, by):
    data = bytes((i * 11 + i // 256) & 0xFF for i in range(9000))
    put(dsa.machine, DATA, data)
    assert dsa.status(op=MOVE, source=DATA, destination=DATA + by, size=9000) == 1
    assert get(dsa.machine, DATA + by, 9000) == data


@pytest.mark.parametrize("size", [1, 8, 13, 4099])
def test_fill(dsa, size):
    assert dsa.status(op=FILL, source=PATTERN, destination=OTHER + 5, size=size) == 1
    expected = (PATTERN.to_bytes(8, "little") * 600)[:size]
    assert get(dsa.machine, OTHER + 5, size) == expected
    assert dsa.machine.read(OTHER + 5 + size, 1) == 0
