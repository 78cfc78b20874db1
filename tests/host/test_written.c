// SPDX-License-Identifier: BSD-2-Clause
// The order of writes, and what is known of each place.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/permute.h"
#include "lib/random.h"
#include "lib/written.h"

// ---- permutations ----

static void test_each_number_once_and_back(void **state)
{
    static const uint64_t counts[] = { 1, 2, 3, 4, 5, 15, 16, 17, 64, 100, 1000, 4095, 4097 };
    static bool seen[4097];
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            struct permute p;
            permute_init(&p, counts[i], seed);
            memset(seen, 0, sizeof(seen));
            for (uint64_t at = 0; at < counts[i]; at++) {
                uint64_t value = permute_value(&p, at);
                assert_true(value < counts[i] && !seen[value]);
                seen[value] = true;
                assert_int_equal(permute_position(&p, value), at);
            }
        }
}

static void test_counts_of_whole_disks(void **state)
{
    static const uint64_t counts[] = { 1ull << 32, (1ull << 41) + 12345, 1ull << 63 };
    uint64_t random = 1;
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        struct permute p;
        permute_init(&p, counts[i], 9);
        for (unsigned n = 0; n < 1000; n++) {
            uint64_t at = random_below(&random, counts[i]);
            assert_true(permute_value(&p, at) < counts[i]);
            assert_true(permute_position(&p, permute_value(&p, at)) == at);
        }
    }
}

// Neighbours in the order are no neighbours on the disk, both halves take turns, and another seed
// makes another order.
static void test_the_order_looks_random(void **state)
{
    unsigned neighbours = 0, same = 0, low = 0;
    struct permute p, q;
    permute_init(&p, 10000, 1);
    permute_init(&q, 10000, 2);
    for (uint64_t at = 0; at < 9999; at++) {
        neighbours += permute_value(&p, at) + 1 == permute_value(&p, at + 1);
        same += permute_value(&p, at) == permute_value(&q, at);
        low += at < 5000 && permute_value(&p, at) < 5000;
    }
    assert_in_range(neighbours, 0, 10);
    assert_in_range(same, 0, 10);
    assert_in_range(low, 2300, 2700);
}

// ---- places ----

static struct written w;

static void make(uint64_t first, uint64_t places, bool random, uint64_t seed)
{
    static void *memory; // not a byte more than asked for
    free(memory);
    memory = calloc(1, written_bytes(places));
    written_init(&w, first, places, random, seed, memory);
}

static uint64_t write_one(uint32_t sequence, bool ok)
{
    uint64_t place;
    uint32_t got;
    assert_true(written_begin_write(&w, &place, &got));
    assert_int_equal(got, sequence);
    written_end_write(&w, place, ok);
    return place;
}

static void test_sequential_writes_go_round(void **state)
{
    make(1000, 3, false, 0);
    for (uint32_t pass = 1; pass < 4; pass++)
        for (uint64_t place = 1000; place < 1003; place++)
            assert_int_equal(write_one(pass, true), place);
}

static void test_random_writes_take_each_place_once_in_a_pass(void **state)
{
    make(64, 65, true, 5);
    for (uint32_t pass = 1; pass < 4; pass++) {
        bool seen[65] = { 0 };
        for (unsigned n = 0; n < 65; n++) {
            uint64_t place = write_one(pass, true);
            assert_in_range(place, 64, 128);
            assert_false(seen[place - 64]);
            seen[place - 64] = true;
        }
    }
}

// Against a count for each place, which is what the order saves.
static void test_sequences_are_those_that_were_counted(void **state)
{
    for (unsigned random = 0; random < 2; random++) {
        uint32_t counted[10] = { 0 };
        make(7, 10, random, 3);
        for (unsigned n = 0; n < 35; n++) {
            for (uint64_t place = 7; place < 17; place++) {
                assert_int_equal(written_expected(&w, place), counted[place - 7]);
                assert_int_equal(written_times(&w, place, n), counted[place - 7]);
            }
            assert_int_equal(written_place(&w, n), write_one(n / 10 + 1, true));
            counted[written_place(&w, n) - 7]++;
        }
    }
}

// Another share of the disk has another order, so that shares of a disk don't move in step.
static void test_shares_have_orders_of_their_own(void **state)
{
    struct written other;
    unsigned same = 0;
    make(0, 1000, true, 5);
    written_init(&other, 1000, 1000, true, 5, NULL);
    for (uint64_t n = 0; n < 1000; n++)
        same += written_place(&w, n) + 1000 == written_place(&other, n);
    assert_in_range(same, 0, 10);
}

static void test_no_write_overlaps_one_in_flight(void **state)
{
    uint64_t first, second, place;
    uint32_t sequence;
    make(0, 2, false, 0);
    assert_true(written_begin_write(&w, &first, &sequence));
    assert_true(written_begin_write(&w, &second, &sequence));
    assert_false(written_begin_write(&w, &place, &sequence));
    written_end_write(&w, second, true);
    assert_false(written_begin_write(&w, &place, &sequence));
    assert_int_equal(w.begun, 2); // what didn't begin doesn't count
    written_end_write(&w, first, true);
    assert_true(written_begin_write(&w, &place, &sequence));
    assert_int_equal(place, first);
    assert_int_equal(sequence, 2);
}

static void test_no_write_overlaps_a_read(void **state)
{
    uint64_t read, place;
    uint32_t sequence;
    make(0, 2, false, 0);
    assert_true(written_begin_read(&w, 0, &read));
    assert_int_equal(read, 0);
    assert_false(written_begin_write(&w, &place, &sequence));
    written_end_read(&w, 0);
    assert_int_equal(write_one(1, true), 0);
}

static void test_reads_take_the_next_place_that_is_free(void **state)
{
    uint64_t place;
    make(10, 130, false, 0); // three words of bits
    for (unsigned n = 0; n < 129; n++) {
        assert_true(written_begin_read(&w, 10 + 70, &place));
        assert_int_equal(place, 10 + (70 + n) % 130);
    }
    assert_true(written_begin_read(&w, 10, &place));
    assert_int_equal(place, 79);
    assert_false(written_begin_read(&w, 10, &place));
    written_end_read(&w, 139);
    assert_true(written_begin_read(&w, 10, &place));
    assert_int_equal(place, 139);
}

static void test_what_a_failed_write_leaves_is_unknown(void **state)
{
    make(0, 2, false, 0);
    write_one(1, true);
    write_one(1, true);
    write_one(2, false);
    assert_int_equal(written_expected(&w, 0), 0);
    assert_int_equal(written_expected(&w, 1), 1);
    write_one(2, true);
    write_one(3, true);
    assert_int_equal(written_expected(&w, 0), 3);
}

// A read tells nothing that the place's next write would.
static void test_a_read_makes_nothing_known(void **state)
{
    uint64_t place;
    make(0, 1, false, 0);
    write_one(1, false);
    assert_true(written_begin_read(&w, 0, &place));
    written_end_read(&w, place);
    assert_int_equal(written_expected(&w, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_number_once_and_back),
        cmocka_unit_test(test_counts_of_whole_disks),
        cmocka_unit_test(test_the_order_looks_random),
        cmocka_unit_test(test_sequential_writes_go_round),
        cmocka_unit_test(test_random_writes_take_each_place_once_in_a_pass),
        cmocka_unit_test(test_sequences_are_those_that_were_counted),
        cmocka_unit_test(test_shares_have_orders_of_their_own),
        cmocka_unit_test(test_no_write_overlaps_one_in_flight),
        cmocka_unit_test(test_no_write_overlaps_a_read),
        cmocka_unit_test(test_reads_take_the_next_place_that_is_free),
        cmocka_unit_test(test_what_a_failed_write_leaves_is_unknown),
        cmocka_unit_test(test_a_read_makes_nothing_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
