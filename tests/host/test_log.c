// SPDX-License-Identifier: BSD-2-Clause
// The lines kept of the console.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/base/log.h"
#include "lib/format.h"
#include "lib/string.h"

static void add(const char *text)
{
    log_add(text, strlen(text));
}

// In the order of main(): the log is one, and fills.

static void test_nothing_is_kept_at_first(void **state)
{
    char line[16];
    uint64_t at = 0;
    assert_false(log_next_line(&at, line, sizeof(line)));
}

static void test_lines_come_back_in_order(void **state)
{
    char line[16];
    uint64_t at = 0;
    add("one\n\ntw");
    add("o\n");
    assert_true(log_next_line(&at, line, sizeof(line)));
    assert_string_equal(line, "one");
    assert_true(log_next_line(&at, line, sizeof(line)));
    assert_string_equal(line, "");
    assert_true(log_next_line(&at, line, sizeof(line)));
    assert_string_equal(line, "two");
    assert_false(log_next_line(&at, line, sizeof(line)));
    add("three\n"); // who has read all goes on with what is new
    assert_true(log_next_line(&at, line, sizeof(line)));
    assert_string_equal(line, "three");
}

static void test_a_long_line_is_cut_and_the_next_is_whole(void **state)
{
    char line[4];
    uint64_t at = 0;
    while (log_next_line(&at, line, sizeof(line)))
        ;
    add("abcdef\nxyz\n");
    assert_true(log_next_line(&at, line, sizeof(line)));
    assert_string_equal(line, "abc");
    assert_true(log_next_line(&at, line, sizeof(line)));
    assert_string_equal(line, "xyz");
}

// Each line has ten bytes, which don't divide the ring.
static void test_the_oldest_give_way_whole(void **state)
{
    char line[16], expected[16];
    uint64_t at = 0;
    unsigned count = 2 * LOG_BYTES / 10, kept = 0;
    for (unsigned i = 0; i < count; i++) {
        format_text(line, sizeof(line), "%9u\n", i);
        add(line);
    }
    while (log_next_line(&at, line, sizeof(line))) {
        if (!kept)
            kept = LOG_BYTES / 10;
        format_text(expected, sizeof(expected), "%9u", count - kept--);
        assert_string_equal(line, expected);
    }
    assert_int_equal(kept, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_kept_at_first),
        cmocka_unit_test(test_lines_come_back_in_order),
        cmocka_unit_test(test_a_long_line_is_cut_and_the_next_is_whole),
        cmocka_unit_test(test_the_oldest_give_way_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
