// SPDX-License-Identifier: BSD-2-Clause
// The kernel's own memory and string functions, under other names, against the host's.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#undef ONEBELL_HOST
#define memcpy our_memcpy
#define memmove our_memmove
#define memset our_memset
#define memcmp our_memcmp
#define memchr our_memchr
#define strlen our_strlen
#define strnlen our_strnlen
#define strcmp our_strcmp
#define strncmp our_strncmp
#define strchr our_strchr
#include "lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr

#define BYTES 64

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void fill(uint8_t *bytes)
{
    for (unsigned i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)(i * 37 + 1);
}

static void test_copies(void **state)
{
    for (unsigned to = 0; to < 20; to++)
        for (unsigned from = 0; from < 20; from++)
            for (unsigned count = 0; count < 40; count++) {
                uint8_t ours[BYTES], theirs[BYTES], source[BYTES];
                fill(ours);
                fill(theirs);
                assert_ptr_equal(our_memmove(ours + to, ours + from, count), ours + to);
                memmove(theirs + to, theirs + from, count);
                assert_memory_equal(ours, theirs, BYTES);
                fill(source);
                memset(ours, 0, BYTES);
                memset(theirs, 0, BYTES);
                assert_ptr_equal(our_memcpy(ours + to, source + from, count), ours + to);
                memcpy(theirs + to, source + from, count);
                assert_memory_equal(ours, theirs, BYTES);
            }
}

static void test_memset(void **state)
{
    for (unsigned at = 0; at < 10; at++)
        for (unsigned count = 0; count < 40; count++) {
            uint8_t ours[BYTES], theirs[BYTES];
            fill(ours);
            fill(theirs);
            assert_ptr_equal(our_memset(ours + at, 0x1ff, count), ours + at);
            memset(theirs + at, 0x1ff, count);
            assert_memory_equal(ours, theirs, BYTES);
        }
}

static void test_memcmp_and_memchr(void **state)
{
    uint8_t a[BYTES], b[BYTES];
    fill(a);
    fill(b);
    assert_int_equal(our_memcmp(a, b, BYTES), 0);
    assert_ptr_equal(our_memchr(a, 999, BYTES), memchr(a, 999, BYTES));
    for (unsigned i = 0; i < BYTES; i++) {
        b[i] ^= 0x80;
        assert_int_equal(sign(our_memcmp(a, b, BYTES)), sign(memcmp(a, b, BYTES)));
        assert_int_equal(our_memcmp(a, b, i), 0);
        assert_ptr_equal(our_memchr(a, a[i], BYTES), memchr(a, a[i], BYTES));
        assert_ptr_equal(our_memchr(a, a[i] | 0x700, BYTES), memchr(a, a[i], BYTES));
        assert_ptr_equal(our_memchr(a, (signed char)a[i], BYTES), memchr(a, a[i], BYTES));
        assert_null(our_memchr(a, a[i], i));
        b[i] ^= 0x80;
    }
}

static void test_strings(void **state)
{
    static const char *const texts[] = {
        "", "a", "ab", "abc", "abd", "b", "\x80", "\xff", "ab\xff"
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const char *a = texts[i];
        assert_int_equal(our_strlen(a), strlen(a));
        for (size_t most = 0; most < 6; most++)
            assert_int_equal(our_strnlen(a, most), strnlen(a, most));
        for (const char *c = "abc\xff"; *c; c++)
            assert_ptr_equal(our_strchr(a, *c), strchr(a, *c));
        assert_ptr_equal(our_strchr(a, 0), a + strlen(a));
        for (size_t k = 0; k < ARRAY_SIZE(texts); k++) {
            assert_int_equal(sign(our_strcmp(a, texts[k])), sign(strcmp(a, texts[k])));
            for (size_t most = 0; most < 5; most++)
                assert_int_equal(sign(our_strncmp(a, texts[k], most)),
                                 sign(strncmp(a, texts[k], most)));
        }
    }
}

// Memory of exactly the bound's size: nothing behind it is read.
static void test_bounds(void **state)
{
    for (size_t bytes = 1; bytes < 20; bytes++) {
        char *a = malloc(bytes), *b = malloc(bytes);
        memset(a, 'x', bytes);
        memset(b, 'x', bytes);
        assert_int_equal(our_strnlen(a, bytes), bytes);
        assert_int_equal(our_strncmp(a, b, bytes), 0);
        assert_int_equal(our_memcmp(a, b, bytes), 0);
        assert_null(our_memchr(a, 'y', bytes));
        free(a);
        free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),  cmocka_unit_test(test_copies),
        cmocka_unit_test(test_memset),  cmocka_unit_test(test_memcmp_and_memchr),
        cmocka_unit_test(test_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
