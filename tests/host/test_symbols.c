// SPDX-License-Identifier: BSD-2-Clause
// Symbol look-up.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/symbols.h"

struct symbol {
    uint32_t name;
    uint8_t info, other;
    uint16_t section;
    uint64_t value, size;
};

static const char names[] = "\0first\0second\0label\0data";
static const struct symbol table[] = {
    { 0, 0, 0, 0, 0, 0 },
    { 1, 0x12, 0, 1, 0x1000, 0x100 },   // first: function
    { 7, 0x12, 0, 1, 0x1200, 0x10 },    // second
    { 14, 0x10, 0, 1, 0x1300, 0 },      // label: no function
    { 20, 0x11, 0, 1, 0x1000, 0x800 },  // data: an object, never found
    { 900, 0x12, 0, 1, 0x1000, 0x800 }, // its name lies outside the table
};

static void finds(uint64_t address, const char *name, uint64_t offset)
{
    uint64_t got = 0;
    const char *found = symbols_find(address, &got);
    if (!name) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_string_equal(found, name);
    assert_int_equal(got, offset);
}

static void addresses_get_names(void **state)
{
    symbols_init(table, sizeof(table), names, sizeof(names));
    finds(0x1000, "first", 0);
    finds(0x10ff, "first", 0xff);
    finds(0x1100, NULL, 0);
    finds(0x1208, "second", 8);
    finds(0x1300, NULL, 0);
    finds(0xfff, NULL, 0);
}

static void a_string_table_without_end_is_not_used(void **state)
{
    symbols_init(table, sizeof(table), names, sizeof(names) - 1);
    finds(0x1000, NULL, 0);
}

static void another_programs_table_is_its_own(void **state)
{
    static const struct symbol others[] = { { 7, 0x12, 0, 1, 0x1000, 0x100 } };
    struct symbols s = { others, sizeof(others), names, sizeof(names) };
    uint64_t offset;
    symbols_init(table, sizeof(table), names, sizeof(names));
    assert_string_equal(symbols_find_in(&s, 0x1001, &offset), "second");
    assert_int_equal(offset, 1);
    assert_null(symbols_find_in(&s, 0x1208, &offset));
    finds(0x1001, "first", 1);
    s.symtab_bytes--; // half a symbol is none
    assert_null(symbols_find_in(&s, 0x1001, &offset));
    s = (struct symbols){ 0 };
    assert_null(symbols_find_in(&s, 0x1001, &offset));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_get_names),
        cmocka_unit_test(a_string_table_without_end_is_not_used),
        cmocka_unit_test(another_programs_table_is_its_own),
    };
    return cmocka_run_group_tests_name("symbols", tests, NULL, NULL);
}
