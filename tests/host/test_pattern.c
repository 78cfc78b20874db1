// SPDX-License-Identifier: BSD-2-Clause
// Written blocks: each way in which one can be wrong is told from all others.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/crc32c.h"
#include "lib/pattern.h"
#include "lib/stamp.h"
#include "lib/string.h"

#define TAG 0x1122334455667788ull
#define SEED 0xa1b2c3d4e5f60718ull
#define LBA_SIZE_MAX 65536

static uint8_t block[LBA_SIZE_MAX], other[LBA_SIZE_MAX];
static const struct pattern_id id = { .tag = TAG, .lba = 7, .seed = SEED };

static void expect(uint32_t size, uint32_t oldest, uint32_t newest, enum pattern_verdict verdict,
                   const char *what, const char *message)
{
    struct problem p = { 0 };
    assert_int_equal(pattern_check(block, size, &id, oldest, newest, &p), verdict);
    assert_string_equal(p.what, what);
    assert_string_equal(p.message, message);
}

static void expect_good(uint32_t size, uint32_t oldest, uint32_t newest)
{
    struct problem p = { 0 };
    assert_int_equal(pattern_check(block, size, &id, oldest, newest, &p), PATTERN_GOOD);
}

static void test_layout(void **state)
{
    pattern_fill(block, 1024, &id, 0x01020304);
    for (size_t piece = 0; piece < 2; piece++) {
        const uint8_t *at = block + piece * 512;
        uint32_t crc = crc32c_by_table(crc32c_by_table(0, at, 44), at + 48, 512 - 48);
        assert_memory_equal(at, "ONEBELLW", 8);
        assert_memory_equal(at + 8, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
        assert_memory_equal(at + 16, "\x07\0\0\0\0\0\0\0", 8);
        assert_memory_equal(at + 24, "\x18\x07\xf6\xe5\xd4\xc3\xb2\xa1", 8);
        assert_memory_equal(at + 32, "\x04\x03\x02\x01", 4);
        assert_memory_equal(at + 36, "\0\x04\0\0", 4);
        assert_int_equal(at[40], piece);
        assert_memory_equal(at + 41, "\0\0\0", 3);
        assert_memory_equal(at + 44, &crc, 4);
    }
}

static void test_good_blocks_of_all_sizes(void **state)
{
    static const uint32_t sizes[] = { 512, 520, 1024, 2048, 4096, 4104, 4160, 8192, 65536 };
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        memset(block, 0xee, sizeof(block));
        pattern_fill(block, sizes[i], &id, 3);
        expect_good(sizes[i], 3, 3);
        expect_good(sizes[i], 1, 9);
        for (uint32_t at = sizes[i]; at < sizeof(block); at++)
            assert_int_equal(block[at], 0xee); // nothing behind it
    }
    pattern_fill(block, 512, &id, UINT32_MAX);
    expect_good(512, UINT32_MAX, UINT32_MAX);
}

// What differs in anything shares nothing but the header's constant parts.
static void test_no_two_pieces_are_alike(void **state)
{
    const struct pattern_id ids[] = {
        id, { TAG + 1, 7, SEED }, { TAG, 8, SEED }, { TAG, 7, SEED + 1 }, { 0, 0, 0 },
    };
    static uint8_t pieces[2 * ARRAY_SIZE(ids) + 2][512];
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++, count += 2)
        pattern_fill(pieces[count], 1024, &ids[i], 1);
    pattern_fill(pieces[count], 512, &id, 2);
    pattern_fill(pieces[count + 1], 512, &id, 3);
    for (size_t a = 0; a < ARRAY_SIZE(pieces); a++)
        for (size_t b = 0; b < a; b++)
            for (size_t at = 48; at < 512; at += 8)
                assert_memory_not_equal(pieces[a] + at, pieces[b] + at, 8);
}

static void test_stale(void **state)
{
    pattern_fill(block, 4096, &id, 4);
    expect(4096, 5, 6, PATTERN_STALE, "verify-stale",
           "is stale: it holds write 4 where write 5 is acknowledged");
    expect_good(4096, 4, 6);
}

static void test_future(void **state)
{
    pattern_fill(block, 512, &id, 4);
    expect(512, 1, 3, PATTERN_FUTURE, "verify-future",
           "holds write 4 where write 3 is the last that was submitted");
    expect_good(512, 1, 4);
}

// At each boundary between two pieces, with the old data before or behind it.
static void test_torn(void **state)
{
    char message[240];
    for (uint32_t at = 512; at < 4096; at += 512)
        for (uint32_t older_first = 0; older_first < 2; older_first++) {
            pattern_fill(block, 4096, &id, 2 - older_first);
            pattern_fill(other, 4096, &id, 1 + older_first);
            memcpy(block + at, other + at, 4096 - at);
            snprintf(message, sizeof(message),
                     "is torn at byte %u: write %u of LBA 7 (seed 0xa1b2c3d4e5f60718) before it, "
                     "write %u of LBA 7 (seed 0xa1b2c3d4e5f60718) from there",
                     at, 2 - older_first, 1 + older_first);
            expect(4096, 1, 2, PATTERN_TORN, "verify-torn", message);
        }
}

// One piece in the middle is another block's, disk's or run's.
static void test_torn_by_another_write_of_any_kind(void **state)
{
    const struct pattern_id others[] = { { TAG, 8, SEED },
                                         { TAG + 1, 7, SEED },
                                         { TAG, 7, SEED + 1 } };
    struct problem p;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        pattern_fill(block, 2048, &id, 1);
        pattern_fill(other, 2048, &others[i], 1);
        memcpy(block + 1024, other + 1024, 512);
        assert_int_equal(pattern_check(block, 2048, &id, 1, 1, &p), PATTERN_TORN);
        assert_string_equal(p.what, "verify-torn");
    }
}

static void test_misplaced(void **state)
{
    static const uint64_t lbas[] = { 8, 6, 7 + (1ull << 32), 7 + (1ull << 63) };
    char message[240];
    for (size_t i = 0; i < ARRAY_SIZE(lbas); i++) {
        const struct pattern_id there = { .tag = TAG, .lba = lbas[i], .seed = SEED };
        pattern_fill(block, 4096, &there, 2);
        snprintf(message, sizeof(message), "holds the data of LBA %llu, of its write 2",
                 (unsigned long long)lbas[i]);
        expect(4096, 1, 9, PATTERN_MISPLACED, "verify-lba", message);
    }
}

static void test_other_disk(void **state)
{
    static const uint64_t tags[] = { TAG + 1, TAG ^ 1ull << 32, TAG ^ 1ull << 63 };
    char message[240];
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
        const struct pattern_id there = { .tag = tags[i], .lba = 9, .seed = SEED };
        pattern_fill(block, 512, &there, 1);
        snprintf(message, sizeof(message),
                 "holds another disk's data (tag 0x%016llx, not 0x1122334455667788), of its LBA 9",
                 (unsigned long long)tags[i]);
        expect(512, 1, 9, PATTERN_OTHER_DISK, "verify-disk", message);
    }
}

static void test_other_run(void **state)
{
    const struct pattern_id then = { .tag = TAG, .lba = 7, .seed = 5 };
    pattern_fill(block, 512, &then, 3);
    expect(512, 3, 3, PATTERN_OTHER_RUN, "verify-run",
           "holds the data of another run (seed 0x5, not 0xa1b2c3d4e5f60718), of write 3");
}

static void test_other_block_size(void **state)
{
    pattern_fill(block, 4096, &id, 1);
    expect(512, 1, 1, PATTERN_BLOCK_SIZE, "verify-block-size",
           "was written in blocks of 4096 bytes, not 512");
    pattern_fill(block, 512, &id, 1);
    expect(4096, 1, 1, PATTERN_BLOCK_SIZE, "verify-block-size",
           "was written in blocks of 512 bytes, not 4096");
}

static void test_never_written(void **state)
{
    memset(block, 0, sizeof(block));
    expect(4096, 1, 1, PATTERN_UNWRITTEN, "verify-unwritten",
           "was never written: it starts with 0x0000000000000000");
    stamp_fill(block, 4096, TAG, 7);
    expect(4096, 1, 1, PATTERN_UNWRITTEN, "verify-unwritten",
           "was never written: it starts with 0x314c4c4542454e4f");
}

// Never anything but corrupt, and the sentence names the piece.
static void test_each_flipped_bit_is_corruption(void **state)
{
    char message[240];
    pattern_fill(block, 1024, &id, 3);
    for (size_t bit = 0; bit < 1024 * 8; bit++) {
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
        size_t first = bit / 8 / 512 * 512;
        snprintf(message, sizeof(message),
                 "is corrupt: bytes %zu to %zu are not as they were written", first, first + 511);
        expect(1024, 3, 3, PATTERN_CORRUPT, "verify-crc", message);
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    expect_good(1024, 3, 3);
}

// Its first bytes aren't its piece's: the last piece is the longer one.
static void test_corruption_in_the_last_bytes(void **state)
{
    pattern_fill(block, 4104, &id, 1);
    block[4103] ^= 0x80;
    expect(4104, 1, 1, PATTERN_CORRUPT, "verify-crc",
           "is corrupt: bytes 3584 to 4103 are not as they were written");
}

// Half a block of new data on a disk that was never written to; and pieces in the wrong order.
static void test_pieces_that_are_none_are_corruption(void **state)
{
    pattern_fill(block, 4096, &id, 1);
    memset(block + 2048, 0, 2048);
    expect(4096, 1, 1, PATTERN_CORRUPT, "verify-crc",
           "is corrupt: bytes 2048 to 2559 are not as they were written");
    pattern_fill(block, 4096, &id, 1);
    memset(block, 0, 512);
    expect(4096, 1, 1, PATTERN_CORRUPT, "verify-crc",
           "is corrupt: bytes 0 to 511 are not as they were written");
    pattern_fill(block, 4096, &id, 1);
    memcpy(other, block, 512);
    memcpy(block, block + 512, 512);
    memcpy(block + 512, other, 512);
    expect(4096, 1, 1, PATTERN_CORRUPT, "verify-crc",
           "is corrupt: bytes 0 to 511 are not as they were written");
}

static void test_what_a_block_claims(void **state)
{
    struct pattern_id claimed;
    uint32_t sequence;
    pattern_fill(block, 512, &id, 77);
    assert_true(pattern_identify(block, &claimed, &sequence));
    assert_memory_equal(&claimed, &id, sizeof(id));
    assert_int_equal(sequence, 77);
    block[0] ^= 1;
    assert_false(pattern_identify(block, &claimed, &sequence));
}

static void test_each_verdict_has_its_own_name(void **state)
{
    for (unsigned a = 0; a < PATTERN_VERDICTS; a++)
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(pattern_verdict_name(a), pattern_verdict_name(b));
    assert_string_equal(pattern_verdict_name(PATTERN_STALE), "stale");
    assert_string_equal(pattern_verdict_name(PATTERN_TORN), "torn");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_good_blocks_of_all_sizes),
        cmocka_unit_test(test_no_two_pieces_are_alike),
        cmocka_unit_test(test_stale),
        cmocka_unit_test(test_future),
        cmocka_unit_test(test_torn),
        cmocka_unit_test(test_torn_by_another_write_of_any_kind),
        cmocka_unit_test(test_misplaced),
        cmocka_unit_test(test_other_disk),
        cmocka_unit_test(test_other_run),
        cmocka_unit_test(test_other_block_size),
        cmocka_unit_test(test_never_written),
        cmocka_unit_test(test_each_flipped_bit_is_corruption),
        cmocka_unit_test(test_corruption_in_the_last_bytes),
        cmocka_unit_test(test_pieces_that_are_none_are_corruption),
        cmocka_unit_test(test_what_a_block_claims),
        cmocka_unit_test(test_each_verdict_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
