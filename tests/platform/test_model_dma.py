# SPDX-License-Identifier: BSD-2-Clause
"""strict=on and the tables for DMA (VT-d 6.2, 6.5.3, 6.6, 9.1, 9.3, 9.8): a good life of a grant is
silent, and each breach is told."""
import pytest

from conftest import EDU_A, EDU_B
from qtest_machine import command_line
from test_model_refusals import refused
from test_model_strict import Strict, breached, silent
from vtd import GCMD, GSTS

ROOT, CONTEXT, TOP, MIDDLE, LOW = 0x400000, 0x401000, 0x402000, 0x403000, 0x404000
TOP_2, MIDDLE_2 = 0x405000, 0x406000
PAGE = 0x600000
RTADDR = 0x20
TE, SRTP = 1 << 31, 1 << 30
DID = 5
CONTEXTS, PAGES = 1 | 1 << 4, 2 | 1 << 4  # all of them
CONTEXT_OF_A = 1 | 3 << 4 | DID << 16 | EDU_A << 32
PAGES_OF_DOMAIN = 2 | 2 << 4 | DID << 16


def tables(strict):
    """Device a reaches one page; tables of three levels."""
    write = strict.machine.write
    write(ROOT, CONTEXT | 1, 8)
    write(CONTEXT + 16 * EDU_A + 8, 1 | DID << 8, 8)
    write(CONTEXT + 16 * EDU_A, TOP | 1, 8)
    write(TOP, MIDDLE | 3, 8)
    write(MIDDLE + 8 * (PAGE >> 21), LOW | 3, 8)
    write(LOW + 8 * (PAGE >> 12 & 511), PAGE | 3, 8)


def set_root(strict, value=ROOT):
    strict.unit.write(RTADDR, value, 8)
    strict.command(SRTP)


def turn_on(strict, stop_b=True):
    strict.bring_up()
    if stop_b:
        strict.machine.config_write(EDU_B, 4, 2, 2)  # masters the bus no longer
    tables(strict)
    set_root(strict)
    for low in (CONTEXTS, PAGES):
        strict.queue(low)
        strict.wait()
    strict.command(TE)


@pytest.fixture
def fenced(tmp_path):
    strict = Strict(tmp_path)
    turn_on(strict)
    return strict


def revoke(strict):
    strict.machine.write(CONTEXT + 16 * EDU_A, 0, 8)


def test_a_grant_and_its_end_are_silent(fenced):
    with fenced:
        revoke(fenced)
        fenced.queue(CONTEXT_OF_A)
        fenced.wait()
        fenced.queue(PAGES_OF_DOMAIN)
        fenced.wait()
        fenced.machine.write(CONTEXT + 16 * EDU_A, TOP | 1, 8)  # and once more
        fenced.machine.write(LOW + 8 * 511, 0x6000 | 3, 8)
        fenced.wait()
    silent(fenced)


def test_other_tables_while_translating(fenced):
    with fenced:
        set_root(fenced, ROOT + 0x10000)
        fenced.queue(CONTEXTS)
        fenced.wait()
        fenced.queue(PAGES)
        fenced.wait()
    silent(fenced)


@pytest.mark.parametrize("invalidate", [
    [], [CONTEXT_OF_A], [PAGES_OF_DOMAIN], [PAGES_OF_DOMAIN, CONTEXT_OF_A],
    [CONTEXT_OF_A + (1 << 32), PAGES_OF_DOMAIN], [CONTEXT_OF_A, PAGES_OF_DOMAIN + (1 << 16)]])
def test_a_revocation_without_invalidation(fenced, invalidate):
    with fenced:
        revoke(fenced)
        for low in invalidate:
            fenced.queue(low)
        fenced.wait()
    breached(fenced, "dma-entry-not-invalidated", section="6.2, 6.5.3")


def test_it_is_told_when_translation_ends(fenced):
    with fenced:
        revoke(fenced)
        fenced.wait()
        fenced.command(TE, on=False)
    breached(fenced, "dma-entry-not-invalidated")


def test_a_grant_where_absent_entries_are_cached(tmp_path):
    """CAP.CM: as a context of domain 0, and all pages (VT-d 6.1, 6.2.2.1)."""
    for invalidate, rules in (([], ["dma-entry-not-invalidated"]), ([CONTEXTS], [])):
        folder = tmp_path / str(len(invalidate))
        folder.mkdir()
        with Strict(folder, iommu="intel-iommu,intremap=on,eim=on,caching-mode=on") as strict:
            turn_on(strict)
            strict.machine.write(CONTEXT + 16 * 99 + 8, 1 | DID << 8, 8)
            strict.machine.write(CONTEXT + 16 * 99, TOP | 1, 8)
            strict.wait()
            for low in invalidate:
                strict.queue(low)
                strict.wait()
            strict.command(TE, on=False)
        breached(strict, *rules) if rules else silent(strict)


@pytest.mark.parametrize("low, rules", [
    (PAGES_OF_DOMAIN, []), (PAGES, []),
    (PAGES_OF_DOMAIN + (1 << 16), ["dma-entry-not-invalidated"])])
def test_a_page_taken_away_from_a_domain(fenced, low, rules):
    """What another domain's pages are forgotten for is not this one's."""
    with fenced:
        fenced.machine.write(LOW + 8 * (PAGE >> 12 & 511), 0, 8)
        fenced.queue(low)
        fenced.wait()
    breached(fenced, *rules) if rules else silent(fenced)


def second_domain(strict, did):
    """Of a device that isn't there, with a page of its own."""
    write = strict.machine.write
    write(TOP_2, MIDDLE_2 | 3, 8)
    write(MIDDLE_2, PAGE | 3 | 1 << 7, 8)
    write(CONTEXT + 16 * 99 + 8, 1 | did << 8, 8)
    write(CONTEXT + 16 * 99, TOP_2 | 1, 8)
    strict.wait()


@pytest.mark.parametrize("did, rules", [(DID, ["dma-entry-not-invalidated"]), (DID + 1, [])])
def test_two_domains(fenced, did, rules):
    """The end of the second one's page is invalidated as the second one's."""
    with fenced:
        second_domain(fenced, DID + 1)
        fenced.machine.write(MIDDLE_2, 0, 8)
        fenced.queue(2 | 2 << 4 | did << 16)
        fenced.wait()
    breached(fenced, *rules) if rules else silent(fenced)


def test_one_domain_with_two_tables(fenced):
    with fenced:
        second_domain(fenced, DID)
    breached(fenced, "dma-domain-of-two", section="6.2.2.1, 9.3")
    assert "contexts of domain 5 lead to 0x402000, and to 0x405000" in fenced.machine.stderr


@pytest.mark.parametrize("invalidate", [[], [CONTEXTS]])
def test_a_page_taken_away_without_invalidation(fenced, invalidate):
    with fenced:
        fenced.machine.write(LOW + 8 * (PAGE >> 12 & 511), 0, 8)
        fenced.wait()
        for low in invalidate:
            fenced.queue(low)
        fenced.wait()
    breached(fenced, "dma-entry-not-invalidated")


@pytest.mark.parametrize("at, value", [
    (ROOT, CONTEXT + 0x20000 | 1), (CONTEXT + 16 * EDU_A, TOP + 0x20000 | 1),
    (LOW + 8 * (PAGE >> 12 & 511), PAGE | 1)])
def test_a_present_entry_changed_in_place(fenced, at, value):
    with fenced:
        fenced.machine.write(at, value, 8)
        fenced.queue(CONTEXTS)
        fenced.queue(PAGES)
        fenced.wait()
    breached(fenced, "dma-entry-in-place", section="6.2.3")


@pytest.mark.parametrize("at, value", [
    (ROOT + 16, CONTEXT | 1 | 2), (CONTEXT + 16 * 99, TOP | 1 | 1 << 5)])
def test_reserved_bits_of_entries(fenced, at, value):
    with fenced:
        fenced.machine.write(at, value, 8)
        fenced.wait()
    breached(fenced, "dma-entry-reserved")


def test_translation_before_the_table(tmp_path):
    with Strict(tmp_path) as strict:
        strict.bring_up()
        strict.unit.write(GCMD, strict.unit.read(GSTS) & 0x96FFFFFF | TE)
        strict.unit.read(GSTS)
    breached(strict, "te-before-srtp", section="6.6")


@pytest.mark.parametrize("order", [[], [CONTEXTS], [PAGES], [PAGES, CONTEXTS], [CONTEXT_OF_A, PAGES]])
def test_translation_before_the_invalidations(tmp_path, order):
    with Strict(tmp_path) as strict:
        strict.bring_up()
        tables(strict)
        set_root(strict)
        for low in order:
            strict.queue(low)
            strict.wait()
        strict.command(TE)
    breached(strict, "te-before-invalidation", section="6.6")


def test_translation_with_a_bus_master_on(tmp_path):
    """Device a has a context; what b has under way is blocked of a sudden."""
    with Strict(tmp_path) as strict:
        turn_on(strict, stop_b=False)
    breached(strict, "te-with-masters", section="6.6")
    assert "TE set while 00:04.5 masters the bus without a context" in strict.machine.stderr


def test_a_root_table_that_is_not_in_memory(tmp_path):
    with Strict(tmp_path) as strict:
        strict.bring_up()
        set_root(strict, 0xE8000000)
    breached(strict, "rtaddr-invalid", section="11.4.5")


# ---- the attacker ----


def test_an_attacker_that_is_not_there():
    said = refused(command_line(plugin_args=",attack=nobody"))
    assert "attack=nobody: the machine has no PCI device of that id" in said


def test_too_many_attackers():
    said = refused(command_line(plugin_args=",attack=a" * 5))
    assert "there are 4 attackers already" in said
