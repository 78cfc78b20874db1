// SPDX-License-Identifier: BSD-2-Clause
// Which unit serves which device (VT-d 8.3, 8.3.1), on a small tree of buses.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dmar_build.h"
#include "drivers/vtd/scope.h"

enum { PORT, SWITCH_UP, SWITCH_DOWN, DISK, NIC, OTHER_PORT, GPU, SOUND, FAR, ALONE, DEVICES };

static struct pci_dev devs[DEVICES];
static struct dmar d;
static struct warnings w;
static struct blob table;

struct pci_dev *pci_get(size_t index)
{
    return index < DEVICES ? &devs[index] : NULL;
}

static void add(unsigned i, uint16_t segment, uint16_t bdf, struct pci_dev *parent,
                uint8_t secondary, uint8_t subordinate)
{
    devs[i] = (struct pci_dev){ .segment = segment,
                                .bdf = bdf,
                                .requester = bdf,
                                .parent = parent,
                                .secondary = secondary,
                                .subordinate = subordinate };
    snprintf(devs[i].name, sizeof(devs[i].name), "%04x:%02x:%02x.%x", segment, PCI_BUS(bdf),
             PCI_DEV(bdf), PCI_FN(bdf));
}

// Bus numbers apart from those that counting would give.
static int set_up(void **state)
{
    add(PORT, 0, PCI_BDF(0, 28, 4), NULL, 0x20, 0x2f);
    add(SWITCH_UP, 0, PCI_BDF(0x20, 0, 0), &devs[PORT], 0x21, 0x2f);
    add(SWITCH_DOWN, 0, PCI_BDF(0x21, 3, 1), &devs[SWITCH_UP], 0x25, 0x25);
    add(DISK, 0, PCI_BDF(0x25, 0, 0), &devs[SWITCH_DOWN], 0, 0);
    add(NIC, 0, PCI_BDF(0x21, 4, 0), &devs[SWITCH_UP], 0, 0);
    add(OTHER_PORT, 0, PCI_BDF(0, 28, 5), NULL, 0x30, 0x30);
    add(GPU, 0, PCI_BDF(0x30, 0, 0), &devs[OTHER_PORT], 0, 0);
    add(SOUND, 0, PCI_BDF(0, 31, 3), NULL, 0, 0);
    add(FAR, 1, PCI_BDF(0x25, 0, 0), NULL, 0, 0);
    add(ALONE, 7, PCI_BDF(0x80, 1, 0), NULL, 0, 0);
    dmar_begin(&table, 1);
    return 0;
}

static void parse(void)
{
    struct problem p;
    blob_finish(&table);
    assert_true(dmar_parse(table.bytes, table.length, &d, &w, &p));
}

// Base address of the unit that serves the device; 0: none.
static uint64_t unit_of(unsigned i)
{
    size_t unit;
    struct problem p;
    if (scope_find(&d, &devs[i], &unit, &p))
        return d.units[unit].base;
    assert_string_equal(p.what, "vtd-no-unit");
    assert_non_null(strstr(p.message, devs[i].name));
    return 0;
}

static void test_endpoint(void **state)
{
    size_t at = dmar_drhd(&table, false, 0, 0x1000);
    dmar_scope(&table, at, 1, 0, DMAR_PATH(31, 3));
    dmar_drhd(&table, true, 0, 0x2000);
    parse();
    assert_int_equal(unit_of(SOUND), 0x1000);
    assert_int_equal(unit_of(GPU), 0x2000);
    assert_int_equal(unit_of(PORT), 0x2000);
    assert_int_equal(unit_of(FAR), 0); // another segment
}

// An endpoint scope that names a bridge means the bridge alone.
static void test_endpoint_is_exact(void **state)
{
    size_t at = dmar_drhd(&table, false, 0, 0x1000);
    dmar_scope(&table, at, 1, 0, DMAR_PATH(28, 4));
    dmar_drhd(&table, true, 0, 0x2000);
    parse();
    assert_int_equal(unit_of(PORT), 0x1000);
    assert_int_equal(unit_of(DISK), 0x2000);
}

// Nor is it one with the same numbers further down.
static void test_endpoint_above_its_like(void **state)
{
    add(ALONE, 0, PCI_BDF(0x30, 28, 5), &devs[OTHER_PORT], 0, 0);
    size_t at = dmar_drhd(&table, false, 0, 0x1000);
    dmar_scope(&table, at, 1, 0, DMAR_PATH(28, 5));
    dmar_drhd(&table, true, 0, 0x2000);
    parse();
    assert_int_equal(unit_of(OTHER_PORT), 0x1000);
    assert_int_equal(unit_of(ALONE), 0x2000);
}

static void test_bridge(void **state)
{
    size_t at = dmar_drhd(&table, false, 0, 0x1000);
    dmar_scope(&table, at, 2, 0, DMAR_PATH(28, 4));
    dmar_drhd(&table, true, 0, 0x2000);
    parse();
    assert_int_equal(unit_of(PORT), 0x1000); // the bridge itself
    assert_int_equal(unit_of(SWITCH_UP), 0x1000);
    assert_int_equal(unit_of(DISK), 0x1000);
    assert_int_equal(unit_of(NIC), 0x1000);
    assert_int_equal(unit_of(GPU), 0x2000); // behind the next port
}

// The path leads through bridges, whatever bus numbers they have.
static void test_path(void **state)
{
    size_t at = dmar_drhd(&table, false, 0, 0x1000);
    dmar_scope(&table, at, 1, 0, DMAR_PATH(28, 4, 0, 0, 3, 1, 0, 0));
    dmar_scope(&table, at, 2, 0, DMAR_PATH(28, 5));
    dmar_drhd(&table, true, 0, 0x2000);
    parse();
    assert_int_equal(unit_of(DISK), 0x1000);
    assert_int_equal(unit_of(SWITCH_DOWN), 0x2000);
    assert_int_equal(unit_of(NIC), 0x2000);
    assert_int_equal(unit_of(GPU), 0x1000);
}

// Device and function have five and three bits; the rest of their bytes leads nowhere else.
static void test_junk_bits(void **state)
{
    size_t at = dmar_drhd(&table, false, 0, 0x1000);
    dmar_scope(&table, at, 1, 0, DMAR_PATH(0xe0 | 28, 0xf8 | 4, 0x20 | 0, 8 | 0, 3, 1, 0xe0, 0xf8));
    dmar_scope(&table, at, 1, 0, DMAR_PATH(0xe0 | 31, 0xf8 | 3));
    dmar_drhd(&table, true, 0, 0x2000);
    parse();
    assert_int_equal(unit_of(DISK), 0x1000);
    assert_int_equal(unit_of(SOUND), 0x1000);
    assert_int_equal(unit_of(GPU), 0x2000);
}

// The bridges on the way are those of the unit's own segment.
static void test_bridge_of_segment(void **state)
{
    add(ALONE, 1, PCI_BDF(0, 28, 4), NULL, 0x25, 0x25);
    devs[FAR].parent = &devs[ALONE];
    size_t at = dmar_drhd(&table, false, 1, 0x1000);
    dmar_scope(&table, at, 1, 0, DMAR_PATH(28, 4, 0, 0));
    dmar_drhd(&table, true, 0, 0x2000);
    parse();
    assert_int_equal(unit_of(FAR), 0x1000);
    assert_int_equal(unit_of(SWITCH_UP), 0x2000);
}

// A path through a bridge that isn't there, or that has no bus, names nobody: neither on bus 0 nor
// on the bus that it has come to.
static void test_broken_path(void **state)
{
    size_t at = dmar_drhd(&table, false, 0, 0x1000);
    dmar_scope(&table, at, 1, 0, DMAR_PATH(9, 9, 0, 0));
    dmar_scope(&table, at, 1, 0, DMAR_PATH(31, 3, 28, 4));
    dmar_scope(&table, at, 2, 0, DMAR_PATH(9, 1, 28, 5));
    dmar_scope(&table, at, 1, 0, DMAR_PATH(28, 4, 0, 0, 9, 0, 4, 0));
    dmar_drhd(&table, true, 0, 0x2000);
    parse();
    for (unsigned i = PORT; i <= SOUND; i++)
        assert_int_equal(unit_of(i), 0x2000);
}

// Where the path before it led has nothing to do with one that leads nowhere.
static void test_broken_path_behind_another(void **state)
{
    size_t at = dmar_drhd(&table, false, 0, 0x1000);
    dmar_scope(&table, at, 1, 0, DMAR_PATH(28, 4));
    dmar_scope(&table, at, 2, 0, DMAR_PATH(9, 1, 0, 0));
    dmar_drhd(&table, true, 0, 0x2000);
    parse();
    assert_int_equal(unit_of(PORT), 0x1000);
    assert_int_equal(unit_of(DISK), 0x2000);
}

// The same path on two segments, and a segment without any unit.
static void test_segments(void **state)
{
    size_t at = dmar_drhd(&table, false, 1, 0x1000);
    dmar_scope(&table, at, 1, 0x25, DMAR_PATH(0, 0));
    dmar_drhd(&table, true, 0, 0x2000);
    parse();
    assert_int_equal(unit_of(FAR), 0x1000);
    assert_int_equal(unit_of(DISK), 0x2000);
    assert_int_equal(unit_of(ALONE), 0);
}

// Explicit scopes win, also where firmware lists the unit for all others first.
static void test_wrong_order(void **state)
{
    dmar_drhd(&table, true, 0, 0x2000);
    size_t at = dmar_drhd(&table, false, 0, 0x1000);
    dmar_scope(&table, at, 2, 0, DMAR_PATH(28, 4));
    parse();
    assert_int_equal(unit_of(DISK), 0x1000);
    assert_int_equal(unit_of(GPU), 0x2000);
}

static void test_none(void **state)
{
    size_t at = dmar_drhd(&table, false, 0, 0x1000);
    dmar_scope(&table, at, 1, 0, DMAR_PATH(31, 3));
    parse();
    assert_int_equal(unit_of(SOUND), 0x1000);
    assert_int_equal(unit_of(DISK), 0);
}

// What a VMD hides is where the VMD is, whatever its own numbers are: of the table's, they are none.
static void test_hidden(void **state)
{
    struct pci_domain domain = { .host = &devs[SOUND] };
    size_t at = dmar_drhd(&table, false, 0, 0x1000);
    dmar_scope(&table, at, 1, 0, DMAR_PATH(31, 3));
    at = dmar_drhd(&table, false, 0, 0x3000);
    dmar_scope(&table, at, 2, 0, DMAR_PATH(28, 4));
    dmar_drhd(&table, true, 0, 0x2000);
    parse();
    add(ALONE, 0, PCI_BDF(0x25, 0, 0), &devs[PORT], 0, 0);
    devs[ALONE].segment = PCI_SEGMENT_HIDDEN;
    devs[ALONE].domain = &domain;
    assert_int_equal(unit_of(ALONE), 0x1000);
    assert_int_equal(unit_of(DISK), 0x3000);
    domain.host = &devs[GPU];
    assert_int_equal(unit_of(ALONE), 0x2000);
}

// A loop among the parents ends.
static void test_damaged_tree(void **state)
{
    size_t at = dmar_drhd(&table, false, 0, 0x1000);
    dmar_scope(&table, at, 2, 0, DMAR_PATH(31, 3));
    dmar_drhd(&table, true, 0, 0x2000);
    parse();
    devs[PORT].parent = &devs[SWITCH_DOWN];
    assert_int_equal(unit_of(DISK), 0x2000);
}

// ---- reserved memory ----

// The bases of the ranges that are the device's, one hexadecimal digit each.
static const char *reserved_for(unsigned i)
{
    static char text[DMAR_RESERVED_MAX + 1];
    const struct dmar_reserved *range;
    size_t scope = 0, count = 0;
    while (scope_next_reserved(&d, &devs[i], &scope, &range))
        text[count++] = "0123456789abcdef"[range->base >> 12];
    text[count] = 0;
    assert_false(scope_next_reserved(&d, &devs[i], &scope, &range)); // that was all
    return text;
}

// All ranges that name it, or a bridge above it, and none of what names a unit's devices.
static void test_reserved(void **state)
{
    size_t at = dmar_drhd(&table, false, 0, 0x1000);
    dmar_scope(&table, at, 1, 0, DMAR_PATH(28, 5));
    dmar_drhd(&table, true, 0, 0x2000);
    at = dmar_rmrr(&table, 0, 0x5000, 0x5fff);
    dmar_scope(&table, at, 1, 0, DMAR_PATH(31, 3));
    dmar_scope(&table, at, 1, 0, DMAR_PATH(28, 5, 0, 0));
    at = dmar_rmrr(&table, 0, 0x6000, 0x6fff);
    dmar_scope(&table, at, 2, 0, DMAR_PATH(28, 4));
    at = dmar_rmrr(&table, 1, 0x7000, 0x7fff);
    dmar_scope(&table, at, 1, 0x25, DMAR_PATH(0, 0));
    at = dmar_rmrr(&table, 0, 0x8000, 0x8fff);
    dmar_scope(&table, at, 1, 0, DMAR_PATH(31, 3));
    dmar_rmrr(&table, 0, 0x9000, 0x9fff); // nobody's
    parse();
    assert_string_equal(reserved_for(SOUND), "58");
    assert_string_equal(reserved_for(GPU), "5");
    assert_string_equal(reserved_for(DISK), "6");
    assert_string_equal(reserved_for(PORT), "6");
    assert_string_equal(reserved_for(FAR), "7");
    assert_string_equal(reserved_for(OTHER_PORT), "");
    assert_string_equal(reserved_for(ALONE), "");
    assert_int_equal(unit_of(SOUND), 0x2000); // whatever is reserved for it
    assert_int_equal(unit_of(OTHER_PORT), 0x1000);
}

// The same numbers in another segment are another device's.
static void test_reserved_in_another_segment(void **state)
{
    dmar_drhd(&table, true, 0, 0x2000);
    size_t at = dmar_rmrr(&table, 0, 0x5000, 0x5fff);
    dmar_scope(&table, at, 1, 0x25, DMAR_PATH(0, 0));
    at = dmar_rmrr(&table, 1, 0x6000, 0x6fff);
    dmar_scope(&table, at, 1, 0x25, DMAR_PATH(0, 0));
    parse();
    assert_string_equal(reserved_for(DISK), "5");
    assert_string_equal(reserved_for(FAR), "6");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_endpoint, set_up),
        cmocka_unit_test_setup(test_endpoint_is_exact, set_up),
        cmocka_unit_test_setup(test_endpoint_above_its_like, set_up),
        cmocka_unit_test_setup(test_bridge, set_up),
        cmocka_unit_test_setup(test_path, set_up),
        cmocka_unit_test_setup(test_junk_bits, set_up),
        cmocka_unit_test_setup(test_bridge_of_segment, set_up),
        cmocka_unit_test_setup(test_broken_path, set_up),
        cmocka_unit_test_setup(test_broken_path_behind_another, set_up),
        cmocka_unit_test_setup(test_segments, set_up),
        cmocka_unit_test_setup(test_wrong_order, set_up),
        cmocka_unit_test_setup(test_none, set_up),
        cmocka_unit_test_setup(test_hidden, set_up),
        cmocka_unit_test_setup(test_damaged_tree, set_up),
        cmocka_unit_test_setup(test_reserved, set_up),
        cmocka_unit_test_setup(test_reserved_in_another_segment, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
