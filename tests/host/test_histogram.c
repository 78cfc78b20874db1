// SPDX-License-Identifier: BSD-2-Clause
// The histogram against exact percentiles of sorted values.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "apps/histogram.h"
#include "lib/string.h"

#define VALUES 20000

static struct histogram h, other;
static uint64_t values[VALUES];

static int clear(void **state)
{
    memset(&h, 0, sizeof(h));
    memset(&other, 0, sizeof(other));
    return 0;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t random64(void)
{
    static uint64_t state = 42;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void test_buckets_cover_all_values_in_order(void **state)
{
    assert_int_equal(histogram_bucket(0), 0);
    assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
    for (uint64_t v = 1; v < 100000; v++) {
        unsigned before = histogram_bucket(v - 1), after = histogram_bucket(v);
        assert_true(after == before || after == before + 1);
    }
    for (unsigned bit = 7; bit < 64; bit++)
        assert_int_equal(histogram_bucket(1ull << bit), histogram_bucket((1ull << bit) - 1) + 1);
}

static void test_nothing_recorded(void **state)
{
    assert_int_equal(histogram_count(&h), 0);
    assert_int_equal(histogram_mean(&h), 0);
    assert_int_equal(histogram_percentile(&h, 50000), 0);
    assert_int_equal(histogram_percentile(&h, 100000), 0);
}

static void test_small_values_are_exact(void **state)
{
    for (uint64_t v = 1; v <= 100; v++)
        histogram_record(&h, v);
    assert_int_equal(histogram_count(&h), 100);
    assert_int_equal(histogram_mean(&h), 50); // 50.5
    assert_int_equal(h.max, 100);
    for (unsigned p = 1; p <= 100; p++)
        assert_int_equal(histogram_percentile(&h, p * 1000), p);
    assert_int_equal(histogram_percentile(&h, 0), 1);
    assert_int_equal(histogram_percentile(&h, 50001), 51);
    assert_int_equal(histogram_percentile(&h, 99999), 100);
}

// Zero is a value, and the first that has no bucket of its own is told as its bucket's middle.
static void test_values_at_the_ends_of_buckets(void **state)
{
    histogram_record(&h, 0);
    histogram_record(&h, 0);
    histogram_record(&h, 4);
    assert_int_equal(histogram_count(&h), 3);
    assert_int_equal(histogram_mean(&h), 1);
    assert_int_equal(histogram_percentile(&h, 50000), 0);
    assert_int_equal(histogram_percentile(&h, 100000), 4);
    static const uint64_t values_and_middles[][2] = {
        { 126, 126 },   { 127, 127 },   { 128, 129 },
        { 129, 129 },   { 130, 131 },   { 255, 255 },
        { 256, 258 },   { 259, 258 },   { 260, 262 },
        { 511, 510 },   { 512, 516 },   { 519, 516 },
        { 1023, 1020 }, { 1024, 1032 }, { 1ull << 40, (1ull << 40) + (1ull << 33) },
    };
    for (size_t i = 0; i < ARRAY_SIZE(values_and_middles); i++) {
        clear(NULL);
        histogram_record(&h, values_and_middles[i][0]);
        histogram_record(&h, UINT64_MAX);
        assert_true(histogram_percentile(&h, 50000) == values_and_middles[i][1]);
        assert_true(histogram_percentile(&h, 100000) > UINT64_MAX - (UINT64_MAX >> 7));
    }
}

static void test_one_value_is_its_own_maximum(void **state)
{
    histogram_record(&h, 1000001);
    assert_true(histogram_percentile(&h, 50000) <= 1000001);
    assert_true(histogram_percentile(&h, 50000) >= 1000001 - 1000001 / 64);
    assert_int_equal(h.max, 1000001);
}

// Within 1/128 of the exact percentile, for values of any magnitude.
static void check_against_sorted(unsigned most_bits)
{
    static const unsigned percentiles[] = {
        1000, 25000, 50000, 90000, 99000, 99900, 99990, 100000
    };
    clear(NULL);
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = random64() >> (64 - most_bits + random64() % most_bits);
        histogram_record(&h, values[i]);
    }
    qsort(values, VALUES, sizeof(*values), compare);
    for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++) {
        uint64_t rank = DIV_UP((uint64_t)VALUES * percentiles[i], 100000);
        uint64_t exact = values[rank - 1], got = histogram_percentile(&h, percentiles[i]);
        uint64_t off = got > exact ? got - exact : exact - got;
        assert_true(off <= exact / 128);
    }
    assert_int_equal(h.max, values[VALUES - 1]);
}

static void test_percentiles_of_random_values(void **state)
{
    for (unsigned bits = 8; bits <= 48; bits += 8)
        check_against_sorted(bits);
}

static void test_merge_is_as_recording_in_one(void **state)
{
    static struct histogram both;
    memset(&both, 0, sizeof(both));
    for (size_t i = 0; i < VALUES; i++) {
        uint64_t v = random64() >> 30;
        histogram_record(i % 3 ? &h : &other, v);
        histogram_record(&both, v);
    }
    histogram_record(&other, 0);
    histogram_record(&both, 0);
    histogram_record(&other, 1ull << 40);
    histogram_record(&both, 1ull << 40);
    histogram_merge(&h, &other);
    assert_memory_equal(&h, &both, sizeof(h));
    clear(NULL);
    histogram_record(&h, 1000);
    histogram_record(&other, 10);
    histogram_merge(&h, &other);
    assert_int_equal(h.max, 1000);
}

static void test_rank_of_a_large_count_does_not_overflow(void **state)
{
    h.buckets[10] = h.buckets[20] = 1ull << 62;
    h.max = 20;
    assert_int_equal(histogram_percentile(&h, 50000), 10);
    assert_int_equal(histogram_percentile(&h, 50001), 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_buckets_cover_all_values_in_order, clear),
        cmocka_unit_test_setup(test_nothing_recorded, clear),
        cmocka_unit_test_setup(test_small_values_are_exact, clear),
        cmocka_unit_test_setup(test_values_at_the_ends_of_buckets, clear),
        cmocka_unit_test_setup(test_one_value_is_its_own_maximum, clear),
        cmocka_unit_test_setup(test_percentiles_of_random_values, clear),
        cmocka_unit_test_setup(test_merge_is_as_recording_in_one, clear),
        cmocka_unit_test_setup(test_rank_of_a_large_count_does_not_overflow, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
