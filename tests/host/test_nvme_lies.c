// SPDX-License-Identifier: BSD-2-Clause
// Completions that are wrong: each is counted and passed over, the first is reported, and the reads
// go on.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

static void survives_lies(struct model *m, struct block_dev *dev, unsigned bad_for_each)
{
    for (unsigned i = 0; i < 700; i++) // the queue wraps twice
        reads_well(dev, 0);
    assert_int_equal(world_errors("nvme-bad-completion"), 1);
    assert_int_equal(world_errors(NULL), 1);
    assert_int_equal(world_ctrl(m)->queues[0]->bad, 700 * bad_for_each);
}

static void ids_out_of_range(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    m->cid_lie = true;
    survives_lies(m, dev, 1);
    assert_non_null(strstr(world_last_error(), "(id 16384, SQID 1,"));
}

static void wrong_queue(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    m->sqid_lie = true;
    survives_lies(m, dev, 1);
    assert_non_null(strstr(world_last_error(), "SQID 2,"));
}

static void answered_twice(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    m->twice = true;
    survives_lies(m, dev, 1);
}

static void all_lies_at_once(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    m->twice = m->sqid_lie = m->cid_lie = m->stale_garbage = true;
    survives_lies(m, dev, 3);
}

// Each single bit that makes an entry another's: of the ids and the head past the queue, and of SQID.
static void every_foreign_bit_counts(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 31);
    struct block_dev *dev = start(m);
    const struct nvme_queue *q = world_ctrl(m)->queues[0];
    struct world_read r;
    m->hold = true;
    world_read_start(&r, dev, 0, 5, 1, 0); // id 0
    world_round();
    for (unsigned bit = 0; bit < 16; bit++) {
        unsigned past = 1u << bit & ~31u, bad = q->bad;
        if (past) {
            model_post(m, 1, past, 1, 1, 0);
            model_post(m, 1, 0, 1, 1 | past, 0);
        }
        model_post(m, 1, 0, 1 ^ 1u << bit, 1, 0);
        model_interrupt(m, 1);
        world_round();
        assert_false(r.done);
        assert_int_equal(q->bad - bad, past ? 3 : 1);
    }
    m->hold = false;
    finish(&r);
    assert_int_equal(world_errors("nvme-bad-completion"), 1);
}

// An id within the queue of which no command is in flight; the very last one is never used.
static void ids_that_are_free(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 7);
    struct block_dev *dev = start(m);
    for (unsigned id = 0; id < 8; id++) {
        model_post(m, 1, id, 1, 0, 0);
        model_interrupt(m, 1);
        world_round();
    }
    assert_int_equal(world_ctrl(m)->queues[0]->bad, 8);
    assert_int_equal(world_errors("nvme-bad-completion"), 1);
    reads_well(dev, 0);
}

// SQHD past the queue is as bad as a wrong id; within it, one that says "full" for ever must not
// make a read wait for ever.
static void head_out_of_range(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    struct world_read r;
    m->sqhd_lie = 256;
    world_read_start(&r, dev, 0, 5, 1, 0);
    world_pass(40 * NS_PER_S);
    ends(&r, BLOCK_TIMEOUT);
    assert_int_equal(world_errors("nvme-bad-completion"), 1);
    assert_int_equal(world_errors("nvme-timeout"), 1);
}

static void head_says_full(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 3);
    struct block_dev *dev = start(m);
    struct world_read first, second;
    m->sqhd_lie = 1;
    world_read_start(&first, dev, 0, 5, 1, 0);
    finish_within(&first, 100);
    world_read_start(&second, dev, 0, 6, 1, 0);
    world_pass(40 * NS_PER_S);
    ends(&second, BLOCK_TIMEOUT);
    assert_int_equal(world_errors("nvme-timeout"), 1);
}

// A controller gone mad: whatever is submitted is complete at once, for ever. One reap still ends.
static struct nvme_queue *mad_queue;
static unsigned mad_count;

static void mad_entry(void)
{
    struct nvme_queue *q = mad_queue;
    struct nvme_cqe *e = (struct nvme_cqe *)&q->cq[q->cq_head & q->mask];
    e->tail = q->expect | field_put(NVME_CQE_SQHD, q->sq_tail);
}

static void mad_again(struct block_req *req)
{
    assert_true(++mad_count < 100);
    block_submit(req);
    mad_entry();
}

static void endless_completions(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 3);
    struct block_dev *dev = start(m);
    struct world_read r;
    mad_queue = world_ctrl(m)->queues[0];
    mad_count = 0;
    m->hold = true;
    world_read_start(&r, dev, 0, 5, 1, 0);
    r.req.done = mad_again;
    world_round();
    m->removed = true; // the model looks no longer
    mad_entry();
    assert_int_equal(nvme_queue_reap(mad_queue), 4);
    assert_int_equal(mad_count, 4);
    world_read_free(&r);
}

#define lies_test(f) cmocka_unit_test_setup_teardown(f, begin_one, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        lies_test(ids_out_of_range),         lies_test(wrong_queue),
        lies_test(answered_twice),           lies_test(all_lies_at_once),
        lies_test(ids_that_are_free),        lies_test(head_out_of_range),
        lies_test(every_foreign_bit_counts), lies_test(head_says_full),
        lies_test(endless_completions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
