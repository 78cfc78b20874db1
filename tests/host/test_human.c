// SPDX-License-Identifier: BSD-2-Clause
// Numbers and tables for people.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "apps/human.h"
#include "apps/table.h"
#include "lib/muldiv.h"
#include "lib/string.h"

static void test_counts(void **state)
{
    char t[HUMAN_BYTES];
    assert_string_equal(human_count(t, 0), "0");
    assert_string_equal(human_count(t, 999), "999");
    assert_string_equal(human_count(t, 1000), "1,000");
    assert_string_equal(human_count(t, 1234567), "1,234,567");
    assert_string_equal(human_count(t, UINT64_MAX), "18,446,744,073,709,551,615");
    assert_string_equal(human_tenths(t, 0), "0.0");
    assert_string_equal(human_tenths(t, 12345678), "1,234,567.8");
    assert_string_equal(human_tenths(t, UINT64_MAX), "1,844,674,407,370,955,161.5");
}

static void test_sizes(void **state)
{
    char t[HUMAN_BYTES];
    assert_string_equal(human_size(t, 0), "0 B");
    assert_string_equal(human_size(t, 512), "512 B");
    assert_string_equal(human_size(t, 4096), "4 KiB");
    assert_string_equal(human_size(t, 1536), "1536 B");
    assert_string_equal(human_size(t, 3 * MIB), "3 MiB");
    assert_string_equal(human_size(t, 2048 * GIB), "2 TiB");
    assert_string_equal(human_size(t, 4096ull * 1024 * GIB), "4096 TiB");
}

static void test_ratios(void **state)
{
    char t[HUMAN_BYTES];
    assert_string_equal(human_ratio(t, 1, 3, 3), "0.333");
    assert_string_equal(human_ratio(t, 2, 1, 2), "2.00");
    assert_string_equal(human_ratio(t, 5, 0, 2), "0.00");
    assert_string_equal(human_ratio(t, 1005, 100, 1), "10.0");
    assert_string_equal(human_ratio(t, 1, 100, 2), "0.01");
    assert_string_equal(human_ratio(t, UINT64_MAX, UINT64_MAX, 3), "1.000");
}

static void test_times(void **state)
{
    char t[HUMAN_BYTES];
    assert_string_equal(human_time(t, 0), "0 ms");
    assert_string_equal(human_time(t, 999999999), "999 ms");
    assert_string_equal(human_time(t, 1000000000), "1.0 s");
    assert_string_equal(human_time(t, 12987654321), "12.9 s");
}

static void test_mul_div(void **state)
{
    assert_true(mul_div(0, 5, 7) == 0);
    assert_true(mul_div(7, 5, 0) == 0);
    assert_true(mul_div(3, 1000000000, 5000000001) == 0);
    assert_true(mul_div(10, 1000000000, 3) == 3333333333);
    assert_true(mul_div(UINT64_MAX, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
    assert_true(mul_div(UINT64_MAX, 3, 4) == 0xbfffffffffffffff);
    assert_true(mul_div(1ull << 63, 2, 1) == UINT64_MAX);      // doesn't fit
    assert_true(mul_div(UINT64_MAX, 1000, 999) == UINT64_MAX); // doesn't fit
}

static void test_columns_are_aligned(void **state)
{
    char cells[9][TABLE_CELL_BYTES], line[TABLE_LINE_BYTES];
    struct table t;
    table_init(&t, 3, 1 | 4, cells, ARRAY_SIZE(cells));
    const char *const texts[] = { "disk", "IOPS", "", "nvme0n1", "7", "x", "all", "123456", "yy" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        table_cell(&t, "%s", texts[i]);
    assert_int_equal(table_rows(&t), 3);
    assert_string_equal(table_line(&t, 0, line), "disk       IOPS");
    assert_string_equal(table_line(&t, 1, line), "nvme0n1       7  x");
    assert_string_equal(table_line(&t, 2, line), "all      123456  yy");
    table_cell(&t, "more than there is room for");
    assert_int_equal(table_rows(&t), 3);
}

// A row of nothing is an empty line; a cell of one character is a whole one.
static void test_rows_with_little_in_them(void **state)
{
    char cells[6][TABLE_CELL_BYTES], line[TABLE_LINE_BYTES];
    struct table t;
    table_init(&t, 2, 1, cells, ARRAY_SIZE(cells));
    for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
        table_cell(&t, "%s", i == 2 ? "x" : "");
    assert_string_equal(table_line(&t, 0, line), "");
    assert_string_equal(table_line(&t, 1, line), "x");
    assert_string_equal(table_line(&t, 2, line), "");
}

static void test_widest_table_fits_a_line(void **state)
{
    char cells[TABLE_COLUMNS_MAX][TABLE_CELL_BYTES], line[TABLE_LINE_BYTES];
    struct table t;
    table_init(&t, TABLE_COLUMNS_MAX, 0, cells, ARRAY_SIZE(cells));
    for (size_t i = 0; i < TABLE_COLUMNS_MAX; i++)
        table_cell(&t, "%040d", 1); // cut off
    table_line(&t, 0, line);
    assert_int_equal(strlen(line),
                     TABLE_COLUMNS_MAX * (TABLE_CELL_BYTES - 1) + (TABLE_COLUMNS_MAX - 1) * 2);
}

static void test_rows_that_are_not_full_are_not_counted(void **state)
{
    char cells[4][TABLE_CELL_BYTES];
    struct table t;
    table_init(&t, 2, 0, cells, ARRAY_SIZE(cells));
    assert_int_equal(table_rows(&t), 0);
    table_cell(&t, "a");
    assert_int_equal(table_rows(&t), 0);
    table_cell(&t, "b");
    assert_int_equal(table_rows(&t), 1);
}

static void test_durations(void **state)
{
    static const struct {
        uint64_t seconds;
        const char *text;
    } durations[] = {
        { 0, "0 s" },
        { 59, "59 s" },
        { 60, "1 min 0 s" },
        { 185, "3 min 5 s" },
        { 3599, "59 min 59 s" },
        { 3600, "1 h 0 min" },
        { 7559, "2 h 5 min" },
        { 360000, "100 h 0 min" },
    };
    char text[HUMAN_BYTES];
    for (size_t i = 0; i < ARRAY_SIZE(durations); i++)
        assert_string_equal(human_duration(text, durations[i].seconds), durations[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_ratios),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_mul_div),
        cmocka_unit_test(test_columns_are_aligned),
        cmocka_unit_test(test_rows_with_little_in_them),
        cmocka_unit_test(test_widest_table_fits_a_line),
        cmocka_unit_test(test_rows_that_are_not_full_are_not_counted),
        cmocka_unit_test(test_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
