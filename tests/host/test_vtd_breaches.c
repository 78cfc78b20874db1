// SPDX-License-Identifier: BSD-2-Clause
// Breaches of functions that were given away: each one is handed on, with whose it was, however many people
// are told of; and no function gets at another's interrupts.

#include "vtd_fenced.h"

#define MINE (4 * GIB)
#define PHYS (9 * GIB)
#define REASON_ABSENT 0x22
#define REASON_SOURCE 0x26

static struct {
    unsigned count, lost, of_disk, of_other;
    bool knows; // people have been told
    struct pci_blocked last;
    char sentence[512];
} seen;

static bool on_blocked(struct pci_dev *dev, const struct pci_blocked *what)
{
    seen.count++;
    seen.lost += what->lost;
    seen.of_disk += dev == DISK;
    seen.of_other += dev == OTHER;
    seen.last = *what;
    snprintf(seen.sentence, sizeof(seen.sentence), "%s", what->sentence);
    return seen.knows;
}

// The disk has memory of its own, the other one is the kernel's.
static struct model_unit *given(void)
{
    struct model_unit *m = fenced_unit();
    model_memory_free = 0; // a small table of entries
    machine_enable();
    DISK->space = machine_fence->create(&p);
    assert_true(machine_fence->map(DISK->space, MINE, PHYS, 2 * MIB, &p));
    grant(DISK);
    grant(OTHER);
    memset(&seen, 0, sizeof(seen));
    pci_on_blocked(on_blocked);
    return m;
}

static int finish(void **state)
{
    pci_on_blocked(NULL);
    return end(state);
}

// The sentence says whose address it is, and the run goes on.
static void test_memory(void **state)
{
    struct model_unit *m = given();
    assert_int_equal(writes(m, DISK, PIECE + 0x5123), REASON_WRITE);
    vtd_report_faults();
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.of_disk, 1);
    assert_false(seen.last.interrupt || seen.last.reads || seen.last.lost);
    assert_int_equal(seen.last.address, PIECE + 0x5000);
    assert_string_equal(seen.sentence, told.warning);
    assert_non_null(strstr(seen.sentence, "write of 0000:00:04.0 at 0x200005000 (as its domain"));
    assert_int_equal(told.errors, 0);
    assert_int_equal(reads(m, DISK, 0), REASON_READ);
    vtd_report_faults();
    assert_true(seen.last.reads);
    assert_int_equal(seen.count, 2);
}

static void test_the_kernel_s_own(void **state)
{
    struct model_unit *m = given();
    assert_int_equal(writes(m, OTHER, MINE), REASON_WRITE);
    vtd_report_faults();
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.of_other, 1);
    assert_int_equal(told.errors, 1); // ours
    assert_int_equal(model_dma(m, PCI_BDF(0, 9, 0), MINE, true), REASON_FUNCTION);
    vtd_report_faults();
    assert_int_equal(seen.count, 1); // nobody's
}

// Long after people have heard enough.
static void test_a_storm(void **state)
{
    struct model_unit *m = given();
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(writes(m, DISK, MINE + GIB + i * 4096ull), REASON_WRITE);
        vtd_report_faults();
        assert_int_equal(seen.of_disk, i + 1);
        assert_int_equal(seen.last.address, MINE + GIB + i * 4096ull);
    }
    assert_in_range(told.warnings, 1, 12);
}

// Nothing is told twice; and what given functions do uses up no sentence of the others'.
static void test_told_by_others(void **state)
{
    struct model_unit *m = given();
    seen.knows = true;
    assert_int_equal(writes(m, DISK, 0), REASON_WRITE);
    vtd_report_faults();
    assert_int_equal(seen.of_disk, 1);
    assert_int_equal(told.warnings + told.errors, 0);
    seen.knows = false;
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(writes(m, DISK, 0), REASON_WRITE);
        vtd_report_faults();
    }
    assert_int_equal(writes(m, OTHER, MINE + 0x7000), REASON_WRITE);
    vtd_report_faults();
    assert_int_equal(told.errors, 1);
}

// The unit had no room for all: what it lost may have been anybody's.
static void test_an_overflow(void **state)
{
    struct model_unit *m = given();
    for (unsigned i = 0; i < 6; i++) // of 4 records
        assert_int_equal(writes(m, DISK, 0), REASON_WRITE);
    vtd_report_faults();
    assert_int_equal(seen.of_disk, 4);
    assert_int_equal(seen.count, 5);
    assert_int_equal(seen.lost, 1);
    assert_non_null(strstr(seen.sentence, "isn't known"));
    assert_non_null(strstr(seen.sentence, "0xfed90000"));
}

// What it did is told before it is anybody else's.
static void test_before_the_next_owner(void **state)
{
    struct model_unit *m = given();
    assert_int_equal(writes(m, DISK, 0), REASON_WRITE);
    revoke(DISK);
    assert_int_equal(seen.of_disk, 1);
    DISK->space = NULL;
    grant(DISK);
    vtd_report_faults();
    assert_int_equal(seen.count, 1);
    assert_rules_kept(m);
}

static bool end_it(struct pci_dev *dev, const struct pci_blocked *what)
{
    if (dev->granted)
        revoke(dev);
    return on_blocked(dev, what);
}

// Each breach is told once, as what it was, though the first one is the end.
static void test_the_end_by_a_breach(void **state)
{
    struct model_unit *m = given();
    pci_on_blocked(end_it);
    assert_int_equal(writes(m, DISK, 0x1000), REASON_WRITE);
    assert_int_equal(writes(m, DISK, 0x2000), REASON_WRITE);
    vtd_report_faults();
    assert_int_equal(seen.of_disk, 2);
    assert_int_equal(seen.last.address, 0x2000);
    assert_int_equal(told.warnings, 2);
    assert_string_equal(seen.sentence, told.warning);
    assert_int_equal(writes(m, DISK, 0x1000), REASON_FUNCTION);
    assert_rules_kept(m);
}

// All functions that send by the id may have been it.
static void test_a_shared_id(void **state)
{
    struct model_unit *m = given();
    OTHER->segment = 7;
    assert_int_equal(writes(m, OTHER, MINE), REASON_WRITE); // in another segment
    vtd_report_faults();
    OTHER->segment = 0;
    assert_int_equal(seen.count, 0);
    OTHER->requester = PCI_BDF(0, 30, 0);
    assert_int_equal(writes(m, OTHER, MINE), REASON_FUNCTION);
    assert_int_equal(model_dma(m, OTHER->bdf, MINE, true), REASON_WRITE);
    vtd_report_faults();
    assert_int_equal(seen.of_other, 2);
    assert_int_equal(seen.count, 2);
}

static void test_nobody_asked(void **state)
{
    struct model_unit *m = given();
    pci_on_blocked(NULL);
    assert_int_equal(writes(m, DISK, 0), REASON_WRITE);
    vtd_report_faults();
    assert_int_equal(seen.count, 0);
    assert_int_equal(told.warnings, 1);
}

// ---- interrupts ----

static unsigned send(struct model_unit *m, const struct pci_dev *dev, uint32_t index)
{
    return model_msi(m, dev->requester, 0xfee00010 | (uint64_t)index << 5, 0).reason;
}

// The table keeps the address of `irq`, for its name.
static void route(const struct irq_chip *chip, struct pci_dev *dev, struct irq *irq)
{
    *irq = (struct irq){ .name = "queue", .dev = dev, .vector = 0x41 };
    assert_true(chip->alloc(irq, &p));
    assert_true(chip->route(irq, machine_place(irq), &p));
}

#define for_each_chip(chip)                                                                        \
    for (unsigned i = 0; i < 2 && (chip = i ? &vtd_chip_posted : &vtd_chip_remapped, true); i++)

// A domain's function sends by its own entry, and by no other, be it in use, free, or past the table; and it
// is the domain's breach, not an error of the kernel's.
static void test_others_entries(void **state)
{
    const struct irq_chip *chip;
    for_each_chip(chip)
    {
        struct model_unit *m = given();
        struct irq mine, theirs;
        route(chip, DISK, &mine);
        route(chip, OTHER, &theirs);
        const uint32_t wrong[] = { theirs.chip_handle, theirs.chip_handle + 1, 0x7fff };
        assert_int_equal(send(m, DISK, mine.chip_handle), 0);
        assert_int_equal(send(m, OTHER, theirs.chip_handle), 0);
        for (unsigned w = 0; w < ARRAY_SIZE(wrong); w++) {
            assert_true(send(m, DISK, wrong[w]));
            vtd_report_faults();
            assert_int_equal(seen.of_disk, w + 1);
            assert_true(seen.last.interrupt);
        }
        assert_int_equal(seen.count, ARRAY_SIZE(wrong));
        assert_int_equal(told.errors, 0);
        assert_int_equal(send(m, OTHER, mine.chip_handle), REASON_SOURCE);
        assert_rules_kept(m);
    }
}

// At a domain's end its entries are empty, and the unit has forgotten them before anybody else has one.
static void test_entries_of_before(void **state)
{
    const struct irq_chip *chip;
    for_each_chip(chip)
    {
        struct model_unit *m = given();
        struct irq mine, next;
        route(chip, DISK, &mine);
        assert_int_equal(send(m, DISK, mine.chip_handle), 0); // it is in the cache now
        m->log[0] = 0;
        chip->free(&mine);
        assert_non_null(strstr(m->log, "IEC"));
        assert_int_equal(send(m, DISK, mine.chip_handle), REASON_ABSENT);
        do
            route(chip, OTHER, &next);
        while (next.chip_handle != mine.chip_handle);
        assert_int_equal(send(m, OTHER, next.chip_handle), 0);
        assert_int_equal(send(m, DISK, next.chip_handle), REASON_SOURCE);
        assert_rules_kept(m);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_memory, finish),
        cmocka_unit_test_teardown(test_the_kernel_s_own, finish),
        cmocka_unit_test_teardown(test_a_storm, finish),
        cmocka_unit_test_teardown(test_told_by_others, finish),
        cmocka_unit_test_teardown(test_an_overflow, finish),
        cmocka_unit_test_teardown(test_before_the_next_owner, finish),
        cmocka_unit_test_teardown(test_the_end_by_a_breach, finish),
        cmocka_unit_test_teardown(test_a_shared_id, finish),
        cmocka_unit_test_teardown(test_nobody_asked, finish),
        cmocka_unit_test_teardown(test_others_entries, finish),
        cmocka_unit_test_teardown(test_entries_of_before, finish),
    };
    return run_on_both_kinds(tests);
}
