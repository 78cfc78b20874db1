// SPDX-License-Identifier: BSD-2-Clause
// What goes straight: long transfers by SGL, and requests that would cross a boundary elsewhere.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/pieces.h"
#include "tests/host/nvme_fixture.h"

static struct model *m;
static struct block_dev *dev;

static const struct nvme_queue *queue(void)
{
    return world_ctrl(m)->queues[0];
}

static unsigned lists(void)
{
    unsigned made = 0;
    for (unsigned i = 0; i < queue()->qp.mask; i++)
        made += queue()->lists[i] != NULL;
    return made;
}

static void read_of(uint64_t lba, uint32_t blocks, size_t misalign)
{
    struct world_read r;
    world_read_start(&r, dev, 0, lba, blocks, misalign);
    finish(&r); // the data are right, and nothing else was written
}

// Where a command for two pages stood, one for a page says nothing of a second: the model looks at it.
static void no_page_of_the_last_command(void **state)
{
    m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 1);
    dev = start(m);
    for (unsigned i = 0; i < 4; i++) {
        read_of(100, 16, 0);
        read_of(100, 16, 0);
        read_of(200, 8, 0);
        read_of(200, 8, 0);
    }
    assert_int_equal(lists(), 0);
}

// ---- FUA ----

static bool written;

static void write_done(struct block_req *req)
{
    assert_int_equal(req->status, BLOCK_OK);
    written = true;
}

static void write_of(uint32_t blocks, bool fua)
{
    static uint8_t data[300 * 512] __attribute__((aligned(4096)));
    struct block_req req = { .dev = dev,
                             .op = BLOCK_WRITE,
                             .blocks = blocks,
                             .buffer = data,
                             .fua = fua,
                             .done = write_done };
    written = false;
    block_submit(&req);
    assert_true(world_run(&written, 100));
}

// One by one: each command of a write that is cut, too.
static void durable_where_asked(void **state)
{
    m = model_new();
    m->id.mdts = 5; // 256 blocks
    dev = start(m);
    dev->writable = true;
    write_of(8, true);
    assert_int_equal(m->fuas, 1);
    write_of(8, false);
    assert_int_equal(m->fuas, 1);
    write_of(300, true);
    assert_int_equal(m->fuas, 3);
    write_of(300, false);
    assert_int_equal(m->fuas, 3);
    assert_int_equal(m->writes, 6);
}

// ---- SGL ----

static void long_reads(uint32_t sgls, bool by_sgl)
{
    m = model_new();
    m->id.sgls = sgls;
    dev = start(m);
    unsigned reads = 0;
    for (uint32_t blocks = 1; blocks <= 1024; blocks += blocks < 40 ? 1 : 123)
        for (size_t misalign = 0; misalign < 2048; misalign += 508, reads++)
            read_of(blocks * 7, blocks, misalign);
    assert_true(reads > 100);
    assert_int_equal(m->reads, reads);
    assert_int_equal(m->sgls > 50, by_sgl);
    assert_int_equal(m->sgls > 0, by_sgl);
    assert_int_equal(lists() == 0, by_sgl);
    assert_true(m->sgls < reads); // short ones are as well told by PRPs
}

static void by_sgl_where_there_is_one(void **state)
{
    long_reads(1, true);
}

static void of_dwords(void **state)
{
    long_reads(2, true);
}

static void by_lists_where_not(void **state)
{
    long_reads(0, false);
}

static void by_lists_if_it_says_nonsense(void **state)
{
    long_reads(3, false);
}

static void by_lists_if_it_is_told(void **state)
{
    nvme_ctrl_set_sgl(false);
    long_reads(1, false);
    nvme_ctrl_set_sgl(true);
}

// Longer than one command: each of them.
static void cut_reads_too(void **state)
{
    m = model_new();
    m->id.sgls = 1;
    m->id.mdts = 3;
    dev = start(m);
    read_of(5, 1000, 4);
    assert_int_equal(m->reads, 16);
    assert_int_equal(m->sgls, 16);
    assert_int_equal(lists(), 0);
}

// ---- boundaries ----

static void reads_in_pieces(uint32_t boundary, unsigned straight_least)
{
    m = model_new();
    m->namespaces[0].data.noiob = (uint16_t)boundary;
    dev = start(m);
    const struct nvme_ns *ns = dev->driver;
    const struct nvme_cuts *cuts = &ns->forms[BLOCK_READ].cuts;
    unsigned pieces = 0, straight = 0;
    assert_int_equal(cuts->boundary, boundary);
    for (uint64_t lba = 0; lba < 3 * boundary; lba += 3)
        for (uint32_t blocks = 1; blocks < 20; blocks += 6) {
            unsigned count = 0;
            for (uint32_t done = 0; done < blocks; count++)
                done += nvme_piece(cuts, lba + done, blocks - done);
            read_of(lba, blocks, 0);
            pieces += count;
            straight += count == 1;
            assert_int_equal(m->reads, pieces);
        }
    assert_true(straight >= straight_least);
}

static void boundaries_are_kept(void **state)
{
    reads_in_pieces(8, 10);
}

static void odd_boundaries_too(void **state)
{
    reads_in_pieces(37, 50);
}

// Of a request that is long enough for an SGL, the pieces need not be.
static void pieces_of_what_would_be_an_sgl(void **state)
{
    m = model_new();
    m->id.sgls = 1;
    m->namespaces[0].data.noiob = 20;
    dev = start(m);
    for (uint64_t lba = 0; lba < 40; lba++)
        read_of(lba, 18, 0);
    assert_true(m->sgls > 0 && m->sgls < 40);
}

// The same request, once here and once there, ends once each time; so does one that another CPU's
// queue serves.
static void here_and_there(void **state)
{
    world_begin(2);
    m = model_new();
    m->grants = 1;
    m->namespaces[0].data.noiob = 16;
    dev = start(m);
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        struct world_read r;
        world_read_start(&r, dev, cpu, 0, 8, 0);
        assert_true(world_run(&r.done, 100));
        for (uint64_t lba = 0; lba < 200; lba += 5) {
            r.done = false;
            r.req.lba = lba;
            world_use_cpu(cpu);
            block_resubmit(&r.req);
            world_use_cpu(0);
            assert_true(world_run(&r.done, 100));
            assert_int_equal(r.done_cpu, cpu);
            assert_int_equal(r.req.status, BLOCK_OK);
            assert_true(model_holds(1, lba * 512, r.req.buffer, 8 * 512));
        }
        world_read_free(&r);
    }
    assert_true(m->reads > 2 * 41 + 20);
}

// A stream is for what is always straight.
static void no_streams_of_bounded_ones(void **state)
{
    m = model_new();
    m->namespaces[0].data.noiob = 16;
    dev = start(m);
    static uint8_t memory[4096] __attribute__((aligned(4096)));
    struct block_stream stream = { .done = world_read_done };
    struct block_req req = { .dev = dev, .blocks = 1, .buffer = memory, .done = world_read_done };
    assert_true(block_prepare(&req));
    assert_false(block_open_stream(&req, &stream));
}

#define straight_test(f) cmocka_unit_test_setup_teardown(f, begin_one, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        straight_test(no_page_of_the_last_command),
        straight_test(durable_where_asked),
        straight_test(by_sgl_where_there_is_one),
        straight_test(of_dwords),
        straight_test(by_lists_where_not),
        straight_test(by_lists_if_it_says_nonsense),
        straight_test(by_lists_if_it_is_told),
        straight_test(cut_reads_too),
        straight_test(boundaries_are_kept),
        straight_test(odd_boundaries_too),
        straight_test(here_and_there),
        straight_test(pieces_of_what_would_be_an_sgl),
        straight_test(no_streams_of_bounded_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
