// SPDX-License-Identifier: BSD-2-Clause
// Memory that is used again: where it is, what it holds, and when it isn't.
#include "apps/arena.h"
#include "kernel/mem/mem.h"
#include "kernel/run/app.h"
#include "tests/host/fake_machine.h"

#define PIECES 40

// Some small, some large, by turns on three nodes.
static void take_all(struct arena *arena, void **pieces, uint64_t salt)
{
    for (unsigned i = 0; i < PIECES; i++) {
        size_t bytes = 1 + (i * 7919 + salt) % (i % 5 ? 5000 : 400000);
        unsigned node = i % 3 ? FAKE_NODE(i % 3 - 1) : NODE_ANY;
        pieces[i] = arena_alloc(arena, bytes, i % 4 ? 1 : PAGE_BYTES, node);
        assert_int_equal((uint64_t)pieces[i] % (i % 4 ? CACHE_LINE : PAGE_BYTES), 0);
        assert_int_equal(mem_node(pieces[i]), node);
        for (size_t at = 0; at < bytes; at++)
            assert_int_equal(((uint8_t *)pieces[i])[at], 0);
        memset(pieces[i], 0xff, bytes); // the next one is found to be zeros nonetheless
    }
}

// However often and in whatever order: what was asked for once has its place.
static void test_the_same_again_takes_no_more(void **state)
{
    void *first[PIECES], *other[PIECES], *again[PIECES];
    struct arena arena = { 0 };
    fake_start(2, 1, 512, 512);
    take_all(&arena, first, 0);
    arena_reset(&arena);
    take_all(&arena, other, 1234);
    arena_reset(&arena);
    size_t allocations = fake.allocations_count;
    take_all(&arena, again, 0);
    for (unsigned i = 0; i < PIECES; i++)
        assert_ptr_equal(first[i], again[i]);
    arena_reset(&arena);
    take_all(&arena, again, 1234);
    for (unsigned i = 0; i < PIECES; i++)
        assert_ptr_equal(other[i], again[i]);
    assert_int_equal(fake.allocations_count, allocations);
    assert_true(allocations < 2 * PIECES); // small ones share a chunk
}

// A chunk's last byte is given out, and none behind it.
static void test_a_chunk_is_used_to_its_end(void **state)
{
    struct arena arena = { 0 };
    fake_start(1, 1, 512, 512);
    uint8_t *a = arena_alloc(&arena, CACHE_LINE, 1, NODE_ANY);
    size_t allocations = fake.allocations_count;
    uint8_t *b = arena_alloc(&arena, 256 * KIB - CACHE_LINE, 1, NODE_ANY);
    assert_ptr_equal(b, a + CACHE_LINE);
    assert_int_equal(fake.allocations_count, allocations);
    arena_alloc(&arena, 1, 1, NODE_ANY);
    assert_true(fake.allocations_count > allocations);
}

static void test_abandoned_memory_stays_alone(void **state)
{
    struct arena arena = { 0 };
    fake_start(1, 1, 512, 512);
    void *before = arena_alloc(&arena, 64, 1, NODE_ANY);
    arena_abandon(&arena);
    assert_ptr_not_equal(arena_alloc(&arena, 64, 1, NODE_ANY), before);
}

static void test_without_an_arena(void **state)
{
    fake_start(1, 1, 512, 512);
    arena_alloc(NULL, 100, 1, FAKE_NODE(0));
    assert_int_equal(fake.allocations_count, 1);
    assert_int_equal(fake.allocations[0].bytes, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_the_same_again_takes_no_more, fake_stop),
        cmocka_unit_test_teardown(test_a_chunk_is_used_to_its_end, fake_stop),
        cmocka_unit_test_teardown(test_abandoned_memory_stays_alone, fake_stop),
        cmocka_unit_test_teardown(test_without_an_arena, fake_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
