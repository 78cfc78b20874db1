// SPDX-License-Identifier: BSD-2-Clause
// Numbers, sizes and times: every character where a digit or a unit may stand, and the largest
// values that fit.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/parse.h"

#define NONE 0xdeadbeefdeadbeefull

typedef bool (*parser)(const char *text, size_t length, uint64_t *value);

// In memory of exactly the text's size, without a closing zero. NONE: refused.
static uint64_t value_of(parser parse, const char *text, size_t length)
{
    char *exact = memcpy(malloc(length ? length : 1), text, length);
    uint64_t value = 0;
    bool ok = parse(exact, length, &value);
    free(exact);
    return ok ? value : NONE;
}

#define expect(parse, text, value)                                                                 \
    do {                                                                                           \
        if (value_of(parse, text, strlen(text)) != (value))                                        \
            fail_msg("\"%s\" isn't %llu", text, (unsigned long long)(value));                      \
    } while (0)

static void test_numbers(void **state)
{
    expect(parse_number, "0", 0);
    expect(parse_number, "007", 7);
    expect(parse_number, "18446744073709551615", UINT64_MAX);
    expect(parse_number, "18446744073709551616", NONE);
    expect(parse_number, "18446744073709551620", NONE);
    expect(parse_number, "184467440737095516150", NONE);
    expect(parse_number, "99999999999999999999999", NONE);
    expect(parse_number, "0xffffffffffffffff", UINT64_MAX);
    expect(parse_number, "0x0ffffffffffffffff", UINT64_MAX);
    expect(parse_number, "0x10000000000000000", NONE);
    expect(parse_number, "0XAbCdEf", 0xabcdef);
    expect(parse_number, "", NONE);
    expect(parse_number, "0x", NONE);
    expect(parse_number, "x1", NONE);
    expect(parse_number, "1x1", NONE);
    expect(parse_number, "-1", NONE);
    expect(parse_number, " 1", NONE);
    expect(parse_number, "1 ", NONE);
}

// Each character as the only digit, and behind one: decimal and hex.
static void test_each_digit(void **state)
{
    for (unsigned c = 1; c < 256; c++) {
        bool decimal = c >= '0' && c <= '9', lower = c >= 'a' && c <= 'f',
             upper = c >= 'A' && c <= 'F';
        uint64_t digit = decimal ? c - '0' : lower ? c - 'a' + 10 : upper ? c - 'A' + 10 : NONE;
        char text[8] = { '1', (char)c };
        expect(parse_number, text, decimal ? 10 + digit : NONE);
        snprintf(text, sizeof(text), "%c", c);
        expect(parse_number, text, decimal ? digit : NONE);
        snprintf(text, sizeof(text), "0x%c", c);
        expect(parse_number, text, digit);
        snprintf(text, sizeof(text), "0x1%c", c);
        expect(parse_number, text, digit == NONE ? NONE : 16 + digit);
    }
}

static void test_sizes(void **state)
{
    expect(parse_size, "512", 512);
    expect(parse_size, "4k", 4096);
    expect(parse_size, "4K", 4096);
    expect(parse_size, "3m", 3 * MIB);
    expect(parse_size, "2g", 2 * GIB);
    expect(parse_size, "5t", 5120 * GIB);
    expect(parse_size, "0x10k", 16 * KIB);
    expect(parse_size, "16777215t", 16777215ull * 1024 * GIB);
    expect(parse_size, "16777216t", NONE);
    expect(parse_size, "18014398509481984k", NONE);
    expect(parse_size, "k", NONE);
    expect(parse_size, "", NONE);
    expect(parse_size, "0xk", NONE); // no digits
    expect(parse_size, "4kb", NONE);
    expect(parse_size, "4kk", NONE);
    expect(parse_size, "4p", NONE);
    expect(parse_size, "4 k", NONE);
}

static void test_times(void **state)
{
    expect(parse_time, "5", 5000000);
    expect(parse_time, "5s", 5000000);
    expect(parse_time, "5us", 5);
    expect(parse_time, "5MS", 5000);
    expect(parse_time, "5m", 300000000);
    expect(parse_time, "5h", 18000000000);
    expect(parse_time, "0xms", NONE);
    expect(parse_time, "5u", NONE); // half of a unit
    expect(parse_time, "5mss", NONE);
    expect(parse_time, "5sm", NONE);
    expect(parse_time, "us", NONE);
    expect(parse_time, "5124095576h", 18446744073600000000ull);
    expect(parse_time, "5124095577h", NONE);
}

// Each character, at the start and behind another.
static void test_each_character_of_a_name(void **state)
{
    for (unsigned c = 0; c < 256; c++) {
        const char text[] = { (char)c, 'x', (char)c };
        char name[4] = "";
        bool good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                    c == '-' || c == '_';
        assert_int_equal(parse_name(text, 1, name, sizeof(name)), good);
        assert_int_equal(parse_name(text, 3, name, sizeof(name)), good);
        assert_int_equal(parse_name(text + 1, 2, name, sizeof(name)), good);
        assert_true(!good || (name[0] == 'x' && name[1] == (char)c && !name[2]));
    }
}

static void test_length_of_a_name(void **state)
{
    char name[5] = "old";
    assert_false(parse_name("", 0, name, sizeof(name)));
    assert_false(parse_name("abcde", 5, name, sizeof(name)));
    assert_string_equal(name, "old"); // what is none leaves it alone
    assert_true(parse_name("abcde", 4, name, sizeof(name)));
    assert_string_equal(name, "abcd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_each_digit),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_each_character_of_a_name),
        cmocka_unit_test(test_length_of_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
