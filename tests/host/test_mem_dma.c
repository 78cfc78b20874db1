// SPDX-License-Identifier: BSD-2-Clause
// The DMA arena: told to whoever maps it before anything of it is given out, out of RAM's top in pieces as
// large as there are, and no byte more.

#include "mem_arena.h"

static uint64_t alloc_on(unsigned node, size_t bytes)
{
    return phys_of(mem_alloc_dma(bytes, 1, node));
}

static void was_told(size_t i, uint64_t base, uint64_t bytes)
{
    assert_in_range(i, 0, told_count - 1);
    assert_int_equal(told[i].base, base);
    assert_int_equal(told[i].bytes, bytes);
}

// ---- pieces ----

static void grows_by_a_gib_where_there_is_plenty(void **state)
{
    start_with(GIB, 5 * GIB);
    assert_int_equal(alloc_on(NODE_ANY, 64), 4 * GIB);
    was_told(0, 4 * GIB, GIB);
    assert_int_equal(alloc_on(NODE_ANY, GIB - 64), 4 * GIB + 64); // to its last byte
    assert_int_equal(told_count, 1);
    assert_int_equal(mem_free_bytes(), 3 * GIB);
    alloc_on(NODE_ANY, 64); // 3 GiB are not plenty: an eighth of the arena
    was_told(1, 4 * GIB - 128 * MIB, 128 * MIB);
}

// Few pieces, however much is asked for by and by.
static void grows_by_shares(void **state)
{
    start_with(2 * MIB, 2 * GIB);
    for (unsigned i = 0; i < 700; i++)
        alloc_on(NODE_ANY, 2 * MIB);
    assert_in_range(told_count, 20, 120);
    assert_int_equal(told[0].bytes, 2 * MIB);
}

// A unit that has no pages of 1 GiB is given no pieces for them.
static void small_pages_small_pieces(void **state)
{
    begin(NULL);
    add_ram(GIB, 9 * GIB);
    mem_init(&handoff);
    mem_dma_init(UINT64_MAX, 2 * MIB, map_piece);
    alloc_on(NODE_ANY, 64);
    was_told(0, 9 * GIB - 2 * MIB, 2 * MIB);
}

// Four times as much as is taken.
static void a_large_piece_asks_for_more(void **state)
{
    start_with(GIB, 9 * GIB);
    assert_int_equal(alloc_on(NODE_ANY, GIB + 64), 7 * GIB);
    was_told(0, 7 * GIB, 2 * GIB);
    start_with(GIB, 9 * GIB - PAGE_BYTES);
    alloc_on(NODE_ANY, GIB + 64);
    assert_int_equal(told[0].bytes, GIB + 2 * MIB);
}

static void grows_by_two_mib_where_there_is_less(void **state)
{
    start_with(GIB, 5 * GIB - PAGE_BYTES);
    assert_int_equal(alloc_on(NODE_ANY, 64), 5 * GIB - 4 * MIB);
    was_told(0, 5 * GIB - 4 * MIB, 2 * MIB);
    start_with(2 * MIB, 8 * MIB);
    assert_int_equal(alloc_on(NODE_ANY, 2 * MIB + 1), 4 * MIB);
    was_told(0, 4 * MIB, 4 * MIB);
}

// No more than is asked for, where no 2 MiB are aligned.
static void grows_by_pages_at_last(void **state)
{
    start_with(3 * MIB, 6 * MIB - PAGE_BYTES);
    assert_int_equal(alloc_on(NODE_ANY, PAGE_BYTES + 1), 6 * MIB - 3 * PAGE_BYTES);
    was_told(0, 6 * MIB - 3 * PAGE_BYTES, 2 * PAGE_BYTES);
    assert_int_equal(alloc_on(NODE_ANY, PAGE_BYTES), 6 * MIB - 4 * PAGE_BYTES);
    was_told(1, 6 * MIB - 4 * PAGE_BYTES, PAGE_BYTES);
}

static void what_is_aligned_fits_its_piece(void **state)
{
    start_with(3 * MIB, 4 * MIB);
    for (uint64_t align = CACHE_LINE; align <= 64 * KIB; align *= 2)
        assert_int_equal(phys_of(mem_alloc_dma(64, align, NODE_ANY)) % align, 0);
    start_with(GIB, 2 * GIB);
    assert_int_equal(phys_of(mem_alloc_dma(64, 64, NODE_ANY)) % 64, 0);
    assert_int_equal(phys_of(mem_alloc_dma(4 * MIB, 4 * MIB, NODE_ANY)) % (4 * MIB), 0);
    assert_int_equal(told_count, 2);
}

static void stays_below_the_limit(void **state)
{
    add_ram(GIB, 4 * GIB);
    add_ram(5 * GIB, 20 * GIB);
    start(4 * GIB - 1);
    assert_int_equal(alloc_on(NODE_ANY, 64), 4 * GIB - 4 * MIB);
    assert_int_equal(alloc_on(NODE_ANY, GIB), 3 * GIB - 4 * MIB);
    if (expect_failure())
        alloc_on(NODE_ANY, 2 * GIB);
    assert_string_equal(failed_what, "out-of-memory");
}

static void without_a_fence_there_is_no_limit(void **state)
{
    add_ram(GIB, 30 * GIB);
    mem_init(&handoff);
    assert_int_equal(alloc_on(NODE_ANY, 64), 29 * GIB);
    assert_int_equal(told_count, 0);
    assert_true(mem_is_dma(at_phys(29 * GIB), 64));
}

// ---- nodes ----

static void start_with_nodes(void)
{
    add_ram(GIB, 2 * GIB);
    add_ram(3 * GIB, 4 * GIB);
    start(UINT64_MAX);
    mem_set_node(GIB, GIB, 5);
    mem_set_node(3 * GIB, GIB, 3);
}

static void a_node_s_memory_comes_from_it(void **state)
{
    start_with_nodes();
    assert_int_equal(alloc_on(5, 64), 2 * GIB - 2 * MIB);
    assert_int_equal(alloc_on(3, 64), 4 * GIB - 2 * MIB);
    assert_int_equal(alloc_on(5, 64), 2 * GIB - 2 * MIB + 64);
    assert_int_equal(alloc_on(3, 2 * MIB), 4 * GIB - 4 * MIB);
    assert_int_equal(alloc_on(NODE_ANY, 64), 2 * GIB - 2 * MIB + 128); // whatever is there
    assert_int_equal(told_count, 3);
}

static void where_a_node_has_no_more_others_serve(void **state)
{
    start_with_nodes();
    assert_int_equal(alloc_on(5, GIB), GIB);
    assert_int_equal(alloc_on(5, 64), 4 * GIB - 128 * MIB);
    assert_int_equal(alloc_on(7, 64), 4 * GIB - 128 * MIB + 64); // there is no such node
    assert_int_equal(told_count, 2);
    assert_int_equal(alloc_on(3, 64), 4 * GIB - 272 * MIB); // a piece that was asked for by no node
}

// ---- what is given out ----

#define ALLOCS 400

static void given_out_once_zeroed_and_inside(void **state)
{
    static struct {
        uint8_t *at;
        size_t bytes;
    } given[ALLOCS];
    start_with(MIB, 16 * MIB);
    memset(at_phys(MIB), 0xee, 15 * MIB);
    srand(1);
    for (unsigned i = 0; i < ALLOCS; i++) {
        size_t align = (size_t)1 << rand() % 14, bytes = 1 + (size_t)rand() % 30000;
        bool for_devices = rand() % 4;
        uint8_t *at = (for_devices ? mem_alloc_dma : mem_alloc)(bytes, align, NODE_ANY);
        assert_int_equal(phys_of(at) % MAX(align, (size_t)CACHE_LINE), 0);
        assert_int_equal(mem_is_dma(at, bytes), for_devices);
        for (size_t b = 0; b < bytes; b++)
            assert_int_equal(at[b], 0);
        for (unsigned j = 0; j < i; j++) // no two share a cache line
            assert_true(at >= given[j].at + ALIGN_UP(given[j].bytes, CACHE_LINE) ||
                        at + bytes <= given[j].at);
        given[i].at = memset(at, (int)i % 251 + 1, bytes);
        given[i].bytes = bytes;
    }
    assert_in_range(told_count, 2, 8);
}

static void ends_where_its_pieces_end(void **state)
{
    start_with(2 * MIB, 8 * MIB);
    alloc_on(NODE_ANY, 2 * MIB);
    alloc_on(NODE_ANY, 64);
    was_told(0, 6 * MIB, 2 * MIB);
    was_told(1, 4 * MIB, 2 * MIB);
    assert_false(mem_is_dma(at_phys(4 * MIB - 1), 1));
    assert_false(mem_is_dma(at_phys(4 * MIB - 1), 2));
    assert_true(mem_is_dma(at_phys(4 * MIB), 64));
    assert_false(mem_is_dma(at_phys(4 * MIB), 65)); // so much was given out
    alloc_on(NODE_ANY, 2 * MIB - 64);
    assert_true(mem_is_dma(at_phys(4 * MIB), 2 * MIB));
    assert_false(mem_is_dma(at_phys(4 * MIB), 2 * MIB + 1)); // two pieces are apart, even here
    assert_true(mem_is_dma(at_phys(8 * MIB - 1), 1));
    assert_false(mem_is_dma(at_phys(8 * MIB - 1), 2));
    assert_false(mem_is_dma(at_phys(8 * MIB), 1));
    assert_false(mem_is_dma(at_phys(6 * MIB), UINT64_MAX));
    assert_false(mem_is_dma(NULL, 1));
}

static void where_one_ends_another_begins(void **state)
{
    start_with(2 * MIB, 6 * MIB);
    mem_set_node(2 * MIB, 2 * MIB, 5);
    mem_set_node(4 * MIB, 2 * MIB, 3);
    alloc_on(5, 2 * MIB);
    alloc_on(3, 2 * MIB);
    was_told(0, 2 * MIB, 2 * MIB);
    was_told(1, 4 * MIB, 2 * MIB);
    assert_true(mem_is_dma(at_phys(4 * MIB - 1), 1));
    assert_true(mem_is_dma(at_phys(4 * MIB), 2 * MIB));
}

static void its_size_is_counted(void **state)
{
    start_with(2 * MIB, 8 * MIB);
    assert_int_equal(mem_dma_bytes(), 0);
    alloc_on(NODE_ANY, 1);
    alloc_on(NODE_ANY, 2 * MIB);
    assert_int_equal(mem_dma_bytes(), 4 * MIB);
    assert_int_equal(mem_dma_used(), 2 * MIB + CACHE_LINE);
}

// ---- what goes wrong ----

static void nothing_left_ends_the_run(void **state)
{
    start_with(2 * MIB, 4 * MIB);
    alloc_on(NODE_ANY, MIB);
    if (expect_failure())
        alloc_on(3, 2 * MIB + 1);
    assert_string_equal(failed_what, "out-of-memory");
    assert_string_equal(said,
                        "memory: no 2049 KiB for devices are left in one piece (0 KiB free in "
                        "all): give the machine more memory, or lower iodepth=, bs= or cpus=");
    alloc_on(NODE_ANY, MIB); // the rest of the piece serves
    if (expect_failure())
        alloc_on(NODE_ANY, 1);
    assert_string_equal(failed_what, "out-of-memory");
}

static void nothing_is_no_size(void **state)
{
    start_with(2 * MIB, 4 * MIB);
    if (expect_failure())
        alloc_on(3, 0);
    assert_string_equal(failed_what, "out-of-memory");
    assert_int_equal(told_count, 0);
}

static void what_can_t_be_mapped_is_not_given_out(void **state)
{
    start_with(2 * MIB, 8 * MIB);
    map_fails = true;
    if (expect_failure())
        alloc_on(NODE_ANY, 1);
    assert_string_equal(failed_what, "no-map");
    assert_int_equal(mem_dma_bytes(), 0);
}

// RAM of single pages, each a piece, until there are as many as are kept.
static void more_pieces_than_are_kept(void **state)
{
    for (uint64_t i = 0; i <= PIECES_MAX; i++)
        add_ram(MIB + 2 * i * PAGE_BYTES, MIB + (2 * i + 1) * PAGE_BYTES);
    start(UINT64_MAX);
    for (size_t i = 0; i < PIECES_MAX; i++)
        assert_int_equal(alloc_on(NODE_ANY, PAGE_BYTES), MIB + 2 * (PIECES_MAX - i) * PAGE_BYTES);
    assert_int_equal(told_count, PIECES_MAX);
    for (size_t i = 1; i <= PIECES_MAX; i++)
        assert_true(mem_is_dma(at_phys(MIB + 2 * i * PAGE_BYTES), PAGE_BYTES));
    if (expect_failure())
        alloc_on(NODE_ANY, PAGE_BYTES);
    assert_string_equal(failed_what, "dma-pieces");
    assert_int_equal(mem_free_bytes(), PAGE_BYTES);
    assert_int_equal(mem_dma_bytes(), PIECES_MAX * PAGE_BYTES);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        dma_test(grows_by_a_gib_where_there_is_plenty),
        dma_test(grows_by_shares),
        dma_test(small_pages_small_pieces),
        dma_test(a_large_piece_asks_for_more),
        dma_test(grows_by_two_mib_where_there_is_less),
        dma_test(grows_by_pages_at_last),
        dma_test(what_is_aligned_fits_its_piece),
        dma_test(stays_below_the_limit),
        dma_test(without_a_fence_there_is_no_limit),
        dma_test(a_node_s_memory_comes_from_it),
        dma_test(where_a_node_has_no_more_others_serve),
        dma_test(given_out_once_zeroed_and_inside),
        dma_test(ends_where_its_pieces_end),
        dma_test(where_one_ends_another_begins),
        dma_test(its_size_is_counted),
        dma_test(nothing_left_ends_the_run),
        dma_test(nothing_is_no_size),
        dma_test(what_can_t_be_mapped_is_not_given_out),
        dma_test(more_pieces_than_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
