# SPDX-License-Identifier: BSD-2-Clause
"""Faults of posted interrupts (VT-d 5.1.4.1) as the fault registers tell them (VT-d 11.4.7)."""

import pytest

import vtd
from conftest import DEVICES, Bench
from qtest_machine import Edu, Machine, bdf
from vtd import FECTL, FSTS, IM, IP, IQE, PFO, PPF, Descriptor, posted

UNASSIGNED, MMIO, ROM = 0xE8000000, 0xFED90000, 0xFFFFF000


def expect_fault(bench, reason, index=5):
    assert bench.unit.fault() == (reason, bench.a.bdf, index)
    assert bench.machine.irr(0) == set()


# ---- the entry ----


@pytest.mark.parametrize("urgent", [0, 1])
def test_an_entry_that_is_not_present(bench, urgent):
    descriptor = Descriptor(bench.machine)
    bench.unit.entry(5, posted(0x42, present=0, urgent=urgent))
    bench.a.fire(5)
    expect_fault(bench, 0x22)
    assert descriptor.pir() == set()


@pytest.mark.parametrize("bit", [2, 4, 7, 12, 13, 24, 31, 32, 37, 84, 95])
def test_reserved_bits_of_the_entry(bench, bit):
    descriptor = Descriptor(bench.machine)
    low, high = posted(0x42, urgent=1)
    bench.unit.entry(5, (low | 1 << bit, high) if bit < 64 else (low, high | 1 << bit - 64))
    bench.a.fire(5)
    expect_fault(bench, 0x24)
    assert descriptor.pir() == set() and not descriptor.on


# Device b is 00:04.5.
@pytest.mark.parametrize("sid, sq, accepted", [
    (bdf(0, 4, 5), 0, True), (bdf(0, 4, 1), 0, False), (bdf(0, 3, 5), 0, False),
    (bdf(0, 4, 1), 1, True), (bdf(0, 4, 3), 1, False),
    (bdf(0, 4, 3), 2, True), (bdf(0, 4, 2), 2, False),
    (bdf(0, 4, 2), 3, True), (bdf(0, 5, 2), 3, False), (bdf(1, 4, 5), 3, False)])
def test_the_source_id(bench, sid, sq, accepted):
    descriptor = Descriptor(bench.machine)
    bench.unit.entry(5, posted(0x42, svt=vtd.SVT_SID, sid=sid, sq=sq))
    bench.b.fire(5)
    assert bench.unit.fault() == (None if accepted else (0x26, bench.b.bdf, 5))
    assert descriptor.pir() == ({0x42} if accepted else set())


@pytest.mark.parametrize("first, last, accepted", [
    (7, 7, True), (5, 9, True), (0, 7, True), (7, 255, True), (8, 9, False), (5, 6, False),
    (9, 5, False)])
def test_the_bus_range(first, last, accepted):
    devices = ("pcie-root-port,id=bridge,addr=5,chassis=1", "edu,bus=bridge", *DEVICES)
    with Machine(devices=devices) as machine:
        bench = Bench(machine)
        machine.config_write(bdf(0, 5), 0x18, 0x070700)      # bus 7 behind the port
        machine.config_write(bdf(0, 5), 0x20, 0xE020E020)    # memory window
        machine.config_write(bdf(0, 5), 0x04, 0x6, 2)
        behind = Edu(machine, bdf(7, 0), 0xE0200000)
        descriptor = Descriptor(machine)
        bench.unit.entry(5, posted(0x42, svt=vtd.SVT_BUS, sid=first << 8 | last))
        behind.fire(5)
        assert bench.unit.fault() == (None if accepted else (0x26, behind.bdf, 5))
        assert descriptor.pir() == ({0x42} if accepted else set())


def test_a_reserved_validation_type_accepts_nobody(bench):
    bench.unit.entry(5, posted(0x42, svt=3, sid=bench.a.bdf))
    bench.a.fire(5)
    expect_fault(bench, 0x26)


# ---- the descriptor ----


@pytest.mark.parametrize("address", [UNASSIGNED, MMIO, ROM, 1 << 51])
def test_a_descriptor_outside_memory(bench, address):
    before = [bench.machine.read(ROM + 8 * i, 8) for i in range(8)]
    bench.unit.entry(5, posted(0x42, descriptor=address))
    bench.a.fire(5)
    expect_fault(bench, 0x27)
    assert [bench.machine.read(ROM + 8 * i, 8) for i in range(8)] == before


@pytest.mark.parametrize("bit", [258, 271, 280, 287, 320, 383, 384, 447, 448, 511])
def test_reserved_bits_of_the_descriptor(bench, bit):
    descriptor = Descriptor(bench.machine)
    at = vtd.DESCRIPTOR + bit // 64 * 8
    bench.machine.write(at, bench.machine.read(at, 8) | 1 << bit % 64, 8)
    bench.unit.entry(5, posted(0x42))
    bench.a.fire(5)
    expect_fault(bench, 0x28)
    assert descriptor.pir() == set() and not descriptor.on


@pytest.mark.parametrize("bit, accepted", [(288, False), (295, False), (296, True), (304, False),
                                           (319, False)])
def test_reserved_bits_of_an_xapic_destination(bit, accepted):
    with Machine(devices=DEVICES) as machine:
        bench = Bench(machine, eime=False)
        descriptor = Descriptor(machine)
        descriptor.control |= 1 << bit - 256
        bench.unit.entry(5, posted(0x42))
        bench.a.fire(5)
        assert bench.unit.fault() == (None if accepted else (0x28, bench.a.bdf, 5))
        assert descriptor.pir() == ({0x42} if accepted else set())


# ---- FPD ----


@pytest.mark.parametrize("entry", [
    posted(0x42, fpd=1, present=0),
    tuple(a | b for a, b in zip(posted(0x42, fpd=1), (1 << 12, 0))),
    posted(0x42, fpd=1, svt=vtd.SVT_SID, sid=bdf(9, 9)),
    posted(0x42, fpd=1, descriptor=UNASSIGNED),
    posted(0x42, fpd=1, descriptor=vtd.DESCRIPTOR + 64)],
    ids=["22h", "24h", "26h", "27h", "28h"])
def test_fpd_blocks_without_a_record(bench, entry):
    descriptor = Descriptor(bench.machine)
    bench.machine.write(vtd.DESCRIPTOR + 64 + 40, 1, 8)  # reserved bits there
    bench.unit.entry(5, entry)
    bench.a.fire(5)
    assert bench.unit.read(FSTS) == 0 and bench.unit.fault() is None
    assert descriptor.pir() == set() and bench.machine.irr(0) == set()
    assert bench.machine.read(vtd.DESCRIPTOR + 64, 8) == 0


# ---- the records ----


def descriptor_fault(bench, device=None, index=5):
    bench.unit.entry(index, posted(0x42, descriptor=UNASSIGNED))
    (device or bench.a).fire(index)


def test_overflow(bench):
    descriptor_fault(bench)
    assert bench.unit.read(FSTS) & (PFO | PPF) == PPF
    descriptor_fault(bench, bench.b, index=6)
    assert bench.unit.read(FSTS) & (PFO | PPF) == PFO | PPF
    assert bench.unit.fault() == (0x27, bench.a.bdf, 5)
    bench.unit.write(bench.unit.frcd + 12, 1 << 31)  # freed, but PFO is still set
    descriptor_fault(bench, bench.b, index=6)
    assert bench.unit.fault() is None
    bench.unit.write(FSTS, PFO)
    descriptor_fault(bench, bench.b, index=6)
    assert bench.unit.fault() == (0x27, bench.b.bdf, 6)


def test_faults_of_one_source_collapse(bench):
    descriptor_fault(bench)
    descriptor_fault(bench, index=6)
    assert bench.unit.read(FSTS) & (PFO | PPF) == PPF
    assert bench.unit.fault() == (0x27, bench.a.bdf, 5)


def test_a_freed_record_takes_the_next_fault_as_it_is(bench):
    descriptor_fault(bench, index=9)
    bench.unit.clear_faults()
    assert bench.unit.read(FSTS) == 0
    bench.unit.set_table(size_field=3)
    bench.a.fire(77)
    assert bench.unit.fault() == (0x21, bench.a.bdf, 77)
    bench.unit.clear_faults()
    bench.unit.entry(3, posted(0x42, svt=3))
    bench.b.fire(3)
    assert bench.unit.fault() == (0x26, bench.b.bdf, 3)


def test_a_record_read_word_by_word(bench):
    descriptor_fault(bench, index=0x1234)
    words = [bench.unit.read(bench.unit.frcd + 4 * i) for i in range(4)]
    assert words == [0, 0x1234 << 16, bench.a.bdf, 1 << 31 | 0x27]


def test_a_reset_empties_the_record(bench):
    descriptor_fault(bench, index=9)
    bench.machine.qmp("system_reset")
    assert bench.unit.read(FSTS) == 0
    fresh = Bench(bench.machine, size_field=3)
    fresh.a.fire(77)
    assert fresh.unit.fault() == (0x21, fresh.a.bdf, 77)


# ---- the event ----


def program_event(bench, vector, apic_id, control=0):
    bench.unit.write(vtd.FEDATA, vector)
    bench.unit.write(vtd.FEADDR, 0xFEE00000 | (apic_id & 0xFF) << 12)
    bench.unit.write(vtd.FEUADDR, apic_id & ~0xFF)
    bench.unit.write(FECTL, control)


def test_the_event_interrupts(bench):
    program_event(bench, 0x61, apic_id=1)
    descriptor_fault(bench)
    assert bench.machine.irr(1) == {0x61}
    assert bench.unit.read(FECTL) & IP == 0


def test_a_masked_event_is_pending_until_unmasked(bench):
    program_event(bench, 0x61, apic_id=1, control=IM)
    descriptor_fault(bench)
    assert bench.machine.irr(1) == set()
    assert bench.unit.read(FECTL) == IM | IP
    bench.unit.write(FECTL, 0)
    assert bench.machine.irr(1) == {0x61}
    assert bench.unit.read(FECTL) == 0


def test_a_masked_event_is_dropped_with_its_fault(bench):
    program_event(bench, 0x61, apic_id=1, control=IM)
    descriptor_fault(bench)
    bench.unit.clear_faults()
    assert bench.unit.read(FECTL) == IM
    bench.unit.write(FECTL, 0)
    assert bench.machine.irr(1) == set()


def test_one_event_for_faults_in_a_row(bench):
    program_event(bench, 0x61, apic_id=1)
    descriptor_fault(bench)
    bench.unit.write(vtd.FEDATA, 0x62)
    descriptor_fault(bench, bench.b, index=6)
    assert bench.machine.irr(1) == {0x61}
    bench.unit.clear_faults()
    descriptor_fault(bench)
    assert bench.machine.irr(1) == {0x61, 0x62}


def test_the_upper_address_register():
    for iommu, kept in (("eim=on", 0x12345600), ("eim=off", 0)):
        with Machine(devices=DEVICES, iommu=f"intel-iommu,intremap=on,{iommu}") as machine:
            unit = vtd.Unit(machine)
            unit.write(vtd.FEDATA, 0x61)
            unit.write(vtd.FEUADDR, 0x12345600)
            assert unit.read(vtd.FEUADDR) == kept
            assert unit.read(vtd.FEDATA) == 0x61


@pytest.fixture
def high_event(high_bench):
    program_event(high_bench, 0x61, apic_id=256)
    yield high_bench
    assert high_bench.machine.irr(0) == set()  # QEMU's own message would go there


def test_an_event_to_an_apic_id_above_255(high_event):
    descriptor_fault(high_event)
    assert high_event.machine.irr(256) == {0x61}


def test_a_masked_event_to_an_apic_id_above_255(high_event):
    high_event.unit.write(FECTL, IM)
    descriptor_fault(high_event)
    assert high_event.machine.irr(256) == set()
    high_event.unit.write(FECTL, 0)
    assert high_event.machine.irr(256) == {0x61}


def test_events_of_qemus_own_faults_to_an_apic_id_above_255(high_event):
    high_event.unit.set_table(size_field=3)
    high_event.a.fire(77)
    assert high_event.unit.fault() == (0x21, high_event.a.bdf, 77)
    assert high_event.machine.irr(256) == {0x61}
    high_event.unit.clear_faults()
    high_event.unit.write(vtd.FEDATA, 0x62)
    high_event.unit.write(vtd.IQA, 0x280000, 8)
    high_event.unit.write(vtd.GCMD, high_event.unit.read(vtd.GSTS) & 0x96FFFFFF | vtd.QIE)
    high_event.machine.write(0x280000, 0xF, 8)  # no such descriptor
    high_event.unit.write(vtd.IQT, 16, 8)
    assert high_event.unit.read(FSTS) & IQE
    assert high_event.machine.irr(256) == {0x61, 0x62}


@pytest.mark.parametrize("status_too", [True, False])
def test_no_event_to_an_apic_id_above_255_for_a_fault_that_is_gone(high_event, status_too):
    high_event.unit.write(FECTL, IM)
    descriptor_fault(high_event)
    if status_too:
        high_event.unit.clear_faults()
    else:
        high_event.unit.write(high_event.unit.frcd + 12, 1 << 31)
    high_event.unit.write(FECTL, 0)
    assert high_event.machine.irr(256) == set()


def test_a_reset_clears_the_message(bench):
    program_event(bench, 0x61, apic_id=256)
    bench.machine.qmp("system_reset")
    assert [bench.unit.read(at) for at in (vtd.FEDATA, vtd.FEADDR, vtd.FEUADDR)] == [0, 0, 0]
