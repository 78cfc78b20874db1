// SPDX-License-Identifier: BSD-2-Clause
// format_text() against the host's snprintf(), over every combination of flags, width, precision
// and length word.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/format.h"
#include "lib/string.h"

// Both must give the same text and length, whatever the buffer's size.
static void same(const char *fmt, ...)
{
    static const size_t sizes[] = { 160, 7, 1 };
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        char want[160], got[161];
        va_list args;
        va_start(args, fmt);
        int length = vsnprintf(want, sizes[i], fmt, args);
        va_end(args);
        memset(got, '#', sizeof(got));
        va_start(args, fmt);
        assert_int_equal(format_text_v(got, sizes[i], fmt, args), length);
        va_end(args);
        assert_string_equal(got, want);
        assert_int_equal(got[sizes[i]], '#');
    }
}

static const uint64_t values[] = {
    0,
    1,
    7,
    9,
    10,
    99,
    127,
    128,
    255,
    256,
    1000,
    32767,
    32768,
    65535,
    65536,
    123456789,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    0x100000000,
    0x7fffffffffffffff,
    0x8000000000000000,
    0xffffffffffffff80,
    0xffffffffffffffff,
};

static void same_integer(const char *flags, const char *width, const char *precision,
                         char conversion)
{
    static const char *const lengths[] = { "hh", "h", "", "l", "ll", "z" };
    for (size_t l = 0; l < ARRAY_SIZE(lengths); l++) {
        char fmt[32];
        snprintf(fmt, sizeof(fmt), "<%%%s%s%s%s%c>", flags, width, precision, lengths[l],
                 conversion);
        for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
            if (l < 3)
                same(fmt, (unsigned)values[v]);
            else
                same(fmt, values[v]);
        }
    }
}

static void test_integers(void **state)
{
    static const char *const flags[] = { "", "-", "0", "+", "-0", "+0", "-+" };
    static const char *const widths[] = { "", "1", "5", "12", "25" };
    static const char *const precisions[] = { "", ".", ".0", ".1", ".4", ".22" };
    for (size_t f = 0; f < ARRAY_SIZE(flags); f++)
        for (size_t w = 0; w < ARRAY_SIZE(widths); w++)
            for (size_t p = 0; p < ARRAY_SIZE(precisions); p++)
                for (const char *c = "diuxX"; *c; c++)
                    same_integer(flags[f], widths[w], precisions[p], *c);
}

static void test_strings(void **state)
{
    static const char *const formats[] = {
        "<%s>", "<%10s>", "<%-10s>", "<%.3s>", "<%10.3s>", "<%-10.3s>", "<%.0s>", "<%2s>",
    };
    for (size_t f = 0; f < ARRAY_SIZE(formats); f++) {
        same(formats[f], "");
        same(formats[f], "abc");
        same(formats[f], "a longer text than the others");
    }
    const char unterminated[3] = { 'x', 'y', 'z' };
    same("<%.*s>", 3, unterminated);
    same("<%s>", (const char *)NULL);
}

static void test_stars_and_characters(void **state)
{
    same("<%*d|%-*d|%.*d>", 6, 42, 6, 42, 4, 42);
    same("<%*d>", -6, 42);
    same("<%*.*s>", 8, 2, "abc");
    same("<%.*d>", -1, 7);
    same("<%c%5c%-5c>", 'a', 'b', 'c');
    same("100%% of %u", 5u);
    same("%p", (void *)0x1234abcd);
    same("%20p|%-20p|", (void *)0x1234abcd, (void *)0x1);
    same("%d %s %llx %c %u", -1, "two", 3ull, '4', 5u);
}

static void test_edges_of_the_buffer(void **state)
{
    char one = '#';
    assert_int_equal(format_text(NULL, 0, "%s", "abc"), 3);
    assert_int_equal(format_text(&one, 0, "%s", "abc"), 3);
    assert_int_equal(one, '#');
    assert_int_equal(format_text(&one, 1, "%s", "abc"), 3);
    assert_int_equal(one, 0);
    char four[4];
    assert_int_equal(format_text(four, sizeof(four), "abc"), 3);
    assert_string_equal(four, "abc");
    assert_int_equal(format_text(four, sizeof(four), "abcd"), 4);
    assert_string_equal(four, "abc");
}

// Without the attribute by which the compiler would refuse the call below.
static int format_unchecked(char *to, size_t bytes, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int length = format_text_v(to, bytes, fmt, args);
    va_end(args);
    return length;
}

static void test_unknown_conversion_is_shown(void **state)
{
    char text[16];
    assert_int_equal(format_unchecked(text, sizeof(text), "a%qb%"), 6);
    assert_string_equal(text, "a%qb%?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_stars_and_characters),
        cmocka_unit_test(test_edges_of_the_buffer),
        cmocka_unit_test(test_unknown_conversion_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
