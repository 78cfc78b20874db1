// SPDX-License-Identifier: BSD-2-Clause
// Data in several pieces of memory: each block comes to its place and goes from there, by PRPs, SGLs,
// or in as many commands as it takes.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mem/mem.h"
#include "tests/host/nvme_fixture.h"

#define PIECES 40
#define GUARD 64

static struct model *m;
static struct block_dev *dev;
static struct {
    struct block_piece pieces[PIECES + 1];
    uint8_t *memory[PIECES]; // of each, with guards around
    unsigned count;
    uint32_t blocks;
    struct block_req req;
    bool done;
} t;

static void done(struct block_req *req)
{
    assert_false(t.done);
    t.done = true;
}

// Room for a piece at an offset in its first page.
static void add(uint32_t blocks, size_t offset)
{
    size_t bytes = blocks * 512ull;
    uint8_t *memory = aligned_alloc(NVME_PAGE, ALIGN_UP(offset + bytes + 2 * NVME_PAGE, NVME_PAGE));
    assert_non_null(memory);
    memset(memory + NVME_PAGE + offset - GUARD, 0xa5, bytes + 2 * GUARD);
    t.memory[t.count] = memory;
    t.pieces[t.count++] = (struct block_piece){ memory + NVME_PAGE + offset, blocks };
    t.blocks += blocks;
}

static void run(enum block_op op, uint64_t lba)
{
    t.req = (struct block_req){
        .dev = dev, .op = op, .lba = lba, .blocks = t.blocks, .pieces = t.pieces, .done = done
    };
    t.done = false;
    block_submit(&t.req);
    assert_false(t.done);
    assert_true(world_run(&t.done, 1000));
    assert_int_equal(t.req.status, BLOCK_OK);
}

static void guards_stand(unsigned i)
{
    const uint8_t *at = t.pieces[i].at;
    size_t bytes = t.pieces[i].blocks * 512ull;
    for (unsigned k = 0; k < GUARD; k++)
        assert_true(at[-1 - (int)k] == 0xa5 && at[bytes + k] == 0xa5);
}

static void read_all(uint64_t lba)
{
    run(BLOCK_READ, lba);
    for (unsigned i = 0; i < t.count; i++) {
        size_t bytes = t.pieces[i].blocks * 512ull;
        assert_true(model_holds(1, lba * 512, t.pieces[i].at, bytes));
        guards_stand(i);
        lba += t.pieces[i].blocks;
    }
}

static void forget(void)
{
    while (t.count)
        free(t.memory[--t.count]);
    t.blocks = 0;
}

static void start_with(uint32_t sgls)
{
    m = model_new();
    m->id.sgls = sgls;
    dev = start(m);
}

// ---- one way and the other ----

// Pages that meet: one command, whatever there is.
static void whole_pages(void **state)
{
    for (uint32_t sgls = 0; sgls < 2; sgls++) {
        world_end();
        world_begin(1);
        start_with(sgls);
        for (unsigned i = 0; i < 20; i++)
            add(8 * (1 + i % 3), 0);
        read_all(77);
        assert_int_equal(m->reads, 1);
        assert_int_equal(m->sgls, 0);
        forget();
    }
}

// The first may begin, and the last may end, within a page.
static void pages_with_ragged_ends(void **state)
{
    start_with(0);
    add(2, NVME_PAGE - 1024);
    add(8, 0);
    add(16, 0);
    add(3, 0);
    read_all(1000);
    assert_int_equal(m->reads, 1);
    forget();
    add(1, NVME_PAGE - 512); // two pages need no list
    add(1, 0);
    read_all(1);
    assert_int_equal(m->reads, 2);
    forget();
    add(1, NVME_PAGE - 508); // it ends in the next page: no seam that PRPs can tell
    add(1, 0);
    read_all(1);
    assert_int_equal(m->reads, 4);
    forget();
}

static void anywhere_by_sgl(void **state)
{
    for (uint32_t sgls = 1; sgls < 3; sgls++) {
        world_end();
        world_begin(1);
        start_with(sgls);
        for (unsigned i = 0; i < 20; i++)
            add(1 + i % 5, i * 204);
        read_all(500);
        assert_int_equal(m->reads, 1);
        assert_int_equal(m->sgls, 1);
        forget();
    }
}

static void anywhere_without(void **state)
{
    start_with(0);
    for (unsigned i = 0; i < 20; i++)
        add(1 + i % 5, 4 + i * 204);
    read_all(500);
    assert_int_equal(m->reads, 20);
    forget();
}

static void more_than_one_command(void **state)
{
    for (uint32_t sgls = 0; sgls < 2; sgls++) {
        world_end();
        world_begin(1);
        m = model_new();
        m->id.sgls = sgls;
        m->id.mdts = 1; // 8 KiB
        m->namespaces[0].data.noiob = 13;
        dev = start(m);
        for (unsigned i = 0; i < PIECES; i++)
            add(1 + (uint32_t)rand() % 40, (size_t)(rand() % 1024) * 4);
        read_all(123);
        assert_true(m->longest <= 8 * KIB);
        forget();
    }
}

// More pieces than a list has descriptors for: 512 bytes of list are 32.
static void many_pieces(void **state)
{
    m = model_new();
    m->id.sgls = 1;
    m->id.mdts = 6; // 256 KiB
    dev = start(m);
    for (unsigned i = 0; i < PIECES; i++)
        add(2, 4 + i * 100);
    read_all(9);
    assert_int_equal(m->reads, 2);
    assert_int_equal(m->sgls, 2);
    forget();
}

static void written_and_compared(void **state)
{
    for (uint32_t sgls = 0; sgls < 2; sgls++) {
        world_end();
        world_begin(1);
        m = model_new();
        m->id.sgls = sgls;
        m->id.oncs = NVME_ONCS_COMPARE;
        dev = start(m);
        dev->writable = true;
        for (unsigned i = 0; i < 25; i++)
            add(1 + i % 7, (size_t)(rand() % 1024) * 4);
        for (unsigned i = 0; i < t.count; i++)
            for (size_t k = 0; k < t.pieces[i].blocks * 512ull; k++)
                ((uint8_t *)t.pieces[i].at)[k] = (uint8_t)rand();
        run(BLOCK_WRITE, 4000);
        run(BLOCK_COMPARE, 4000);
        uint64_t lba = 4000;
        for (unsigned i = 0; i < t.count; lba += t.pieces[i++].blocks) {
            struct world_read r;
            world_read_start_for(&r, dev, 0, lba, t.pieces[i].blocks, 0, world_read_done);
            assert_true(world_run(&r.done, 100));
            assert_memory_equal(r.req.buffer, t.pieces[i].at, t.pieces[i].blocks * 512ull);
            world_read_free(&r);
            guards_stand(i);
        }
        forget();
    }
}

static void refused(void **state)
{
    start_with(0);
    add(2, 0);
    add(3, 0);
    const struct {
        uint32_t blocks, second;
        size_t odd;
        enum block_op op;
    } bad[] = { { 4, 3, 0, BLOCK_READ },
                { 1, 3, 0, BLOCK_READ },
                { 5, 0, 0, BLOCK_READ },
                { 5, 3, 2, BLOCK_READ } };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct block_piece pieces[2] = { t.pieces[0], t.pieces[1] };
        pieces[1].blocks = bad[i].second;
        pieces[1].at = (char *)pieces[1].at + bad[i].odd;
        struct block_req req = {
            .dev = dev, .op = bad[i].op, .blocks = bad[i].blocks, .pieces = pieces, .done = done
        };
        assert_false(block_prepare(&req));
        assert_int_equal(req.detail, BLOCK_DETAIL_BUFFER);
    }
    forget();
}

#define scatter_test(f) cmocka_unit_test_setup_teardown(f, begin_one, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        scatter_test(whole_pages),           scatter_test(pages_with_ragged_ends),
        scatter_test(anywhere_by_sgl),       scatter_test(anywhere_without),
        scatter_test(more_than_one_command), scatter_test(many_pieces),
        scatter_test(written_and_compared),  scatter_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
