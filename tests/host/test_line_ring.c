// SPDX-License-Identifier: BSD-2-Clause
// Lines go into a ring whole or not at all, and come out as they went in.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/line_ring.h"

static struct line_ring ring;

// In memory of just its size, at counts that are about to wrap.
static void make(uint32_t size, uint32_t count)
{
    free(ring.bytes);
    ring = (struct line_ring){ .bytes = malloc(size), .size = size, .head = count, .tail = count };
}

static bool put(const char *text, bool crlf, uint32_t spare)
{
    return line_ring_put(&ring, text, strlen(text), crlf, spare);
}

static void expect(const char *text)
{
    assert_int_equal(line_ring_used(&ring), strlen(text));
    for (; *text; text++)
        assert_int_equal(line_ring_take(&ring), *text);
}

static void test_in_order(void **state)
{
    make(16, 0);
    assert_int_equal(line_ring_used(&ring), 0);
    assert_true(put("one\n", false, 0));
    assert_true(put("two\n", false, 0));
    expect("one\ntwo\n");
}

static void test_to_the_last_byte(void **state)
{
    make(16, 5);
    assert_true(put("0123456789abcdef", false, 0));
    assert_false(put("x", false, 0));
    assert_int_equal(line_ring_take(&ring), '0');
    assert_false(put("xy", false, 0)); // not even one byte of it
    assert_true(put("x", false, 0));
    expect("123456789abcdefx");
}

static void test_spare_room(void **state)
{
    make(16, 0);
    assert_false(put("0123456789abc", false, 4));
    assert_true(put("0123456789ab", false, 4));
    assert_false(put("c", false, 4));
    assert_true(put("c", false, 0));
    expect("0123456789abc");
}

static void test_line_ends(void **state)
{
    make(16, 0);
    assert_true(put("a\nb\n", true, 0));
    assert_true(put("c\n", false, 0));
    expect("a\r\nb\r\nc\n");
    assert_false(put("0123456789abcd\n\n", true, 0)); // 18 bytes
    assert_true(put("0123456789ab\n\n", true, 0));
    expect("0123456789ab\r\n\r\n");
}

static void test_counts_wrap(void **state)
{
    make(8, UINT32_MAX - 3);
    for (unsigned i = 0; i < 5; i++) {
        assert_true(put("abcdef", false, 0));
        assert_false(put("xyz", false, 0));
        expect("abcdef");
    }
}

static void test_longer_than_the_ring(void **state)
{
    make(8, 0);
    assert_false(put("012345678", false, 0));
    assert_true(put("", false, 0));
    assert_int_equal(line_ring_used(&ring), 0);
}

static int stop(void **state)
{
    free(ring.bytes);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),    cmocka_unit_test(test_to_the_last_byte),
        cmocka_unit_test(test_spare_room),  cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_counts_wrap), cmocka_unit_test(test_longer_than_the_ring),
    };
    return cmocka_run_group_tests(tests, NULL, stop);
}
