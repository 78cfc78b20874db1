// SPDX-License-Identifier: BSD-2-Clause
// How fast the TSC runs: whom to believe. Rows of processors whose CPUID 16h is rounded.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/x86/time_init.h"

#define MHZ 1000000ull

static const struct {
    const char *name;
    uint32_t denominator, numerator, base_mhz;
    uint64_t real_mhz;
} rounded[] = {
    { "i5-6300U", 2, 208, 2500, 2496 },       { "i7-8550U", 2, 166, 2000, 1992 },
    { "i7-6700HQ", 2, 216, 2600, 2592 },      { "i9-9900K", 2, 300, 3600, 3600 },
    { "Xeon Gold 6146", 2, 256, 3200, 3200 },
};

static struct tsc_facts facts_of(size_t row)
{
    return (struct tsc_facts){
        .leaf15 = { .a = rounded[row].denominator, .b = rounded[row].numerator },
        .leaf16 = { .a = rounded[row].base_mhz },
        .measured_by = "HPET",
    };
}

static struct tsc_choice chosen(const struct tsc_facts *facts)
{
    struct tsc_choice choice;
    assert_true(time_choose(facts, &choice));
    return choice;
}

static void without_a_crystal_it_is_measured(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rounded); i++) {
        struct tsc_facts facts = facts_of(i);
        facts.measured_hz = rounded[i].real_mhz * MHZ + 1234;
        struct tsc_choice choice = chosen(&facts);
        assert_int_equal(choice.hz, facts.measured_hz);
        assert_string_equal(choice.source, "HPET");
        assert_false(choice.warned); // up to 0.4% off is as it should be
    }
}

static void without_anything_else_the_base_is_taken_with_a_warning(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(rounded); i++) {
        struct tsc_facts facts = facts_of(i);
        facts.measured_hz = i % 2; // no clock, or one that stands still
        struct tsc_choice choice = chosen(&facts);
        assert_int_equal(choice.hz, rounded[i].base_mhz * MHZ);
        assert_true(choice.warned);
        assert_string_equal(choice.warning.what, "tsc-not-measured");
    }
}

static void the_base_checks_what_was_measured(void **state)
{
    struct tsc_facts facts = facts_of(0);
    facts.measured_hz = 2520 * MHZ;
    assert_false(chosen(&facts).warned);
    facts.measured_hz = 2530 * MHZ;
    struct tsc_choice choice = chosen(&facts);
    assert_int_equal(choice.hz, 2530 * MHZ);
    assert_true(choice.warned);
    assert_string_equal(choice.warning.what, "tsc-frequency");
    assert_non_null(strstr(choice.warning.message, "2530000 kHz by HPET"));
}

static void a_known_crystal_is_exact(void **state)
{
    struct tsc_facts facts = { .leaf15 = { .a = 2, .b = 168, .c = 25000000 },
                               .measured_by = "ACPI PM timer" };
    assert_int_equal(chosen(&facts).hz, 2100 * MHZ);
    facts.measured_hz = 2119 * MHZ;
    assert_false(chosen(&facts).warned);
    facts.measured_hz = 2124 * MHZ;
    struct tsc_choice choice = chosen(&facts);
    assert_int_equal(choice.hz, 2100 * MHZ);
    assert_string_equal(choice.source, "CPUID 15h");
    assert_true(choice.warned);
    assert_string_equal(choice.warning.what, "tsc-frequency");
}

// A crystal without a ratio, or a ratio that makes nonsense, tells nothing.
static void half_a_leaf_is_none(void **state)
{
    static const struct cpuid leaves[] = {
        { .a = 0, .b = 168, .c = 25000000 },
        { .a = 2, .b = 0, .c = 25000000 },
        { .a = 2, .b = 2, .c = 1000 },
        { .a = 1, .b = UINT32_MAX, .c = UINT32_MAX },
    };
    for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
        struct tsc_facts facts = { .leaf15 = leaves[i], .measured_by = "HPET" };
        struct tsc_choice choice;
        assert_false(time_choose(&facts, &choice));
        facts.measured_hz = 2000 * MHZ;
        assert_int_equal(chosen(&facts).hz, 2000 * MHZ);
    }
}

static void a_hypervisor_knows(void **state)
{
    struct tsc_facts facts = { .leaf15 = { .a = 2, .b = 208 },
                               .leaf16 = { .a = 2500 },
                               .hypervisor_hz = 2496 * MHZ,
                               .measured_by = "HPET",
                               .measured_hz = 2495 * MHZ };
    struct tsc_choice choice = chosen(&facts);
    assert_int_equal(choice.hz, 2496 * MHZ);
    assert_false(choice.warned);
    facts.measured_hz = 1000 * MHZ;
    assert_true(chosen(&facts).warned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_crystal_it_is_measured),
        cmocka_unit_test(without_anything_else_the_base_is_taken_with_a_warning),
        cmocka_unit_test(the_base_checks_what_was_measured),
        cmocka_unit_test(a_known_crystal_is_exact),
        cmocka_unit_test(half_a_leaf_is_none),
        cmocka_unit_test(a_hypervisor_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
