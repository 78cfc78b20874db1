# SPDX-License-Identifier: BSD-2-Clause
"""Posting (VT-d 5.2.3): PIR, ON, SN, URG, NV and NDST, in x2APIC and xAPIC form."""

import pytest

import vtd
from conftest import DEVICES, Bench
from qtest_machine import Machine
from vtd import Descriptor, posted, remapped


@pytest.mark.parametrize("vector", [0, 1, 63, 64, 127, 128, 200, 255])
def test_a_post_sets_its_bit_and_no_other(bench, vector):
    descriptor = Descriptor(bench.machine)
    bench.unit.entry(5, posted(vector))
    bench.a.fire(5)
    assert descriptor.pir() == {vector}
    assert descriptor.on == 1


def test_the_notification_reaches_the_destination_only(bench):
    Descriptor(bench.machine, vector=0xE7, apic_id=1)
    bench.unit.entry(5, posted(0x42))
    bench.a.fire(5)
    assert bench.machine.irr(1) == {0xE7}
    assert bench.machine.irr(0) == set()


def test_on_coalesces_until_software_clears_it(bench):
    descriptor = Descriptor(bench.machine, vector=0xE0)
    bench.unit.entry(5, posted(0x42))
    bench.unit.entry(6, posted(0x43, urgent=1))
    bench.a.fire(5)
    descriptor.control = descriptor.control & ~(0xFF << 16) | 0xE1 << 16
    bench.b.fire(6)
    assert descriptor.pir() == {0x42, 0x43}
    assert bench.machine.irr(0) == {0xE0}
    descriptor.control &= ~1
    bench.a.fire(5)
    assert bench.machine.irr(0) == {0xE0, 0xE1}


def test_sn_suppresses_and_leaves_on_clear(bench):
    descriptor = Descriptor(bench.machine, sn=1)
    bench.unit.entry(5, posted(0x42))
    bench.a.fire(5)
    assert descriptor.pir() == {0x42}
    assert descriptor.on == 0
    assert bench.machine.irr(0) == set()


def test_urg_overrides_sn(bench):
    descriptor = Descriptor(bench.machine, vector=0xE0, sn=1)
    bench.unit.entry(5, posted(0x42, urgent=1))
    bench.a.fire(5)
    assert descriptor.pir() == {0x42}
    assert descriptor.on == 1
    assert bench.machine.irr(0) == {0xE0}


def test_the_rest_of_the_control_word_stays(bench):
    descriptor = Descriptor(bench.machine, vector=0xE7, apic_id=1)
    before = descriptor.control
    bench.unit.entry(5, posted(0x42))
    bench.a.fire(5)
    assert descriptor.control == before | 1


def test_available_bits_are_ignored(bench):
    descriptor = Descriptor(bench.machine)
    low, high = posted(0x42)
    bench.unit.entry(5, (low | 0xF00, high))
    bench.a.fire(5)
    assert descriptor.pir() == {0x42}


def test_an_apic_id_above_255(high_bench):
    Descriptor(high_bench.machine, vector=0xE7, apic_id=256)
    high_bench.unit.entry(5, posted(0x42))
    high_bench.a.fire(5)
    assert high_bench.machine.irr(256) == {0xE7}
    assert high_bench.machine.irr(0) == set()


def test_xapic_form_without_eime():
    with Machine(devices=DEVICES) as machine:
        bench = Bench(machine, eime=False)
        descriptor = Descriptor(machine, vector=0xE7, apic_id=1, xapic=True)
        bench.unit.entry(5, posted(0x42))
        bench.a.fire(5)
        assert descriptor.pir() == {0x42}
        assert machine.irr(1) == {0xE7}
        assert machine.irr(0) == set()


def test_a_unit_without_extended_mode():
    with Machine(devices=DEVICES, iommu="intel-iommu,intremap=on,eim=off") as machine:
        bench = Bench(machine, eime=False)
        Descriptor(machine, vector=0xE7, apic_id=1, xapic=True)
        bench.unit.entry(5, posted(0x42))
        bench.a.fire(5)
        assert machine.irr(1) == {0xE7}


def test_a_descriptor_above_4_gib():
    high = 0x1_0000_1040
    with Machine(devices=DEVICES, extra=("-m", "4G")) as machine:
        bench = Bench(machine)
        descriptor = Descriptor(machine, high)
        bench.unit.entry(5, posted(0x42, descriptor=high))
        bench.a.fire(5)
        assert descriptor.pir() == {0x42}


@pytest.mark.parametrize("index", [0, 0x7FFF, 0x8005, 0xFFFF])
def test_all_sixteen_bits_of_the_handle(bench, index):
    descriptor = Descriptor(bench.machine)
    bench.unit.entry(index, posted(0x42))
    bench.a.fire(index)
    assert descriptor.pir() == {0x42}


@pytest.mark.parametrize("handle, subhandle, index", [(5, 0, 5), (5, 3, 8), (0x7FFE, 7, 0x8005)])
def test_the_subhandle_is_added_to_the_handle(bench, handle, subhandle, index):
    descriptor = Descriptor(bench.machine)
    bench.unit.entry(index, posted(0x42))
    bench.a.fire(handle, subhandle=subhandle)
    assert descriptor.pir() == {0x42}


def test_data_is_no_subhandle_without_shv(bench):
    descriptor = Descriptor(bench.machine)
    bench.unit.entry(5, posted(0x42))
    bench.a.fire(5, data=3)
    assert descriptor.pir() == {0x42}


# ---- what stays QEMU's ----


def test_a_remapped_entry_beside_a_posted_one(bench):
    descriptor = Descriptor(bench.machine, vector=0xE7)
    bench.unit.entry(5, posted(0x42))
    bench.unit.entry(6, remapped(0x66, apic_id=1))
    bench.a.fire(6)
    assert bench.machine.irr(1) == {0x66}
    assert bench.machine.irr(0) == set() and descriptor.pir() == set()
    bench.a.fire(5)
    assert bench.machine.irr(0) == {0xE7} and descriptor.pir() == {0x42}


# With EIME=1 whatever CFI says (VT-d 5.1.4).
@pytest.mark.parametrize("cfi", [0, 1 << 23])
def test_compatibility_format(bench, cfi):
    descriptor = Descriptor(bench.machine)
    bench.unit.write(vtd.GCMD, bench.unit.read(vtd.GSTS) & 0x96FFFFFF | cfi)
    bench.unit.entry(0x1000 >> 5, posted(0x42))
    bench.a.fire(address=0xFEE01000, data=0x55)
    assert bench.machine.irr(1) == set()
    assert descriptor.pir() == set()
    assert bench.unit.fault()[:2] == (0x25, bench.a.bdf)


def test_remapping_off(bench):
    descriptor = Descriptor(bench.machine)
    bench.unit.entry(5, posted(0x42))
    bench.unit.write(vtd.GCMD, bench.unit.read(vtd.GSTS) & 0x96FFFFFF & ~vtd.IRE)
    bench.a.fire(5, data=0x55)
    assert descriptor.pir() == set()
    assert bench.machine.irr(0) == {0x55}


# ---- the table ----


def test_the_table_pointer_takes_effect_with_its_command(bench):
    other = vtd.TABLE + 0x10000
    descriptor = Descriptor(bench.machine)
    bench.unit.entry(5, posted(0x42))
    bench.unit.entry(5, posted(0x43), table=other)
    bench.unit.write(vtd.IRTA, other | vtd.EIME | 7, 8)
    bench.a.fire(5)
    assert descriptor.pir() == {0x42}
    bench.unit.set_table(address=other, size_field=7)
    bench.a.fire(5)
    assert descriptor.pir() == {0x42, 0x43}


def test_an_index_beyond_the_table(bench):
    descriptor = Descriptor(bench.machine)
    bench.unit.set_table(size_field=3)  # 16 entries
    bench.unit.entry(15, posted(0x42))
    bench.unit.entry(16, posted(0x43))
    bench.a.fire(15)
    bench.a.fire(16)
    assert descriptor.pir() == {0x42}
    assert bench.unit.fault() == (0x21, bench.a.bdf, 16)


def test_a_table_outside_memory(bench):
    bench.unit.set_table(address=0xFD000000)
    bench.a.fire(5)
    assert bench.unit.fault() == (0x23, bench.a.bdf, 5)


def test_a_reset_forgets_the_table(bench):
    descriptor = Descriptor(bench.machine)
    bench.unit.entry(5, posted(0x42))
    bench.machine.qmp("system_reset")
    assert bench.unit.read(vtd.GSTS) == 0
    fresh = Bench(bench.machine, address=vtd.TABLE + 0x10000)
    fresh.unit.entry(5, posted(0x43), table=vtd.TABLE + 0x10000)
    fresh.a.fire(5)
    assert descriptor.pir() == {0x43}
