// SPDX-License-Identifier: BSD-2-Clause
// Bit fields by mask, and the macros that every file uses: each mask there is, each value at its
// ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/bits.h"

static void test_masks(void **state)
{
    for (unsigned low = 0; low < 64; low++)
        for (unsigned high = low; high < 64; high++) {
            uint64_t mask = 0;
            for (unsigned n = low; n <= high; n++)
                mask |= BIT64(n);
            assert_true(BITS64(high, low) == mask);
            if (high < 32)
                assert_int_equal(BITS32(high, low), mask);
        }
    assert_int_equal(BIT32(31), 0x80000000u);
}

static void test_fields(void **state)
{
    static const uint64_t words[] = { 0, UINT64_MAX, 0x123456789abcdef0, 0xa5a5a5a55a5a5a5a };
    for (unsigned low = 0; low < 64; low++)
        for (unsigned high = low; high < 64; high++)
            for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
                uint64_t mask = BITS64(high, low), word = words[i];
                uint64_t most = ~0ull >> (63 - high + low);
                assert_true(field_get(mask, word) == (word >> low & most));
                assert_true(field_put(mask, word) == (word & most) << low);
                assert_int_equal(field_fits(mask, word), word <= most);
                uint64_t set = word;
                field_set(&set, mask, 0x77);
                assert_true((set & ~mask) == (word & ~mask));
                assert_true(field_get(mask, set) == (0x77 & most));
            }
    uint8_t byte = 0xff;
    field_set(&byte, BITS32(4, 2), 2);
    assert_int_equal(byte, 0xeb);
}

static void test_each_bit(void **state)
{
    static const uint64_t words[] = { 0, 1, 1ull << 63, 0x8000000000000001, UINT64_MAX, 0x1248 };
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        uint64_t seen = 0;
        int last = -1;
        for_each_bit (n, words[i]) {
            assert_true((int)n > last);
            last = (int)n;
            seen |= BIT64(n);
        }
        assert_true(seen == words[i]);
    }
}

static void test_sizes(void **state)
{
    for (uint64_t x = 0; x < 200; x++)
        for (uint64_t a = 1; a <= 64; a *= 2) {
            assert_int_equal(ALIGN_UP(x, a), (x + a - 1) / a * a);
            assert_int_equal(ALIGN_DOWN(x, a), x / a * a);
            assert_int_equal(DIV_UP(x, a), x / a + (x % a != 0));
            assert_int_equal(MIN(x, a), x < a ? x : a);
            assert_int_equal(MAX(x, a), x > a ? x : a);
        }
    assert_true(ALIGN_DOWN(UINT64_MAX, 4096u) == 0xfffffffffffff000);
    assert_true(ALIGN_UP(0xfffffffffffff000, 4096) == 0xfffffffffffff000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_each_bit),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
