// SPDX-License-Identifier: BSD-2-Clause
// Who may be written to: a list that names other disks than meant must be refused, never guessed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "kernel/run/allow_write.h"
#include "lib/string.h"

static bool has(const char *list, const char *serial)
{
    struct problem p;
    assert_true(allow_write_check(list, strlen(list), &p));
    return allow_write_has(list, strlen(list), serial);
}

static void expect_refused(const char *list, const char *quoted)
{
    char expected[240];
    struct problem p;
    assert_false(allow_write_check(list, strlen(list), &p));
    assert_string_equal(p.what, "allow-write");
    snprintf(expected, sizeof(expected),
             "allow-write=: \"%s\" doesn't begin with a serial number of 1 to 20 characters; write "
             "SERIAL:SERIAL, %%20 for a blank in one",
             quoted);
    assert_string_equal(p.message, expected);
}

static void test_nothing_is_allowed_where_nothing_is_said(void **state)
{
    struct problem p;
    assert_true(allow_write_check(NULL, 0, &p));
    assert_false(allow_write_has(NULL, 0, "S1"));
    assert_false(allow_write_has(NULL, 0, ""));
}

static void test_serials_that_are_named(void **state)
{
    assert_true(has("S1", "S1"));
    assert_true(has("S1:S2:S3", "S1"));
    assert_true(has("S1:S2:S3", "S2"));
    assert_true(has("S1:S2:S3", "S3"));
    assert_true(has("ABCDEFGHIJKLMNOPQRST", "ABCDEFGHIJKLMNOPQRST"));
}

// Whole serials, and each character as it is.
static void test_serials_that_are_not_named(void **state)
{
    static const char *const others[] = { "S", "S11", "1", "s1", "S1 ", " S1", "S1:S2", "", "S3" };
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_false(has("S1:S2", others[i]));
    assert_false(has("S_1", "S 1"));
    assert_false(has("*", "S1"));
}

static void test_the_word_ends_where_it_ends(void **state)
{
    const char *line = "S1:S2 S3"; // a command line goes on behind the word
    struct problem p;
    assert_true(allow_write_check(line, 5, &p));
    assert_true(allow_write_has(line, 5, "S2"));
    assert_false(allow_write_has(line, 5, "S2 S3"));
    assert_false(allow_write_has(line, 4, "S2"));
    assert_true(allow_write_has(line, 4, "S"));
    assert_false(allow_write_check("A%41", 3, &p));
}

static void test_characters_that_a_word_can_t_hold(void **state)
{
    assert_true(has("A%20B", "A B"));
    assert_true(has("A%3aB", "A:B"));
    assert_true(has("A%3AB", "A:B"));
    assert_false(has("A%3aB", "A"));
    assert_true(has("100%25", "100%"));
    assert_true(has("%41", "A"));
    assert_true(has("A%20%20B", "A  B"));
}

static void test_what_is_no_list(void **state)
{
    expect_refused("", "");
    expect_refused(":S1", ":S1");
    expect_refused("S1::S2", ":S2");
    expect_refused("S1:ABCDEFGHIJKLMNOPQRSTU", "ABCDEFGHIJKLMNOPQRSTU"); // 21 characters
    expect_refused("S1:%2", "%2");
    expect_refused("%", "%");
    expect_refused("A%", "A%");
    expect_refused("A%zz", "A%zz");
    expect_refused("A%00B", "A%00B");
    expect_refused("A%7f", "A%7f");
    expect_refused("A\x80", "A\x80");
    expect_refused("A%20", "A%20"); // no serial is known with blanks around it
    expect_refused("%20A", "%20A");
    struct problem p;
    assert_false(allow_write_check("S1:", 3, &p));
    assert_string_equal(p.what, "allow-write");
    assert_string_equal(p.message, "allow-write= ends with a colon: no serial number follows it");
}

// A list with a mistake in it allows nothing behind the mistake, though nobody asks then.
static void test_nothing_is_guessed(void **state)
{
    const char *list = "S1:%zz:S2";
    assert_true(allow_write_has(list, strlen(list), "S1"));
    assert_false(allow_write_has(list, strlen(list), "S2"));
    assert_false(allow_write_has(":S2", 3, "S2"));
}

static void test_advice_can_be_taken(void **state)
{
    static const char *const serials[] = {
        "S1", "A B", "A:B%C", "12345678901234567890", "::::::::::::::::::::", "~!\"#$&'()*+,-./;<=>"
    };
    char word[ALLOW_WRITE_WORD];
    for (size_t i = 0; i < ARRAY_SIZE(serials); i++) {
        allow_write_word(serials[i], word);
        for (const char *at = word; *at; at++)
            assert_true(*at > ' ' && *at <= '~' && *at != ':');
        assert_true(has(word, serials[i]));
    }
    assert_string_equal(allow_write_word("A B:%", word), "A%20B%3a%25");
}

static void test_the_list_in_turn(void **state)
{
    const char *list = "S1:A%20B", *at = list, *end = list + strlen(list);
    char serial[ALLOW_WRITE_SERIAL];
    assert_true(allow_write_next(&at, end, serial));
    assert_string_equal(serial, "S1");
    assert_true(allow_write_next(&at, end, serial));
    assert_string_equal(serial, "A B");
    assert_false(allow_write_next(&at, end, serial));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_allowed_where_nothing_is_said),
        cmocka_unit_test(test_serials_that_are_named),
        cmocka_unit_test(test_serials_that_are_not_named),
        cmocka_unit_test(test_the_word_ends_where_it_ends),
        cmocka_unit_test(test_characters_that_a_word_can_t_hold),
        cmocka_unit_test(test_what_is_no_list),
        cmocka_unit_test(test_nothing_is_guessed),
        cmocka_unit_test(test_advice_can_be_taken),
        cmocka_unit_test(test_the_list_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
