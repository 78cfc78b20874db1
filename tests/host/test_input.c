// SPDX-License-Identifier: BSD-2-Clause
// Keyboards and ports as one stream.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/base/input.h"

static const char *typed[2];

static int take(unsigned i)
{
    return *typed[i] ? (uint8_t)*typed[i]++ : -1;
}

static int poll_first(void)
{
    return take(0);
}

static int poll_second(void)
{
    return take(1);
}

// Sources stay for good: both are added before the tests.
static int add_both(void **state)
{
    static struct input_source sources[] = { { .poll = poll_first }, { .poll = poll_second } };
    assert_int_equal(input_poll(), -1);
    input_add(&sources[0]);
    input_add(&sources[1]);
    return 0;
}

static void check_stream(const char *first, const char *second, const char *expected)
{
    typed[0] = first;
    typed[1] = second;
    for (; *expected; expected++)
        assert_int_equal(input_poll(), (uint8_t)*expected);
    assert_int_equal(input_poll(), -1);
}

static void test_each_source_is_heard(void **state)
{
    check_stream("", "", "");
    check_stream("ab", "", "ab");
    check_stream("", "cd", "cd");
}

static void test_a_key_sequence_stays_whole(void **state)
{
    check_stream("\33[A", "x", "\33[Ax");
}

static void test_bytes_are_unsigned(void **state)
{
    check_stream("\xff", "\x80", "\xff\x80");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_source_is_heard),
        cmocka_unit_test(test_a_key_sequence_stays_whole),
        cmocka_unit_test(test_bytes_are_unsigned),
    };
    return cmocka_run_group_tests(tests, add_both, NULL);
}
