// SPDX-License-Identifier: BSD-2-Clause
// The names of VT-d's fields, against values whose meaning is known.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/vtd/irte.h"
#include "drivers/vtd/monitor/fields_regs.h"
#include "lib/string.h"

// From the uppermost bit down, each field in one piece, none over another; `whole`: no bit is left out.
static void check_layout(const struct command_field *fields, size_t count, uint64_t whole)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t mask = fields[i].mask, low = mask & -mask;
        assert_true(mask && !((mask + low) & mask));
        assert_true(i == 0 || mask < fields[i - 1].mask);
        assert_false(seen & mask);
        seen |= mask;
    }
    if (whole)
        assert_int_equal(seen, whole);
}
#define CHECK_LAYOUT(fields, whole) check_layout(fields, ARRAY_SIZE(fields), whole)

static void test_fields_do_not_overlap(void **state)
{
    CHECK_LAYOUT(fields_cap, 0);
    CHECK_LAYOUT(fields_ecap, 0);
    CHECK_LAYOUT(fields_gsts, 0);
    CHECK_LAYOUT(fields_fsts, 0);
    CHECK_LAYOUT(fields_event, 0);
    CHECK_LAYOUT(fields_rtaddr, 0);
    CHECK_LAYOUT(fields_iqa, 0);
    CHECK_LAYOUT(fields_irta, 0);
    CHECK_LAYOUT(fields_pmen, 0);
    CHECK_LAYOUT(fields_frcd_high, 0);
    CHECK_LAYOUT(fields_root_low, 0);
    CHECK_LAYOUT(fields_context_low, 0);
    CHECK_LAYOUT(fields_context_high, 0);
}

// What an entry has beside them is reserved, and 0 (VT-d 9.9, 9.10).
static void test_entries_leave_only_reserved_bits_out(void **state)
{
    CHECK_LAYOUT(fields_irte_low_remapped, ~BITS64(31, 24) & ~BITS64(14, 12));
    CHECK_LAYOUT(fields_irte_high_remapped, BITS64(19, 0));
    CHECK_LAYOUT(fields_irte_low_posted,
                 BITS64(63, 38) | BITS64(23, 14) | BITS64(11, 8) | BITS64(1, 0));
    CHECK_LAYOUT(fields_irte_high_posted, BITS64(63, 32) | BITS64(19, 0));
}

static uint64_t value(const struct command_field *fields, size_t count, const char *name,
                      uint64_t word)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(fields[i].name, name))
            return field_get(fields[i].mask, word);
    assert_string_equal(name, "a field");
    return 0;
}
#define VALUE(fields, name, word) value(fields, ARRAY_SIZE(fields), name, word)

// Of a server with two sockets, whose units post, and of a client, whose don't.
static void test_real_units(void **state)
{
    uint64_t cap = 0x8d2078c106f0466, ecap = 0xf020df, client = 0xd2008020660462;
    assert_int_equal(VALUE(fields_cap, "PI", cap), 1);
    assert_int_equal(VALUE(fields_cap, "PI", client), 0);
    assert_int_equal(VALUE(fields_cap, "ND", cap), 6);
    assert_int_equal(VALUE(fields_cap, "SAGAW", cap), 4);
    assert_int_equal(VALUE(fields_cap, "MGAW", cap), 47);
    assert_int_equal(VALUE(fields_cap, "SSLPS", cap), 3);
    assert_int_equal(VALUE(fields_cap, "NFR", cap), 7);
    assert_int_equal(VALUE(fields_cap, "FRO", cap), 0x10);
    assert_int_equal(VALUE(fields_cap, "MAMV", cap), 18);
    assert_int_equal(VALUE(fields_ecap, "QI", ecap), 1);
    assert_int_equal(VALUE(fields_ecap, "IR", ecap), 1);
    assert_int_equal(VALUE(fields_ecap, "EIM", ecap), 1);
    assert_int_equal(VALUE(fields_ecap, "C", ecap), 1);
    assert_int_equal(VALUE(fields_ecap, "PT", ecap), 1);
    assert_int_equal(VALUE(fields_ecap, "SC", ecap), 1);
    assert_int_equal(VALUE(fields_ecap, "MHMV", ecap), 0xf);
}

static void test_entries_of_ours(void **state)
{
    struct irte posted = irte_posted(0x123456789ac0, 0x41, true, irte_source_exact(0x0310));
    struct irte remapped = irte_remapped(0x155, 0x42, irte_source_exact(0x0310));
    assert_int_equal(VALUE(fields_irte_low_posted, "PDAL", posted.low), 0x56789ac0 >> 6);
    assert_int_equal(VALUE(fields_irte_high_posted, "PDAH", posted.high), 0x1234);
    assert_int_equal(VALUE(fields_irte_low_posted, "VV", posted.low), 0x41);
    assert_int_equal(VALUE(fields_irte_low_posted, "URG", posted.low), 1);
    assert_int_equal(VALUE(fields_irte_high_posted, "SVT", posted.high), 1);
    assert_int_equal(VALUE(fields_irte_low_remapped, "DST", remapped.low), 0x155);
    assert_int_equal(VALUE(fields_irte_low_remapped, "V", remapped.low), 0x42);
    assert_int_equal(VALUE(fields_irte_high_remapped, "SID", remapped.high), 0x0310);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_do_not_overlap),
        cmocka_unit_test(test_entries_leave_only_reserved_bits_out),
        cmocka_unit_test(test_real_units),
        cmocka_unit_test(test_entries_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
