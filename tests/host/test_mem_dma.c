// SPDX-License-Identifier: BSD-2-Clause
// The DMA arena: told to whoever maps it before anything of it is given out, out of RAM's top in pieces as
// large as there are, and no byte more. What mem.c holds is beneath it; the direct map is a hole in the
// host's address space.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kernel/handoff.h"
#include "kernel/mem/mem.h"
#undef HANDOFF_DIRECT_MAP
#define HANDOFF_DIRECT_MAP direct_map

static uint64_t direct_map;
uint64_t mem_phys_image(const volatile void *virt); // as in mem.h, for the kernel alone
#define cut cut_region
#define take take_region
#include "kernel/mem/mem.c"
#undef cut
#undef take
#include "kernel/mem/dma.c"

#undef fail // ours is a function, and cmocka's a macro
#include <cmocka.h>

#define DIRECT_BYTES (32 * GIB)
#define RANGES_AT 0x2000
#define TOLD_MAX (PIECES_MAX + 1)

// ---- the machine ----

static struct handoff handoff;
static struct handoff_range *ranges;
static jmp_buf failed;
static bool failure_is_expected, map_fails;
static char failed_what[32], said[512];

static struct {
    uint64_t base, bytes;
} told[TOLD_MAX];
static size_t told_count;

static noreturn void end_test(const char *what)
{
    snprintf(failed_what, sizeof(failed_what), "%s", what);
    if (!failure_is_expected)
        fail_msg("%s", said);
    failure_is_expected = false;
    longjmp(failed, 1);
}

noreturn void(fail)(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(said, sizeof(said), fmt, args);
    va_end(args);
    end_test(what);
}

noreturn void fail_problem(const struct problem *p)
{
    snprintf(said, sizeof(said), "%s", p->message);
    end_test(p->what);
}

void warn(const char *what, const char *fmt, ...)
{
    fail_msg("%s", what);
}

#define expect_failure() (failure_is_expected = true, !setjmp(failed))

static void *at_phys(uint64_t phys)
{
    return (void *)(direct_map + phys); // NOLINT
}

static uint64_t phys_of(const void *at)
{
    return (uint64_t)at - direct_map;
}

// Nothing of the piece is given out yet, and no byte of it was told before.
static bool map_piece(uint64_t phys, uint64_t bytes, struct problem *p)
{
    if (map_fails)
        return problem_set(p, "no-map", "no room for tables");
    assert_in_range(told_count, 0, TOLD_MAX - 1);
    assert_true(bytes && phys % PAGE_BYTES == 0 && bytes % PAGE_BYTES == 0);
    assert_false(mem_is_dma(at_phys(phys), 1));
    for (size_t i = 0; i < told_count; i++)
        assert_true(phys >= told[i].base + told[i].bytes || phys + bytes <= told[i].base);
    told[told_count].base = phys;
    told[told_count++].bytes = bytes;
    return true;
}

static void add_ram(uint64_t base, uint64_t end)
{
    ranges[handoff.ranges++] =
        (struct handoff_range){ .base = base, .bytes = end - base, .kind = HANDOFF_FREE };
}

static int begin(void **state)
{
    if (!direct_map) {
        void *hole = mmap(NULL, DIRECT_BYTES, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        assert_true(hole != MAP_FAILED);
        direct_map = (uint64_t)hole;
    }
    memset(&mem, 0, sizeof(mem));
    memset(&dma, 0, sizeof(dma));
    dma.largest = GIB;
    dma.limit = DIRECT_MAP_BYTES;
    told_count = 0;
    map_fails = failure_is_expected = false;
    handoff = (struct handoff){ .ranges_base = RANGES_AT };
    ranges = at_phys(RANGES_AT);
    return 0;
}

static void start(uint64_t limit)
{
    mem_init(&handoff);
    mem_dma_init(limit, GIB, map_piece);
}

// RAM in one range, told to nobody else.
static void start_with(uint64_t base, uint64_t end)
{
    begin(NULL);
    add_ram(base, end);
    start(UINT64_MAX);
}

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
    assert_string_equal(failed_what, "out-of-memory");
    assert_int_equal(mem_free_bytes(), PAGE_BYTES);
    assert_int_equal(mem_dma_bytes(), PIECES_MAX * PAGE_BYTES);
}

// ---- what the pieces are taken from ----

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

#define dma_test(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        dma_test(the_highest_region_comes_first),
        dma_test(what_lies_behind_it_stays_free),
        dma_test(its_alignment_may_leave_no_room),
        dma_test(the_top_is_below_the_limit),
        dma_test(the_top_of_a_large_region),
        dma_test(the_top_of_a_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
