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
    assert_int_equal(world_ctrl(m)->queues[0]->qp.bad, 700 * bad_for_each);
}

static void is_told_odd(unsigned times)
{
    assert_int_equal(world_warnings(), times);
    if (times)
        assert_string_equal(world_last_warning_what(), "nvme-odd-completion");
}

static void ids_out_of_range(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    m->cid_lie = true;
    survives_lies(m, dev, 1);
    assert_non_null(strstr(world_last_error(), "(id 16384, SQID 1,"));
}

// The id says which command it is, and that one is in flight: taken, and told once. What comes
// after it with the right queue belongs to none.
static void wrong_queue(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    m->sqid_lie = true;
    survives_lies(m, dev, 1);
    is_told_odd(1);
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

// Each single bit of an id past the queue makes an entry nobody's.
static void every_bit_of_an_id_counts(void **state)
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
        unsigned past = 1u << bit & ~31u, bad = q->qp.bad;
        if (!past)
            continue;
        model_post(m, 1, past, 1, 1, 0);
        model_interrupt(m, 1);
        world_round();
        assert_false(r.done);
        assert_int_equal(q->qp.bad - bad, 1);
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
    assert_int_equal(world_ctrl(m)->queues[0]->qp.bad, 8);
    assert_int_equal(world_errors("nvme-bad-completion"), 1);
    reads_well(dev, 0);
}

// Each single bit of SQID, and of SQHD past the queue, is told; the command ends all the same.
static void odd_in_one_bit(unsigned sqid, unsigned sqhd)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 31);
    struct block_dev *dev = start(m);
    struct world_read r;
    m->hold = true;
    world_read_start(&r, dev, 0, 5, 1, 0); // id 0
    world_round();
    memset(r.req.buffer, 0, 512);
    model_post(m, 1, 0, sqid, sqhd, 0);
    model_interrupt(m, 1);
    world_round();
    assert_true(r.done);
    assert_int_equal(r.req.status, BLOCK_OK);
    is_told_odd(1);
    assert_int_equal(world_ctrl(m)->queues[0]->qp.bad, 0);
    world_read_free(&r);
    end_world(NULL);
}

static void every_odd_bit_is_told(void **state)
{
    end_world(NULL);
    for (unsigned bit = 0; bit < 16; bit++) {
        world_begin(1);
        odd_in_one_bit(1 ^ 1u << bit, 1);
        if (bit < 5)
            continue;
        world_begin(1);
        odd_in_one_bit(1, 1u << bit);
    }
    world_begin(1);
}

// SQHD tells what was fetched, and nothing depends on it: a controller that says "full" for ever, or
// names a place past the end, is served, and told of in the second case.
static void head_is_not_needed(int lie, unsigned reads, unsigned warnings)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 3);
    struct block_dev *dev = start(m);
    m->sqhd_lie = lie;
    for (unsigned i = 0; i < reads; i++)
        reads_well(dev, 0);
    is_told_odd(warnings);
    assert_int_equal(world_errors(NULL), 0);
}

static void head_out_of_range(void **state)
{
    head_is_not_needed(256, 20, 1);
}

static void head_says_full(void **state)
{
    head_is_not_needed(1, 2, 0);
}

// A controller gone mad: whatever is submitted is complete at once, for ever. One reap still ends.
static struct nvme_queue *mad_queue;
static unsigned mad_count, mad_next; // the latter, counting on, is an entry

static void mad_entry(void)
{
    const struct nvme_qpair *qp = &mad_queue->qp;
    struct nvme_cqe *e = (struct nvme_cqe *)&qp->cq[mad_next & qp->mask];
    bool odd_pass = mad_next++ / (qp->mask + 1u) % 2;
    e->tail = field_put(NVME_CQE_SQID, qp->qid) | field_put(NVME_CQE_SQHD, qp->sq_tail) |
              (odd_pass ? 0 : NVME_CQE_P);
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
    reads_well(dev, 0); // so that the ring's end comes first
    mad_queue = world_ctrl(m)->queues[0];
    mad_count = 0;
    mad_next = mad_queue->qp.cq_head;
    assert_int_equal(mad_next, 1);
    m->hold = true;
    world_read_start_for(&r, dev, 0, 5, 1, 0, mad_again);
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
        lies_test(ids_out_of_range),
        lies_test(wrong_queue),
        lies_test(answered_twice),
        lies_test(all_lies_at_once),
        lies_test(ids_that_are_free),
        lies_test(head_out_of_range),
        lies_test(every_bit_of_an_id_counts),
        lies_test(head_says_full),
        lies_test(every_odd_bit_is_told),
        lies_test(endless_completions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
