// SPDX-License-Identifier: BSD-2-Clause
// The line editor: keys in, what a terminal shows and the line out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/host/monitor_terminal.h"

static struct edit e;

static int begin(void **state)
{
    memset(&e, 0, sizeof(e));
    e.write = terminal_write;
    e.prompt = "> ";
    terminal_clear();
    terminal.lines = 0;
    edit_begin(&e);
    return 0;
}

// The last key's event; after each the terminal is right.
static enum edit_event type(const char *keys)
{
    enum edit_event event = EDIT_NOTHING;
    for (; *keys; keys++) {
        event = edit_feed(&e, (uint8_t)*keys);
        if (event != EDIT_LINE && event != EDIT_STOP)
            assert_true(terminal_shows(&e));
    }
    return event;
}

// Types keys and Enter, compares, and begins the next line.
static void check_line(const char *keys, const char *expected)
{
    type(keys);
    assert_int_equal(edit_feed(&e, '\r'), EDIT_LINE);
    assert_string_equal(e.text, expected);
    assert_false(e.too_long);
    edit_begin(&e);
    assert_true(terminal_shows(&e));
}

static void test_what_is_typed_is_the_line(void **state)
{
    check_line("irq move 3 2", "irq move 3 2");
    check_line("", "");
}

static void test_enter_is_cr_or_lf_or_both(void **state)
{
    assert_int_equal(type("a\r"), EDIT_LINE);
    edit_begin(&e);
    assert_int_equal(type("\n"), EDIT_NOTHING); // of the CR
    assert_int_equal(type("b\n"), EDIT_LINE);
    assert_string_equal(e.text, "b");
    edit_begin(&e);
    assert_int_equal(type("\n"), EDIT_LINE);
}

static void test_both_backspaces_delete(void **state)
{
    check_line("abc\b\x7f"
               "d",
               "ad");
    check_line("\b\x7f"
               "x",
               "x"); // nothing is there
}

static void test_characters_come_in_at_the_cursor(void **state)
{
    check_line("ac\33[Db", "abc");
    check_line("bc\1a\5d", "abcd");
    check_line("ab\33[D\33[D\33[D\33[C_", "a_b");
}

static void test_keys_of_the_cursor(void **state)
{
    check_line("bc\33[Ha", "abc");
    check_line("bc\33OHa", "abc");
    check_line("bc\33[1~a\33[4~d", "abcd");
    check_line("bc\33[7~a\33[8~d", "abcd");
    check_line("bc\1a\33[Fd", "abcd");
}

static void test_deleting(void **state)
{
    check_line("abc\1\33[3~", "bc");
    check_line("abc\1\4", "bc");
    check_line("abc\33[3~\4", "abc"); // nothing is behind the cursor
    check_line("abcd\33[D\33[D\xb", "ab");
    check_line("abcd\33[D\33[D\x15", "cd");
    check_line("irq move  \x17x", "irq x");
    check_line("\x17\x15\xb", "");
}

static void test_history_goes_back_and_forth(void **state)
{
    check_line("one", "one");
    check_line("two", "two");
    check_line("\33[A", "two");
    check_line("\33[A\33[A", "one"); // two, typed twice, is kept once
    check_line("three\33[A\33[A\33[A\33[A\33[A\33[B", "two");
    check_line("draft\33[A\33[B", "draft");
    check_line("\x10!", "draft!");
}

static void test_history_forgets_the_oldest(void **state)
{
    char line[3] = "a0";
    for (unsigned i = 0; i < EDIT_HISTORY + 3; i++) {
        line[0] = (char)('a' + i % 26);
        line[1] = (char)('0' + i / 26);
        check_line(line, line);
    }
    for (unsigned i = 0; i < EDIT_HISTORY + 10; i++)
        type("\x10");
    check_line("", "d0");
}

static void test_ctrl_c_drops_the_line(void **state)
{
    assert_int_equal(type("poweroff\3"), EDIT_STOP);
    edit_begin(&e);
    check_line("x", "x");
    check_line("\x10\x10", "x"); // it isn't in the history
}

static void test_tab_asks_for_completion(void **state)
{
    assert_int_equal(type("he\t"), EDIT_COMPLETE);
    edit_insert(&e, "lp ", 3);
    assert_true(terminal_shows(&e));
    check_line("irq", "help irq");
}

static void test_a_long_line_is_shown_around_the_cursor(void **state)
{
    char line[EDIT_BYTES];
    for (size_t i = 0; i < sizeof(line) - 1; i++)
        line[i] = (char)('!' + i % 90);
    line[sizeof(line) - 1] = 0;
    type(line);
    for (unsigned i = 0; i < 300; i++)
        type("\33[D");
    type("\5");
    check_line("", line);
}

// What has no room isn't silently left out of what is run.
static void test_a_line_that_is_too_long_says_so(void **state)
{
    for (unsigned i = 0; i < EDIT_BYTES; i++)
        type("x");
    assert_int_equal(e.length, EDIT_BYTES - 1);
    assert_true(e.too_long);
    type("\b\b");
    assert_true(e.too_long);
    type("\x15");
    assert_false(e.too_long);
    check_line("mem", "mem");
}

static void test_a_long_line_is_not_kept(void **state)
{
    check_line("short", "short");
    for (unsigned i = 0; i < EDIT_BYTES; i++)
        type("x");
    assert_int_equal(edit_feed(&e, '\r'), EDIT_LINE);
    assert_true(e.too_long);
    edit_begin(&e);
    check_line("\x10", "short");
}

static void test_odd_bytes_do_nothing(void **state)
{
    check_line("a\x80\xff\x01"
               "\x02\x1c\x1f"
               "b",
               "ba");
    check_line("a\33[5~\33[1;5C\33OP\33[200~b", "ab"); // keys that mean nothing here
    check_line("a\33[11111111111~b", "a11111~b");      // no sequence is so long
    check_line("a\33\33[Db", "ba");
    check_line("a\33xb", "axb"); // Escape by itself
}

static void test_a_redraw_shows_it_anew(void **state)
{
    type("abc\33[D");
    terminal_write(NULL, "\nwarning\n", 9);
    edit_redraw(&e);
    assert_true(terminal_shows(&e));
    type("\x0c");
    check_line("_", "ab_c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_what_is_typed_is_the_line, begin),
        cmocka_unit_test_setup(test_enter_is_cr_or_lf_or_both, begin),
        cmocka_unit_test_setup(test_both_backspaces_delete, begin),
        cmocka_unit_test_setup(test_characters_come_in_at_the_cursor, begin),
        cmocka_unit_test_setup(test_keys_of_the_cursor, begin),
        cmocka_unit_test_setup(test_deleting, begin),
        cmocka_unit_test_setup(test_history_goes_back_and_forth, begin),
        cmocka_unit_test_setup(test_history_forgets_the_oldest, begin),
        cmocka_unit_test_setup(test_ctrl_c_drops_the_line, begin),
        cmocka_unit_test_setup(test_tab_asks_for_completion, begin),
        cmocka_unit_test_setup(test_a_long_line_is_shown_around_the_cursor, begin),
        cmocka_unit_test_setup(test_a_line_that_is_too_long_says_so, begin),
        cmocka_unit_test_setup(test_a_long_line_is_not_kept, begin),
        cmocka_unit_test_setup(test_odd_bytes_do_nothing, begin),
        cmocka_unit_test_setup(test_a_redraw_shows_it_anew, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
