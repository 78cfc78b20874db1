# SPDX-License-Identifier: BSD-2-Clause
"""onebell-dsa: operations and their completion records (341204-006, chapter 8)."""
import pytest

from dsa import (ASK, BATCH, CHECK, COMPARE, COMPARE_PATTERN, COPY_CRC, CRC, DATA, DRAIN, FENCE,
                 FILL, INTERRUPT, MOVE, NOOP, OTHER, RECORDS, VALID, Accelerator, get, machine, put)

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


def compare(dsa, op, differ_at=None, size=5000, flags=ASK, expected=0):
    data = PATTERN.to_bytes(8, "little") * (size // 8 + 1)
    put(dsa.machine, DATA + 5, data[:size])
    if differ_at is not None:
        at = DATA + 5 + differ_at
        dsa.machine.write(at, dsa.machine.read(at, 1) ^ 4, 1)
    put(dsa.machine, OTHER, data[:size])
    second = OTHER if op == COMPARE else PATTERN
    return dsa.run(op=op, flags=flags, source=DATA + 5, destination=second, size=size,
                   tail=bytes([expected]))[:3]


@pytest.mark.parametrize("op", [COMPARE, COMPARE_PATTERN])
def test_compare(dsa, op):
    assert compare(dsa, op) == (1, 0, 0)
    for at in (0, 4098, 4999):
        assert compare(dsa, op, differ_at=at) == (1, 1, at)


@pytest.mark.parametrize("op", [COMPARE, COMPARE_PATTERN])
@pytest.mark.parametrize("differ_at, expected, status", [
    (None, 0, 1), (None, 1, 2), (77, 0, 2), (77, 1, 1), (None, 0xFE, 1)])
def test_compare_with_an_expected_result(dsa, op, differ_at, expected, status):
    """Table 8-17."""
    found = compare(dsa, op, differ_at, 200, ASK | CHECK, expected)
    assert found[:2] == (status, int(differ_at is not None))


# ---- CRC ----

READ_SEED, NO_INVERSION, NO_REFLECTION = 1 << 16, 1 << 17, 1 << 18


def reverse(value, bits):
    return int(f"{value:0{bits}b}"[::-1], 2)


def crc32c(data, seed=0, inversion=True, reflection=True):
    """Appendix A, by long division: bit 0 of each byte is the highest power."""
    register = ~reverse(seed, 32) & 0xFFFFFFFF if inversion else seed
    for byte in data:
        register ^= (reverse(byte, 8) if reflection else byte) << 24
        for _ in range(8):
            register = (register << 1) ^ (0x11EDC6F41 if register >> 31 else 0)
    return ~reverse(register, 32) & 0xFFFFFFFF if inversion else register


def crc_tail(seed=0, seed_at=0):
    return seed.to_bytes(8, "little") + seed_at.to_bytes(8, "little")


def test_the_reference():
    """RFC 3720, B.4."""
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize("size", [1, 3, 32, 4096, 6001])
@pytest.mark.parametrize("op", [CRC, COPY_CRC])
def test_crc(dsa, op, size):
    data = bytes((i * 13 + i // 256) & 0xFF for i in range(size))
    put(dsa.machine, DATA + 1, data)
    destination = OTHER if op == COPY_CRC else 0
    status, _, done, _, value = dsa.run(op=op, source=DATA + 1, destination=destination, size=size)
    assert (status, done, value) == (1, 0, crc32c(data))
    assert get(dsa.machine, OTHER, size) == (data if op == COPY_CRC else bytes(size))


@pytest.mark.parametrize("inversion", [True, False])
@pytest.mark.parametrize("reflection", [True, False])
def test_crc_variants(dsa, inversion, reflection):
    data = bytes(range(100))
    put(dsa.machine, DATA, data)
    flags = ASK | (0 if inversion else NO_INVERSION) | (0 if reflection else NO_REFLECTION)
    found = dsa.run(op=CRC, flags=flags, source=DATA, size=100, tail=crc_tail(0x12345678))
    assert found[4] == crc32c(data, 0x12345678, inversion, reflection)


def test_crc_goes_on_from_a_seed(dsa):
    data = bytes(range(200))
    put(dsa.machine, DATA, data)
    half = dsa.run(op=CRC, source=DATA, size=77)[4]
    dsa.machine.write(OTHER + 4, half, 4)
    assert dsa.run(op=CRC, source=DATA + 77, size=123, tail=crc_tail(half))[4] == crc32c(data)
    read = dsa.run(op=CRC, flags=ASK | READ_SEED, source=DATA + 77, size=123,
                   tail=crc_tail(0, OTHER + 4))
    assert read[4] == crc32c(data)


# ---- batches ----

LIST = 0x680000


def batch(dsa, members, **fields):
    """Its record, and those of its members, which lie behind it."""
    for i in range(len(members)):
        dsa.clear(RECORDS + 32 * (i + 1))
    data = b"".join(dsa.descriptor(**{"record": RECORDS + 32 * (i + 1), **member})
                    for i, member in enumerate(members))
    put(dsa.machine, LIST, data)
    found = dsa.run(op=BATCH, source=LIST, size=len(members), **fields)
    return found[:3], [dsa.machine.read(RECORDS + 32 * (i + 1), 1) for i in range(len(members))]


def test_batch(dsa):
    put(dsa.machine, DATA, b"onebells")
    found = batch(dsa, [{"op": MOVE, "source": DATA, "destination": OTHER, "size": 8},
                        {"op": MOVE, "flags": ASK | FENCE, "source": OTHER, "destination": OTHER + 8,
                         "size": 8},
                        {"op": NOOP}])
    assert found == ((1, 0, 3), [1, 1, 1])
    assert get(dsa.machine, OTHER, 16) == b"onebells" * 2


def test_batch_with_a_failure(dsa):
    found = batch(dsa, [{"op": NOOP}, {"op": MOVE, "size": 0}, {"op": NOOP}])
    assert found == ((5, 0, 3), [1, 0x13, 1])


def test_a_fence_after_a_failure(dsa):
    found = batch(dsa, [{"op": NOOP}, {"op": MOVE, "size": 0}, {"op": NOOP},
                        {"op": NOOP, "flags": ASK | FENCE}, {"op": NOOP}])
    assert found == ((5, 0, 3), [1, 0x13, 1, 0, 0])


def test_a_false_predicate_stops_at_a_fence(dsa):
    put(dsa.machine, DATA, b"a")
    put(dsa.machine, OTHER, b"b")
    found = batch(dsa, [{"op": COMPARE, "flags": ASK | CHECK, "source": DATA, "destination": OTHER,
                         "size": 1},
                        {"op": NOOP, "flags": ASK | FENCE}])
    assert found == ((5, 0, 1), [2, 0])


@pytest.mark.parametrize("op", [BATCH, DRAIN])
def test_what_a_batch_may_not_hold(dsa, op):
    assert batch(dsa, [{"op": op, "size": 2 if op == BATCH else 0}, {"op": NOOP}]) == ((5, 0, 2), [0x10, 1])


def test_the_batch_tells_of_its_members_in_swerror(dsa):
    batch(dsa, [{"op": NOOP}, {"op": MOVE, "size": 0, "flags": 0, "record": 0}])
    first, second = dsa.read(0xC0, 8), dsa.read(0xC8, 8)
    assert first >> 8 & 0xFF == 0x13 and first & 0x10 and second & 0xFFFF == 1


# ---- drain ----


def test_drain_waits_for_all_before_it():
    """Another engine takes it while a batch goes on, whose last member sees no record of it yet."""
    with machine() as m:
        dsa = Accelerator(m).bring_up(engines=2)
        noop = dsa.descriptor(flags=0, record=0)
        look = dsa.descriptor(op=MOVE, flags=0, record=0, source=RECORDS, destination=OTHER, size=32)
        put(m, LIST, noop * 20 + look)
        m.write(OTHER, 0x55, 1)
        dsa.set("hold", "on")
        dsa.submit(op=BATCH, record=RECORDS + 32, source=LIST, size=21)
        dsa.submit(op=DRAIN)
        dsa.set("hold", "off")
        assert dsa.record()[0] == dsa.record(RECORDS + 32)[0] == 1
        assert m.read(OTHER, 1) == 0


def test_drain_waits_for_nothing_behind_it(dsa):
    dsa.set("hold", "on")
    dsa.submit(op=DRAIN)
    dsa.submit(op=NOOP, record=RECORDS + 32)
    dsa.set("hold", "off")
    assert dsa.record()[0] == dsa.record(RECORDS + 32)[0] == 1


def test_drain_by_interrupt_alone_needs_no_record(dsa):
    dsa.submit(op=DRAIN, flags=INTERRUPT, record=0, handle=1)
    dsa.settle()
    assert dsa.error() == 0


# ---- order ----


def test_one_engine_keeps_the_order_and_several_do_not():
    orders = []
    for engines in (1, 4):
        with machine() as m:
            dsa = Accelerator(m).bring_up(engines=engines)
            dsa.set("hold", "on")
            for i in range(8):  # they finish as 0 1 2 3, 5 6 7 4
                dsa.submit(op=FILL, record=RECORDS + 32 * i, source=i, destination=OTHER, size=1)
            dsa.set("hold", "off")
            dsa.settle()
            orders.append(m.read(OTHER, 1))
    assert orders == [7, 4]


def note(dsa, wq, who, at):
    """Submits a batch that notes `who` in front of those who came before."""
    put(dsa.machine, at, dsa.descriptor(op=MOVE, flags=0, record=0, source=OTHER, destination=OTHER + 1,
                                        size=23) +
        dsa.descriptor(op=FILL, flags=FENCE, record=0, source=who, destination=OTHER, size=1))
    dsa.submit(wq=wq, op=BATCH, flags=0, record=0, source=at, size=2)


def test_priorities_share_an_engine():
    """While both have work, a queue of priority 3 has three turns for one of priority 1."""
    with machine() as m:
        dsa = Accelerator(m)
        dsa.configure_wq(0, priority=1)
        dsa.configure_wq(1, priority=3)
        dsa.configure_group(0, 3, 1)
        assert [dsa.command(code, n) for code, n in ((1, 0), (6, 0), (6, 1))] == [0, 0, 0]
        dsa.set("hold", "on")
        for i in range(12):
            note(dsa, 0, ord("a"), LIST + 256 * i)
            note(dsa, 1, ord("b"), LIST + 256 * i + 128)
        dsa.set("hold", "off")
        for wq in (0, 1):
            dsa.settle(wq)
        order = get(m, OTHER, 24)[::-1].decode()
        assert order.count("a") == order.count("b") == 12
        assert order[:12].count("b") == 9
