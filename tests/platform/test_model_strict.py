# SPDX-License-Identifier: BSD-2-Clause
"""strict=on: entries are cached until they are invalidated, and a breach of VT-d's programming
rules is named, counted, and makes QEMU fail."""

import json

import pytest

import vtd
from conftest import DEVICES, EDU_A, EDU_B
from qtest_machine import Edu, Machine, command_line
from test_model_refusals import refused
from vtd import GCMD, GSTS, IQA, IQT, IRE, IRTA, QIE, SIRTP, Descriptor, posted, remapped

QUEUE, STATUS = 0x280000, 0x281000
UNASSIGNED = 0xE8000000
SAVED = 0x96FFFFFF  # of GSTS, for GCMD
IQH, SRTP, CFI = 0x80, 1 << 30, 1 << 23
BREACH = 77
MANY = 16  # IM: more than there is


class Strict:
    """A machine with strict=on, and what it said in the end."""

    def __init__(self, folder, iommu="intel-iommu,intremap=on,eim=on"):
        self.json = folder / "json"
        self.machine = Machine(devices=DEVICES, iommu=iommu,
                               plugin_args=f",strict=on,json={self.json}")
        self.unit = vtd.Unit(self.machine)
        self.a = Edu(self.machine, EDU_A, 0xE0000000)
        self.b = Edu(self.machine, EDU_B, 0xE0100000)
        self.tail = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        self.machine.__exit__(kind, *rest)
        self.told = json.loads(self.json.read_text())

    def command(self, bits, on=True):
        status = self.unit.read(GSTS) & SAVED
        self.unit.write(GCMD, status | bits if on else status & ~bits)
        assert bool(self.unit.read(GSTS) & bits) == on

    def start_queue(self, iqa=QUEUE):
        self.unit.write(IQT, 0, 8)
        self.unit.write(IQA, iqa, 8)
        self.command(QIE)

    def queue(self, low, high=0):
        self.machine.write(QUEUE + self.tail, low, 8)
        self.machine.write(QUEUE + self.tail + 8, high, 8)
        self.tail = (self.tail + 16) % 4096
        self.unit.write(IQT, self.tail, 8)

    def wait(self, value=0x600D):
        self.queue(5 | 1 << 5 | value << 32, STATUS)
        assert self.machine.read(STATUS, 4) == value

    def invalidate_all(self):
        self.queue(4)
        self.wait()

    def invalidate(self, index, mask_bits=0):
        self.queue(4 | 1 << 4 | mask_bits << 27 | index << 32)
        self.wait()

    def bring_up(self):
        self.start_queue()
        self.unit.write(IRTA, vtd.TABLE | vtd.EIME | 7, 8)
        self.command(SIRTP)
        self.invalidate_all()
        self.command(IRE)


@pytest.fixture
def fresh(tmp_path):
    return Strict(tmp_path)


@pytest.fixture
def up(tmp_path):
    strict = Strict(tmp_path)
    strict.bring_up()
    return strict


def silent(strict):
    assert strict.told["breaches"] == {}
    assert "breach of" not in strict.machine.stderr
    assert strict.machine.status == 0


def breached(strict, *rules, section=None, count=1):
    """Exactly these rules, each named once or more."""
    assert strict.told["breaches"] == {rule: count for rule in rules}
    for rule in rules:
        lines = [line for line in strict.machine.stderr.splitlines()
                 if line.startswith("onebell-posted: breach of VT-d ") and f", {rule} (" in line]
        assert len(lines) == min(count, 3), strict.machine.stderr
        if section:
            assert f"VT-d {section}, " in lines[0]
    assert strict.machine.status == BREACH


# ---- good sequences ----


def test_a_good_bring_up_is_silent(up):
    with up:
        Descriptor(up.machine, vector=0xE7)
        up.unit.entry(5, posted(0x42))
        up.unit.entry(6, remapped(0x66, apic_id=1))
        up.a.fire(5)
        up.b.fire(6)
        assert up.machine.irr(0) == {0xE7} and up.machine.irr(1) == {0x66}
    silent(up)
    assert (up.told["posted"], up.told["passed"], up.told["stale_uses"]) == (1, 1, 0)


def test_a_good_take_over_is_silent(up):
    with up:
        up.command(IRE, on=False)
        up.wait()
        up.command(QIE, on=False)
        up.unit.write(IRTA, 0, 8)
        up.tail = 0
        up.bring_up()
        up.unit.write(IRTA, vtd.TABLE | vtd.EIME | 7, 8)  # another table, with remapping on
        up.command(SIRTP)
        up.invalidate_all()
    silent(up)


def test_the_queue_goes_round(up):
    with up:
        for value in range(300):
            up.wait(value)
    silent(up)


def test_a_reset_starts_afresh(up):
    with up:
        up.unit.entry(5, remapped(0x66, apic_id=1))
        up.a.fire(5)
        up.machine.qmp("system_reset")
        up.tail = 0
        up.bring_up()
        up.unit.entry(5, remapped(0x67, apic_id=1))
        Edu(up.machine, EDU_A, 0xE0000000).fire(5)
        assert up.machine.irr(1) == {0x67}
    silent(up)


@pytest.mark.parametrize("apic_id, sent", [(1, 1), (0, 0)])
def test_without_extended_mode(tmp_path, apic_id, sent):
    with Strict(tmp_path, iommu="intel-iommu,intremap=on,eim=off") as strict:
        strict.start_queue()
        strict.unit.write(IRTA, vtd.TABLE | 7, 8)
        strict.command(SIRTP)
        strict.invalidate_all()
        strict.command(IRE)
        strict.unit.entry(5, remapped(0x66, apic_id=apic_id << 8))
        strict.a.fire(5)
        assert strict.machine.irr(sent) == {0x66} and strict.machine.irr(1 - sent) == set()
    silent(strict)


def test_source_ids_of_remapped_entries(up):
    with up:
        up.unit.entry(5, remapped(0x66, apic_id=1, svt=vtd.SVT_SID, sid=EDU_A))
        up.b.fire(5)
        assert up.unit.fault() == (0x26, EDU_B, 5) and up.machine.irr(1) == set()
        up.a.fire(5)
        assert up.machine.irr(1) == {0x66}
    silent(up)


# ---- the cache ----


def changed_entries(up):
    """Entry 5 used as remapped to vector 66h, entry 6 as posted; both changed in memory."""
    descriptor = Descriptor(up.machine, sn=1)
    up.unit.entry(5, remapped(0x66, apic_id=1))
    up.unit.entry(6, posted(0x42))
    up.a.fire(5)
    up.b.fire(6)
    up.unit.entry(5, remapped(0x67, apic_id=1))
    up.unit.entry(6, posted(0x43))
    return descriptor


def test_without_invalidation_the_old_entry_serves(up):
    with up:
        descriptor = changed_entries(up)
        up.a.fire(5)
        up.b.fire(6)
        assert up.machine.irr(1) == {0x66} and descriptor.pir() == {0x42}
    assert up.told["stale_uses"] == 2
    breached(up, "entry-not-invalidated", section="6.5.2.8", count=2)


def test_entries_that_are_stale_when_remapping_ends(up):
    with up:
        changed_entries(up)
        up.invalidate(5)
        up.command(IRE, on=False)
        up.invalidate(6)
    breached(up, "entry-not-invalidated", section="6.5.2.8")


def test_an_entry_that_is_no_longer_present_serves_on(up):
    with up:
        changed_entries(up)
        up.unit.entry(5, (0, 0))
        up.a.fire(5)
        assert up.unit.fault() is None
    assert up.told["stale_uses"] == 1


@pytest.mark.parametrize("how", ["all", "each", "mask"])
def test_after_invalidation_the_new_entry_serves(up, how):
    with up:
        descriptor = changed_entries(up)
        if how == "all":
            up.invalidate_all()
        elif how == "each":
            up.invalidate(5)
            up.invalidate(6)
        else:
            up.invalidate(4, mask_bits=2)
        up.a.fire(5)
        up.b.fire(6)
        assert up.machine.irr(1) == {0x66, 0x67} and descriptor.pir() == {0x42, 0x43}
    silent(up)
    assert up.told["stale_uses"] == 0


@pytest.mark.parametrize("index, mask_bits", [(4, 0), (6, 0), (6, 1), (0, 2), (8, 2)])
def test_an_invalidation_that_is_too_narrow(up, index, mask_bits):
    with up:
        changed_entries(up)
        up.invalidate(index, mask_bits)
        up.a.fire(5)
        assert up.machine.irr(1) == {0x66}
    assert up.told["stale_uses"] == 1


def test_entries_outlive_a_new_table(up):
    with up:
        changed_entries(up)
        up.unit.write(IRTA, vtd.TABLE | vtd.EIME | 7, 8)
        up.command(SIRTP)
        up.a.fire(5)
        assert up.machine.irr(1) == {0x66}
        up.invalidate_all()
        up.a.fire(5)
        assert up.machine.irr(1) == {0x66, 0x67}


def test_an_entry_that_was_not_present_is_not_cached(up):
    with up:
        up.a.fire(5)
        up.unit.entry(5, remapped(0x66, apic_id=1))
        up.a.fire(5)
        assert up.machine.irr(1) == {0x66}
    breached(up, "entry-not-present", section="5.1.4")


# ---- commands ----


def test_two_commands_at_once(fresh):
    with fresh:
        fresh.unit.write(IQA, QUEUE, 8)
        fresh.unit.write(GCMD, QIE | CFI)
        fresh.unit.read(GSTS)
    breached(fresh, "gcmd-one-command", section="11.4.4.1")


def test_a_status_bit_that_is_written_back(fresh):
    """IRTPS in GSTS is SIRTP in GCMD: it belongs masked."""
    with fresh:
        fresh.start_queue()
        fresh.unit.write(IRTA, vtd.TABLE | vtd.EIME | 7, 8)
        fresh.command(SIRTP)
        fresh.invalidate_all()
        fresh.unit.write(GCMD, fresh.unit.read(GSTS) | IRE)
    breached(fresh, "gcmd-one-command", "ire-before-invalidation")


def test_a_command_on_top_of_another(fresh):
    with fresh:
        fresh.unit.write(IQA, QUEUE, 8)
        fresh.unit.write(GCMD, QIE)
        fresh.unit.write(GCMD, QIE | SRTP)
    breached(fresh, "gcmd-not-awaited", section="11.4.4.1")


def test_remapping_without_a_table(fresh):
    with fresh:
        fresh.start_queue()
        fresh.invalidate_all()
        fresh.command(IRE)
    breached(fresh, "ire-before-sirtp", section="6.7")


@pytest.mark.parametrize("order", ["never", "before"])
def test_remapping_with_what_was_cached_before(fresh, order):
    with fresh:
        fresh.start_queue()
        if order == "before":
            fresh.invalidate_all()
        fresh.unit.write(IRTA, vtd.TABLE | vtd.EIME | 7, 8)
        fresh.command(SIRTP)
        fresh.invalidate(0, 15)
        fresh.command(IRE)
    breached(fresh, "ire-before-invalidation", section="6.7")


@pytest.mark.parametrize("then", ["another command", "nothing"])
def test_a_table_address_that_is_not_taken(up, then):
    with up:
        up.unit.write(IRTA, vtd.TABLE + 0x10000 | vtd.EIME | 7, 8)
        if then == "another command":
            up.command(QIE, on=False)
    breached(up, "irta-without-sirtp", section="6.7")


@pytest.mark.parametrize("irta", [vtd.TABLE | vtd.EIME | 1 << 4 | 7, vtd.TABLE | vtd.EIME | 1 << 10,
                                  UNASSIGNED | vtd.EIME | 7, 0x3FFF000 | vtd.EIME | 8])
def test_a_bad_table_address(fresh, irta):
    with fresh:
        fresh.unit.write(IRTA, irta, 8)
        fresh.command(SIRTP)
    breached(fresh, "irta-invalid", section="5.1.3")


def test_extended_mode_that_is_not_there(tmp_path):
    with Strict(tmp_path, iommu="intel-iommu,intremap=on,eim=off") as strict:
        strict.unit.write(IRTA, vtd.TABLE | vtd.EIME | 7, 8)
        strict.command(SIRTP)
    breached(strict, "irta-invalid")


# ---- the queue ----


def test_a_queue_that_moves_while_it_is_on(up):
    with up:
        up.unit.write(IQA, QUEUE + 0x1000)
    breached(up, "iqa-while-enabled", section="6.5.2")


@pytest.mark.parametrize("iqa", [QUEUE | 1 << 3, QUEUE | 1 << 10, QUEUE | 1 << 11, UNASSIGNED,
                                 0x3FFF000 | 1])
def test_a_bad_queue_address(fresh, iqa):
    with fresh:
        fresh.start_queue(iqa)
    breached(fresh, "iqa-invalid", section="6.5.2")


def test_a_queue_that_starts_in_its_midst(fresh):
    with fresh:
        fresh.machine.write(QUEUE, 4, 8)
        fresh.unit.write(IQT, 16, 8)
        fresh.unit.write(IQA, QUEUE, 8)
        fresh.command(QIE)
    breached(fresh, "iqt-not-zero", section="6.5.2")


@pytest.mark.parametrize("tail", [8, 1 << 19, 4096, 1 << 32])
def test_a_bad_tail(up, tail):
    with up:
        up.unit.write(IQT, up.tail | tail, 8)
    breached(up, "iqt-invalid", section="6.5.2")


def test_a_queue_that_is_turned_off_at_work(up):
    with up:
        up.queue(0xF)  # where it stops
        up.unit.write(GCMD, up.unit.read(GSTS) & SAVED & ~QIE)
    breached(up, "descriptor-type", "qie-off-with-work", section="6.5.2")


@pytest.mark.parametrize("low", [0, 9, 0xF, 6, 4 | 1 << 9])
def test_an_unknown_descriptor(up, low):
    with up:
        up.queue(low)
    breached(up, "descriptor-type", section="6.5.2")


@pytest.mark.parametrize("low, high", [
    (4 | 1 << 5, 0), (4 | 1 << 12, 0), (4 | 1 << 26, 0), (4 | 1 << 48, 0), (4, 1), (4, 1 << 63),
    (5 | 1 << 5 | 1 << 8, STATUS), (5 | 1 << 5 | 1 << 12, STATUS), (5 | 1 << 5 | 1 << 31, STATUS),
    (5 | 1 << 5, STATUS | 1), (1 | 1 << 4 | 1 << 50, 0), (2 | 1 << 4, 1 << 7)])
def test_reserved_bits_of_descriptors(up, low, high):
    with up:
        up.queue(low, high)
    breached(up, "descriptor-reserved", section="6.5.2")


def test_a_descriptor_behind_a_bad_one_does_nothing(up):
    with up:
        changed_entries(up)
        up.queue(4, 1)
        up.queue(4)
        up.a.fire(5)
        assert up.machine.irr(1) == {0x66}
        up.command(IRE, on=False)
    assert up.told["breaches"] == {"descriptor-reserved": 1, "entry-not-invalidated": 2}


def test_a_mask_that_is_too_wide(up):
    with up:
        up.invalidate(0, MANY)
    breached(up, "iec-mask", section="6.5.2.8")


@pytest.mark.parametrize("address", [UNASSIGNED, 0xFED90000 + 0x200, 0xFFFFF000])
def test_a_status_that_is_not_memory(up, address):
    with up:
        up.queue(5 | 1 << 5 | 1 << 32, address)
    breached(up, "wait-status", section="6.5.2.9")


# ---- entries and descriptors ----


@pytest.mark.parametrize("entry", [
    (posted(0x42)[0] | 1 << 2, 0), (posted(0x42)[0] | 1 << 12, 0), (posted(0x42)[0] | 1 << 31, 0),
    (posted(0x42)[0], 1 << 20), (remapped(0x66, 1)[0] | 1 << 12, 0),
    (remapped(0x66, 1)[0] | 1 << 14, 0), (remapped(0x66, 1)[0] | 1 << 24, 0),
    (remapped(0x66, 1)[0], 1 << 20), (remapped(0x66, 1)[0], 1 << 63)])
def test_reserved_bits_of_entries(up, entry):
    with up:
        Descriptor(up.machine)
        up.unit.entry(5, entry)
        up.a.fire(5)
        up.a.fire(5)
        assert up.unit.fault() == (0x24, EDU_A, 5)
        assert up.machine.irr(1) == set()
    breached(up, "entry-reserved", section="9.9, 9.10")  # at the first use


def test_an_unaligned_posted_descriptor(up):
    with up:
        up.unit.entry(5, (posted(0x42)[0] | 1 << 37, 0))
        up.a.fire(5)
    breached(up, "posted-descriptor-unaligned", section="9.10, 9.11")


def test_a_posted_descriptor_outside_memory(up):
    with up:
        up.unit.entry(5, posted(0x42, descriptor=UNASSIGNED))
        for _ in range(5):
            up.a.fire(5)
    breached(up, "posted-descriptor-memory", section="9.11", count=5)


def test_reserved_bits_of_a_posted_descriptor(up):
    with up:
        Descriptor(up.machine).control |= 4
        up.unit.entry(5, posted(0x42))
        up.a.fire(5)
    breached(up, "posted-descriptor-reserved", section="9.11")


# ---- what is told ----


def test_the_table_names_the_breaches(up):
    with up:
        up.a.fire(5)
        up.invalidate(0, MANY)
    table = up.machine.stderr[up.machine.stderr.index("interrupt posting on"):]
    rows = {" ".join(line.split()[:-1]): line.split()[-1] for line in table.splitlines()}
    assert rows["breaches of the rules"] == "2"
    assert rows["entry-not-present"] == rows["iec-mask"] == "1"


@pytest.mark.parametrize("argument", ["", ",strict=off"])
def test_nothing_is_told_without_it(tmp_path, argument):
    with Machine(devices=DEVICES, plugin_args=f"{argument},json={tmp_path / 'json'}") as machine:
        vtd.Unit(machine).write(GCMD, QIE | CFI)
        vtd.Unit(machine).write(GCMD, IRE)
    assert machine.status == 0 and "breach" not in machine.stderr
    assert "breaches" not in json.loads((tmp_path / "json").read_text())


@pytest.mark.parametrize("argument", ["strict=", "strict=yes", "strict=only"])
def test_an_argument_that_is_neither_on_nor_off(argument):
    assert f"'{argument}'" in refused(command_line(plugin_args=f",{argument}"))
