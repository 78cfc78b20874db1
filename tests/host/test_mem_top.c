// SPDX-License-Identifier: BSD-2-Clause
// What the arena's pieces are taken from: the top of the highest region that has room.

#include "mem_arena.h"

// 1 to 8 MiB, and 9 to 12 MiB.
static void start_with_two_regions(void)
{
    add_ram(MIB, 8 * MIB);
    add_ram(9 * MIB, 12 * MIB);
    mem_init(&handoff);
}

static uint64_t other_memory(unsigned node, size_t bytes)
{
    return phys_of(mem_alloc(bytes, 1, node));
}

static uint64_t top(uint64_t bytes, uint64_t align)
{
    return mem_take_top(bytes, align, bytes, NODE_ANY, DIRECT_MAP_BYTES);
}

// The highest that has room, whatever comes first in the map; from there on, the next one down.
static void the_highest_region_comes_first(void **state)
{
    start_with_two_regions();
    add_region(5 * MIB, 5 * MIB, NODE_ANY); // nothing
    assert_int_equal(top(MIB, MIB), 11 * MIB);
    assert_int_equal(top(3 * MIB, MIB), 5 * MIB); // 9 MiB on, 2 MiB are left
    assert_int_equal(top(2 * MIB, MIB), 9 * MIB);
    assert_int_equal(top(4 * MIB, MIB), MIB);
    assert_int_equal(top(PAGE_BYTES, PAGE_BYTES), 0);
    assert_int_equal(mem_free_bytes(), 0);
}

// Neither it nor what was cut off for its alignment is lost, and nobody gets any of it twice.
static void what_lies_behind_it_stays_free(void **state)
{
    start_with(MIB, 8 * MIB);
    assert_int_equal(top(MIB, 2 * MIB), 6 * MIB);
    assert_int_equal(mem_free_bytes(), 6 * MIB);
    assert_int_equal(top(MIB, PAGE_BYTES), 7 * MIB);
    assert_int_equal(other_memory(NODE_ANY, 5 * MIB), MIB);
    assert_int_equal(mem_free_bytes(), 0);
}

static void its_alignment_may_leave_no_room(void **state)
{
    start_with(MIB, 8 * MIB);
    assert_int_equal(top(MIB, 8 * MIB), 0); // aligned, it would begin before the region
    assert_int_equal(top(7 * MIB, 2 * MIB), 0);
    assert_int_equal(top(8 * MIB, PAGE_BYTES), 0);
    assert_int_equal(mem_free_bytes(), 7 * MIB);
    assert_int_equal(top(7 * MIB, MIB), MIB);
}

static void the_top_is_below_the_limit(void **state)
{
    start_with_two_regions();
    assert_int_equal(mem_take_top(MIB, PAGE_BYTES, 0, NODE_ANY, 8 * MIB - 1), 7 * MIB - PAGE_BYTES);
    assert_int_equal(mem_take_top(PAGE_BYTES, PAGE_BYTES, 0, NODE_ANY, 10 * MIB),
                     10 * MIB - PAGE_BYTES);
    assert_int_equal(mem_take_top(PAGE_BYTES, PAGE_BYTES, 0, NODE_ANY, MIB), 0);
    assert_int_equal(mem_free_bytes(), 9 * MIB - PAGE_BYTES); // all that is above it, too
    assert_int_equal(top(2 * MIB, PAGE_BYTES), 10 * MIB);
}

// Only from a region that has so much: below the limit, and in one piece.
static void the_top_of_a_large_region(void **state)
{
    start_with_two_regions();
    assert_int_equal(mem_take_top(MIB, MIB, 7 * MIB, NODE_ANY, DIRECT_MAP_BYTES), 7 * MIB);
    assert_int_equal(mem_take_top(MIB, MIB, 7 * MIB, NODE_ANY, DIRECT_MAP_BYTES), 0);
    assert_int_equal(mem_take_top(MIB, MIB, 6 * MIB, NODE_ANY, 7 * MIB - 1), 0);
    assert_int_equal(mem_take_top(MIB, MIB, 6 * MIB, NODE_ANY, 7 * MIB), 6 * MIB);
}

// Of the node asked for, and of no other in its place.
static void the_top_of_a_node(void **state)
{
    start_with_two_regions();
    mem_set_node(2 * MIB, 2 * MIB, 5);
    mem_set_node(4 * MIB, 2 * MIB, 3);
    assert_int_equal(mem_take_top(MIB, MIB, 0, 5, DIRECT_MAP_BYTES), 3 * MIB);
    assert_int_equal(mem_take_top(MIB, MIB, 0, 3, DIRECT_MAP_BYTES), 5 * MIB);
    assert_int_equal(mem_take_top(2 * MIB, MIB, 0, 5, DIRECT_MAP_BYTES), 0);
    assert_int_equal(mem_take_top(MIB, MIB, 0, 0, DIRECT_MAP_BYTES), 0);
    assert_int_equal(top(MIB, MIB), 11 * MIB);
    assert_int_equal(mem_take_top(PAGE_BYTES, MIB, 0, 3, DIRECT_MAP_BYTES), 4 * MIB);
    assert_int_equal(other_memory(3, MIB - PAGE_BYTES),
                     4 * MIB + PAGE_BYTES); // behind it, the node's
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        dma_test(the_highest_region_comes_first),  dma_test(what_lies_behind_it_stays_free),
        dma_test(its_alignment_may_leave_no_room), dma_test(the_top_is_below_the_limit),
        dma_test(the_top_of_a_large_region),       dma_test(the_top_of_a_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
