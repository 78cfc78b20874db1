// SPDX-License-Identifier: BSD-2-Clause
// The checks of units' capabilities and of what firmware left on: two good units pass, and each way to be
// wrong gives its ids and no others.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "drivers/vtd/platform/hsti_check.h"
#include "drivers/vtd/platform/unit_check.h"
#include "lib/bits.h"
#include "lib/string.h"

// By the bits' places (VT-d 11.4.2, 11.4.3, 11.4.4.2), not by the driver's names.
#define CAP (1ull << 59 | 47ull << 16 | 4ull << 8)
#define ECAP (1ull << 1 | 1ull << 3 | 1ull << 4)

static struct checks checks;
static struct check_registers units[2];
static struct unit_check_input input;

static const char *found(void)
{
    static char ids[512];
    size_t used = 0;
    ids[0] = 0;
    for (size_t i = 0; i < CHECKS; i++)
        if (checks.of[i].verdict == checks_list[i].bad)
            used += (size_t)snprintf(ids + used, sizeof(ids) - used, "%s ", checks_list[i].id);
    return ids;
}

static void run(size_t count)
{
    memset(&checks, 0, sizeof(checks));
    input.count = count;
    unit_check(&input, &checks);
}

static int build(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        units[i] = (struct check_registers){
            .base = 0xfed90000 + 0x1000 * i,
            .cap = CAP,
            .ecap = ECAP,
            .left.fectl = BIT32(31),
        };
    input = (struct unit_check_input){ units, 2, .remaps = true, .x2apic = true };
    return 0;
}

static void test_good(void **state)
{
    run(2);
    assert_string_equal(found(), "");
    assert_int_equal(checks_count(&checks, CHECK_PASS), CHECKS - CHECK_UNIT_FIRST);
    run(0);
    assert_int_equal(checks_count(&checks, CHECK_SKIPPED), CHECKS);
}

// Bits that are turned over in the second unit.
static const struct {
    uint64_t cap, ecap;
    struct vtd_left left;
    const char *ids;
} ways[] = {
    { .cap = BIT64(59), .ids = "units-differ " },
    { .cap = 8ull << 16, .ids = "units-width " },
    { .cap = 2ull << 8, .ids = "units-width " },
    { .cap = BIT64(4), .ids = "" },
    { .ecap = BIT64(1), .ids = "unit-qi units-differ " },
    { .ecap = BIT64(3), .ids = "unit-ir unit-eim-alone unit-pi-alone units-differ " },
    { .ecap = BIT64(4), .ids = "unit-eim units-differ " },
    { .left.gsts = BIT32(31), .ids = "" },
    { .left.gsts = BIT32(31) | BIT32(26), .ids = "" },
    { .left.gsts = BIT32(26), .ids = "left-queue " },
    { .left.gsts = BIT32(25) | BIT32(26), .ids = "left-remapping " },
    { .left.gsts = BIT32(23), .ids = "left-compatibility " },
    { .left.fsts = 0x0000ff00, .ids = "" }, // which record is next
    { .left.fsts = BIT32(0), .ids = "left-faults " },
    { .left.fsts = BIT32(1), .ids = "left-faults " },
    { .left.fsts = BIT32(4), .ids = "left-faults " },
    { .left.fectl = BIT32(31), .ids = "left-fault-event " },
    { .cap = BIT64(5), .ids = "unit-protects-half " },
    { .cap = BIT64(6), .ids = "unit-protects-half " },
    { .cap = BIT64(5) | BIT64(6), .ids = "" },
    { .cap = BIT64(5) | BIT64(6), .left.pmen = BIT32(31) | BIT32(0), .ids = "left-protected " },
    { .cap = BIT64(5) | BIT64(6),
      .left = { .pmen = BIT32(0), .low_base = 1, .high_base = 1 },
      .ids = "left-protected left-protected-empty " },
    { .cap = BIT64(5) | BIT64(6),
      .left = { .pmen = BIT32(0), .low_base = 1 },
      .ids = "left-protected " },
    { .cap = BIT64(5) | BIT64(6),
      .left = { .pmen = BIT32(0), .high_base = 1 },
      .ids = "left-protected " },
    { .left.pmen = BIT32(0), .ids = "left-protected left-protected-empty " },
    { .left = { .gsts = BIT32(25), .irta = BIT64(11) }, .ids = "left-remapping left-eime " },
};

static void test_ways(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        build(NULL);
        units[1].cap ^= ways[i].cap;
        units[1].ecap ^= ways[i].ecap;
        units[1].left = ways[i].left;
        units[1].left.fectl ^= BIT32(31);
        run(2);
        assert_string_equal(found(), ways[i].ids);
    }
}

// Nothing is made of the registers of a unit that isn't there.
static void test_absent(void **state)
{
    units[0] = (struct check_registers){ .base = 0xfed90000, .absent = true, .cap = ~0ull };
    run(2);
    assert_string_equal(found(), "unit-absent ");
}

// x2APIC that firmware left on: against the table's flags, and against what it left in the units.
static void test_x2apic(void **state)
{
    input.left_x2apic = true;
    run(2);
    assert_string_equal(found(), "");
    units[1].left.gsts = BIT32(25);
    run(2);
    assert_string_equal(found(), "left-remapping left-eime ");
    units[1].left.irta = BIT64(11);
    run(2);
    assert_string_equal(found(), "left-remapping ");
    units[0].ecap = units[1].ecap = ECAP & ~BIT64(4);
    run(2);
    assert_string_equal(found(), "unit-eim left-remapping left-eime ");
    build(NULL);
    input.left_x2apic = input.opts_out = true;
    run(2);
    assert_string_equal(found(), "left-x2apic ");
    input.opts_out = input.remaps = false;
    run(2);
    assert_string_equal(found(), "left-x2apic ");
}

// Flag bit 2 of DMAR: nothing may be able to write to memory, unless a unit stands against it.
static void test_dma_claim(void **state)
{
    input.claims_no_dma = true;
    run(2);
    assert_string_equal(found(), "");
    input.left_masters = 1;
    units[0].left.gsts = BIT32(31);
    run(2);
    assert_string_equal(found(), "left-dma-claim ");
    assert_int_equal(checks.of[CHECK_LEFT_DMA_CLAIM].count, 1);
    units[1].cap |= BIT64(5) | BIT64(6);
    units[1].left.pmen = BIT32(31) | BIT32(0);
    run(2);
    assert_string_equal(found(), "");
}

// ---- what firmware tested ----

static void test_hsti(void **state)
{
    struct handoff h = { .hstis = 0 };
    memset(&checks, 0, sizeof(checks));
    hsti_check(&h, &checks);
    assert_int_equal(checks_count(&checks, CHECK_SKIPPED), CHECKS);
    h.hstis = 3;
    h.hsti[0] = (struct handoff_hsti){ .role = 1, .required = { 7, 1 }, .verified = { 1 } };
    h.hsti[1] = (struct handoff_hsti){ .role = 2, .required = { 8 }, .verified = { 2, 1 } };
    h.hsti[2] = (struct handoff_hsti){ .role = 3, .verified = { 4 } };
    hsti_check(&h, &checks);
    assert_string_equal(found(), "");
    assert_int_equal(checks_count(&checks, CHECK_PASS), 2);
    h.hstis = 2;
    h.hstis_bad = 1;
    hsti_check(&h, &checks);
    assert_string_equal(found(), "hsti-form hsti-verified ");
    assert_string_equal(checks.of[CHECK_HSTI_VERIFIED].found,
                        "byte 0: 07h is required, 04h not verified");
}

// A platform that doesn't claim to remap, and CPUs without x2APIC, need neither.
static void test_not_claimed(void **state)
{
    units[0].cap = units[1].cap = CAP & ~BIT64(59);
    units[0].ecap = units[1].ecap = BIT64(1);
    input.remaps = false;
    run(2);
    assert_string_equal(found(), "");
    units[0].ecap = units[1].ecap = BIT64(1) | BIT64(3);
    input.remaps = true;
    input.x2apic = false;
    run(2);
    assert_string_equal(found(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_good, build),
        cmocka_unit_test_setup(test_ways, build),
        cmocka_unit_test_setup(test_absent, build),
        cmocka_unit_test_setup(test_not_claimed, build),
        cmocka_unit_test_setup(test_x2apic, build),
        cmocka_unit_test_setup(test_dma_claim, build),
        cmocka_unit_test(test_hsti),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
