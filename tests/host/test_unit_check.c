// SPDX-License-Identifier: BSD-2-Clause
// The checks of units' capabilities and of what firmware left on: two good units pass, and each way to be
// wrong gives its ids and no others.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "drivers/vtd/platform/unit_check.h"
#include "lib/bits.h"
#include "lib/string.h"

// By the bits' places (VT-d 11.4.2, 11.4.3, 11.4.4.2), not by the driver's names.
#define CAP (1ull << 59 | 47ull << 16 | 4ull << 8)
#define ECAP (1ull << 1 | 1ull << 3 | 1ull << 4)

static struct checks checks;
static struct check_registers units[2];

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
    unit_check(&(struct unit_check_input){ units, count, .remaps = true, .x2apic = true }, &checks);
}

static int build(void **state)
{
    units[0] = (struct check_registers){ .base = 0xfed90000, .cap = CAP, .ecap = ECAP };
    units[1] = (struct check_registers){ .base = 0xfed91000, .cap = CAP, .ecap = ECAP };
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
    uint32_t left_on;
    const char *ids;
} ways[] = {
    { .cap = BIT64(59), .ids = "units-differ " },
    { .cap = 8ull << 16, .ids = "units-width " },
    { .cap = 2ull << 8, .ids = "units-width " },
    { .cap = BIT64(4), .ids = "" },
    { .ecap = BIT64(1), .ids = "unit-qi units-differ " },
    { .ecap = BIT64(3), .ids = "unit-ir unit-eim-alone unit-pi-alone units-differ " },
    { .ecap = BIT64(4), .ids = "unit-eim units-differ " },
    { .left_on = BIT32(31), .ids = "" },
    { .left_on = BIT32(31) | BIT32(26), .ids = "" },
    { .left_on = BIT32(26), .ids = "left-queue " },
    { .left_on = BIT32(25) | BIT32(26), .ids = "left-remapping " },
    { .left_on = BIT32(23), .ids = "left-compatibility " },
};

static void test_ways(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        build(NULL);
        units[1].cap ^= ways[i].cap;
        units[1].ecap ^= ways[i].ecap;
        units[1].left_on = ways[i].left_on;
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

// A platform that doesn't claim to remap, and CPUs without x2APIC, need neither.
static void test_not_claimed(void **state)
{
    units[0].cap = units[1].cap = CAP & ~BIT64(59);
    units[0].ecap = units[1].ecap = BIT64(1);
    memset(&checks, 0, sizeof(checks));
    unit_check(&(struct unit_check_input){ units, 2, .remaps = false, .x2apic = true }, &checks);
    assert_string_equal(found(), "");
    units[0].ecap = units[1].ecap = BIT64(1) | BIT64(3);
    unit_check(&(struct unit_check_input){ units, 2, .remaps = true, .x2apic = false }, &checks);
    assert_string_equal(found(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_good, build),
        cmocka_unit_test_setup(test_ways, build),
        cmocka_unit_test_setup(test_absent, build),
        cmocka_unit_test_setup(test_not_claimed, build),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
