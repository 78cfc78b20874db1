// SPDX-License-Identifier: BSD-2-Clause
// Off the straight path: lists of pages, requests that wait, and those for a queue that another CPU
// owns.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

#define LONG 100 // blocks: a list, and with MDTS 7 still one command

static void reads_long(struct block_dev *dev)
{
    struct world_read r;
    world_read_start(&r, dev, 0, 5, LONG, 512);
    finish(&r);
}

// A slot's list, once made, is used again.
static void lists_are_made_once(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    reads_long(dev);
    size_t bytes = world_bytes_on(WORLD_DEVICE_NODE);
    for (unsigned i = 0; i < 10; i++)
        reads_long(dev);
    assert_int_equal(world_bytes_on(WORLD_DEVICE_NODE), bytes);
}

// ---- who waits ----

static struct world_read submitter, waiting, late;
static const struct world_read *ended[3];
static unsigned ended_count;

static void note_end(struct block_req *req)
{
    ended[ended_count++] = container_of(req, struct world_read, req);
    world_read_done(req);
}

static void submit_late(struct block_req *req)
{
    note_end(req);
    world_read_start_for(&late, req->dev, 0, 3, 1, 0, note_end);
}

// Whoever waits has the slot that becomes free, whatever the end in it submits.
static void who_waits_is_next(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 1);
    struct block_dev *dev = start(m);
    ended_count = 0;
    world_read_start_for(&submitter, dev, 0, 1, 1, 0, submit_late);
    world_read_start_for(&waiting, dev, 0, 2, 1, 0, note_end);
    finish(&waiting);
    finish(&submitter);
    finish(&late);
    assert_ptr_equal(ended[0], &submitter);
    assert_ptr_equal(ended[1], &waiting);
    assert_ptr_equal(ended[2], &late);
}

// Completions are looked at one by one for as long as somebody waits, and no longer.
static void looked_at_while_somebody_waits(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 3);
    struct block_dev *dev = start(m);
    const struct nvme_queue *q = world_ctrl(m)->queues[0];
    struct world_read reads[8];
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++) {
        world_read_start(&reads[i], dev, 0, i, 1, 0);
        assert_int_equal(q->qp.looks_at_all, i >= 3);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        finish(&reads[i]);
    assert_false(q->qp.looks_at_all);
    assert_int_equal(world_warnings() + world_errors(NULL), 0);
}

// ---- no data ----

static bool verified;

static void note_verified(struct block_req *req)
{
    assert_int_equal(req->status, BLOCK_OK);
    verified = true;
}

// What carries no data names no memory, though commands with data stood in its entries before: the
// model looks at that.
static void no_data_no_pages(void **state)
{
    struct model *m = model_new();
    m->id.oncs = NVME_ONCS_VERIFY;
    field_set(&m->cap, NVME_CAP_MQES, 1);
    struct block_dev *dev = start(m);
    struct block_req req = {
        .dev = dev, .op = BLOCK_VERIFY, .blocks = 100000, .done = note_verified
    };
    for (unsigned i = 0; i < 4; i++)
        reads_long(dev);
    verified = false;
    block_submit(&req);
    assert_true(world_run(&verified, 100));
}

// ---- another CPU's queue ----

static bool is_untouched(const struct nvme_queue *q, const struct nvme_queue *before)
{
    return !memcmp(&q->qp, &before->qp, sizeof(q->qp)) && q->waiting == before->waiting;
}

static void long_reads_are_forwarded(void **state)
{
    world_begin(2);
    struct model *m = model_new();
    m->grants = 1;
    struct block_dev *dev = start(m);
    const struct nvme_queue *q = world_ctrl(m)->queues[0];
    struct nvme_queue before = *q;
    struct world_read r;
    world_read_start(&r, dev, 1, 5, LONG, 512);
    assert_true(is_untouched(q, &before));
    finish(&r);
}

// The queue leaves while a read is under way to its owner, who sends it after the queue.
static void forwarded_twice(void **state)
{
    world_begin(3);
    struct model *m = model_new();
    m->grants = 1;
    struct block_dev *dev = start(m);
    const struct nvme_queue *q = world_ctrl(m)->queues[0];
    struct world_read r;
    world_read_start(&r, dev, 1, 5, 1, 0);
    move_now(m, 0, 2);
    struct nvme_queue before = *q;
    world_turn(0, WORLD_MESSAGES);
    assert_true(is_untouched(q, &before));
    finish(&r);
}

#define detour_test(f) cmocka_unit_test_setup_teardown(f, begin_one, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        detour_test(lists_are_made_once),
        detour_test(who_waits_is_next),
        detour_test(looked_at_while_somebody_waits),
        detour_test(no_data_no_pages),
        detour_test(long_reads_are_forwarded),
        detour_test(forwarded_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
