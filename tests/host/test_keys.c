// SPDX-License-Identifier: BSD-2-Clause
// Scan codes of both sets to what a VT100 sends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/base/keys.h"
#include "lib/string.h"

static char typed[64];

static void type(bool is_set2, const uint8_t *codes, size_t count)
{
    struct keys keys = { .is_set2 = is_set2 };
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(length + KEYS_BYTES_MAX < sizeof(typed));
        length += keys_take(&keys, codes[i], typed + length);
    }
    typed[length] = 0;
}

#define SET1(...) type(false, (const uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }))
#define SET2(...) type(true, (const uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }))

static void test_letters(void **state)
{
    SET1(0x23, 0xa3, 0x12, 0x92, 0x26, 0xa6, 0x19, 0x99, 0x1c, 0x9c);
    assert_string_equal(typed, "help\r");
    SET2(0x33, 0xf0, 0x33, 0x24, 0xf0, 0x24, 0x4b, 0xf0, 0x4b, 0x4d, 0xf0, 0x4d, 0x5a, 0xf0, 0x5a);
    assert_string_equal(typed, "help\r");
}

// All keys of the block, row by row; each is held down, so that it repeats.
static void test_all_characters(void **state)
{
    static const uint8_t set1[] = { 0x29, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
                                    0x0b, 0x0c, 0x0d, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
                                    0x17, 0x18, 0x19, 0x1a, 0x1b, 0x2b, 0x1e, 0x1f, 0x20, 0x21,
                                    0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x2c, 0x2d, 0x2e,
                                    0x2f, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x39 };
    static const uint8_t set2[] = { 0x0e, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46,
                                    0x45, 0x4e, 0x55, 0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c,
                                    0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5d, 0x1c, 0x1b, 0x23, 0x2b,
                                    0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x1a, 0x22, 0x21,
                                    0x2a, 0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x29 };
    static const char plain[] = "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./ ";
    static const char shifted[] = "~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:\"ZXCVBNM<>? ";
    uint8_t held[1 + sizeof(set1)] = { 0x2a };
    type(false, set1, sizeof(set1));
    assert_string_equal(typed, plain);
    type(true, set2, sizeof(set2));
    assert_string_equal(typed, plain);
    memcpy(held + 1, set1, sizeof(set1));
    type(false, held, sizeof(held));
    assert_string_equal(typed, shifted);
    held[0] = 0x59; // the right one
    memcpy(held + 1, set2, sizeof(set2));
    type(true, held, sizeof(held));
    assert_string_equal(typed, shifted);
}

static void test_keys_of_a_terminal(void **state)
{
    SET1(0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0x50, 0xe0, 0x4d, 0xe0, 0x4b);
    assert_string_equal(typed, "\033[A\033[B\033[C\033[D");
    SET2(0xe0, 0x75, 0xe0, 0xf0, 0x75, 0xe0, 0x72, 0xe0, 0x74, 0xe0, 0x6b);
    assert_string_equal(typed, "\033[A\033[B\033[C\033[D");
    SET1(0xe0, 0x47, 0xe0, 0x4f, 0xe0, 0x52, 0xe0, 0x53, 0xe0, 0x49, 0xe0, 0x51);
    assert_string_equal(typed, "\033[H\033[F\033[2~\033[3~\033[5~\033[6~");
    SET1(0x0e, 0x0f, 0x01, 0xe0, 0x1c, 0xe0, 0x35);
    assert_string_equal(typed, "\177\t\033\r/");
    SET1(0x48, 0x4a, 0x53, 0x37); // the number pad
    assert_string_equal(typed, "8-.*");
}

static void test_modifiers(void **state)
{
    SET1(0x2a, 0x1e, 0xaa, 0x1e, 0x36, 0x1e, 0xb6, 0x1e);
    assert_string_equal(typed, "AaAa");
    SET1(0x1d, 0x2e, 0x9d, 0x2e, 0xe0, 0x1d, 0x20, 0xe0, 0x9d, 0x20);
    assert_string_equal(typed, "\003c\004d");
    SET1(0x3a, 0xba, 0x1e, 0x02, 0x2a, 0x1e, 0xaa, 0x3a, 0xba, 0x1e);
    assert_string_equal(typed, "A1aa");
    SET2(0x58, 0xf0, 0x58, 0x1c, 0x12, 0x1c, 0xf0, 0x12, 0x1c);
    assert_string_equal(typed, "AaA");
}

// Shifts that the keyboard itself sends around an extended key change nothing, and Pause is no key.
static void test_what_nobody_pressed(void **state)
{
    SET1(0xe0, 0x2a, 0xe0, 0x53, 0xe0, 0xd3, 0xe0, 0xaa, 0x1e);
    assert_string_equal(typed, "\033[3~a");
    SET1(0xe0, 0x2a, 0x1e);
    assert_string_equal(typed, "a");
    SET1(0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5, 0x1e);
    assert_string_equal(typed, "a");
    SET2(0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77, 0x1c);
    assert_string_equal(typed, "a");
    SET1(0xfa, 0xaa, 0xfe, 0xff, 0x00, 0x1e); // answers, and errors
    assert_string_equal(typed, "a");
    SET2(0xfa, 0xaa, 0xfe, 0xff, 0x00, 0x1c);
    assert_string_equal(typed, "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_all_characters),
        cmocka_unit_test(test_keys_of_a_terminal),
        cmocka_unit_test(test_modifiers),
        cmocka_unit_test(test_what_nobody_pressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
