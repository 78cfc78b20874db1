// SPDX-License-Identifier: BSD-2-Clause
// Stamped blocks: each kind of damage and of misplacement is found, and named.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/crc32c.h"
#include "lib/stamp.h"
#include "lib/string.h"

#define TAG 0x1122334455667788ull

static void test_layout(void **state)
{
    uint8_t block[512];
    stamp_fill(block, sizeof(block), TAG, 0x0102030405ull);
    assert_memory_equal(block, "ONEBELL1", 8);
    assert_memory_equal(block + 8, "\x05\x04\x03\x02\x01\0\0\0", 8);
    assert_memory_equal(block + 16, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
    assert_memory_equal(block + 24, "\0\x02\0\0", 4);
}

// The sum is of the whole block with the sum's own field zero, wherever it was computed.
static void test_sum(void **state)
{
    uint8_t block[4096], copy[4096];
    uint32_t crc;
    for (uint32_t size = 512; size <= sizeof(block); size += 8) {
        stamp_fill(block, size, TAG, 3);
        memcpy(copy, block, size);
        memset(copy + 28, 0, 4);
        memcpy(&crc, block + 28, 4);
        assert_int_equal(crc, crc32c_by_table(0, copy, size));
    }
}

static void test_tag_is_fnv1a(void **state)
{
    // FNV-1a of "a" and of "a" followed by the bytes 1 0 0 0, computed by hand from its definition.
    uint64_t hash = (0xcbf29ce484222325ull ^ 'a') * 0x100000001b3ull;
    assert_true(hash == 0xaf63dc4c8601ec8cull); // the published value
    hash = (hash ^ 1) * 0x100000001b3ull;
    for (int i = 0; i < 3; i++)
        hash *= 0x100000001b3ull;
    assert_true(stamp_tag("a", 1) == hash);
    assert_true(stamp_tag("a", 1) != stamp_tag("a", 2));
    assert_true(stamp_tag("a", 1) != stamp_tag("b", 1));
    assert_true(stamp_tag("a", 0x01000000) != stamp_tag("a", 1));
}

static void test_good_blocks_pass(void **state)
{
    static uint8_t block[65536];
    struct problem p;
    for (uint32_t size = 512; size <= 65536; size *= 2) {
        stamp_fill(block, size, TAG, size);
        assert_true(stamp_check(block, size, TAG, size, &p));
    }
    stamp_fill(block, 520, TAG, UINT64_MAX); // 512 + 8 bytes of metadata in line
    assert_true(stamp_check(block, 520, TAG, UINT64_MAX, &p));
}

static void expect(const void *block, uint32_t size, uint64_t tag, uint64_t lba, const char *what)
{
    struct problem p = { 0 };
    assert_false(stamp_check(block, size, tag, lba, &p));
    assert_string_equal(p.what, what);
    assert_true(p.message[0]);
}

static void test_each_difference_is_named(void **state)
{
    uint8_t block[1024];
    stamp_fill(block, 512, TAG, 7);
    expect(block, 512, TAG, 8, "verify-lba");
    expect(block, 512, TAG, 7 + (1ull << 32), "verify-lba"); // 2 TiB further on
    expect(block, 512, TAG, 7 + (1ull << 63), "verify-lba");
    expect(block, 512, TAG + 1, 7, "verify-disk");
    expect(block, 512, TAG + (1ull << 32), 7, "verify-disk");
    expect(block, 512, TAG + (1ull << 63), 7, "verify-disk");
    expect(block, 1024, TAG, 7, "verify-block-size");
    memset(block, 0, sizeof(block));
    expect(block, 512, TAG, 7, "verify-magic");
    memset(block, 0, sizeof(block));
    expect(block, 512, 0, 0, "verify-magic");
}

static void test_each_flipped_bit_is_found(void **state)
{
    uint8_t block[512];
    struct problem p;
    stamp_fill(block, sizeof(block), TAG, 99);
    for (size_t bit = 0; bit < sizeof(block) * 8; bit++) {
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(stamp_check(block, sizeof(block), TAG, 99, &p));
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(stamp_check(block, sizeof(block), TAG, 99, &p));
}

static void test_half_written_block_is_found(void **state)
{
    uint8_t block[4096], other[4096];
    stamp_fill(block, sizeof(block), TAG, 1);
    stamp_fill(other, sizeof(other), TAG, 2);
    memcpy(block + 2048, other + 2048, 2048);
    expect(block, sizeof(block), TAG, 1, "verify-crc");
}

// Head and rest summed apart, as by an accelerator.
static void test_sum_in_two(void **state)
{
    uint8_t block[512];
    stamp_fill(block, sizeof(block), TAG, 7);
    assert_int_equal(
        crc32c(stamp_head_crc(block), block + STAMP_HEAD_BYTES, sizeof(block) - STAMP_HEAD_BYTES),
        stamp_crc_in(block));
    assert_true(stamp_has_head(block, 512, TAG, 7));
    assert_false(stamp_has_head(block, 512, TAG, 8));
    assert_false(stamp_has_head(block, 512, TAG + 1, 7));
    assert_false(stamp_has_head(block, 4096, TAG, 7));
    block[0] ^= 1;
    assert_false(stamp_has_head(block, 512, TAG, 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_sum),
        cmocka_unit_test(test_tag_is_fnv1a),
        cmocka_unit_test(test_good_blocks_pass),
        cmocka_unit_test(test_each_difference_is_named),
        cmocka_unit_test(test_each_flipped_bit_is_found),
        cmocka_unit_test(test_half_written_block_is_found),
        cmocka_unit_test(test_sum_in_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
