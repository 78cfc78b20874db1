// SPDX-License-Identifier: BSD-2-Clause
// Doorbells of what ends submit: once for all of them, at the end of the reap, unless the flush is to
// come in any case; on urgent queues at once, and no more than that.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

#define READS 5

static struct model *m;
static struct block_dev *dev;
static struct world_read reads[READS];
static const struct model_queue *queue;
static unsigned tails, heads; // of the queue, before
static bool again;            // each end submits

static void done(struct block_req *req)
{
    if (again)
        block_resubmit(req);
    else
        world_read_done(req);
}

// Reads that have ended, which the host knows nothing of yet.
static void begin(bool urgent)
{
    nvme_set_urgent(urgent);
    m = model_new();
    dev = start(m);
    nvme_set_urgent(false);
    world_round(); // what the admin queue raised on vector 0
    again = true;
    queue = &m->queues[1 + urgent];
    for (unsigned i = 0; i < READS; i++) {
        reads[i].req.channel = 0;
        world_read_start_for(&reads[i], dev, 0, i, 1, 0, done);
    }
    world_turn(0, WORLD_FLUSH);
    if (urgent) { // over to the other queue
        again = false;
        world_round();
        world_round();
        again = true;
        for (unsigned i = 0; i < READS; i++) {
            assert_true(reads[i].done);
            reads[i].done = false;
            reads[i].req.channel = BLOCK_URGENT;
            block_submit(&reads[i].req);
        }
        assert_int_equal(queue->tail_writes, READS);
    }
    model_work(m);
    tails = queue->tail_writes;
    heads = queue->head_writes;
}

static void all_end(void)
{
    again = false;
    for (unsigned i = 0; i < READS; i++)
        finish(&reads[i]);
}

static void has_rung(unsigned tail_writes)
{
    assert_int_equal(queue->tail_writes - tails, tail_writes);
}

static void one_for_what_ends_submit(void **state)
{
    begin(false);
    world_turn(0, WORLD_IRQS);
    has_rung(1);
    assert_int_equal(queue->head_writes, heads + 1);
    world_turn(0, WORLD_FLUSH);
    has_rung(1);
    all_end();
}

// And what is submitted after the reap has the flush's.
static void another_for_what_follows(void **state)
{
    struct world_read other;
    begin(false);
    world_turn(0, WORLD_IRQS);
    world_read_start(&other, dev, 0, 9, 1, 0);
    has_rung(1);
    world_turn(0, WORLD_FLUSH);
    has_rung(2);
    all_end();
    finish(&other);
}

static void the_flush_s_for_both(void **state)
{
    struct world_read other;
    begin(false);
    world_read_start(&other, dev, 0, 9, 1, 0);
    world_turn(0, WORLD_IRQS);
    has_rung(0);
    world_turn(0, WORLD_FLUSH);
    has_rung(1);
    all_end();
    finish(&other);
}

static void none_where_nothing_is_submitted(void **state)
{
    begin(false);
    again = false;
    world_turn(0, WORLD_IRQS);
    world_turn(0, WORLD_FLUSH);
    has_rung(0);
    assert_int_equal(queue->head_writes, heads + 1);
    m->raised[0] = true; // for nothing
    world_turn(0, WORLD_IRQS);
    has_rung(0);
    assert_int_equal(queue->head_writes, heads + 1);
    all_end();
}

static void each_its_own_where_they_are_urgent(void **state)
{
    begin(true);
    world_turn(0, WORLD_IRQS);
    has_rung(READS);
    assert_int_equal(queue->head_writes, heads + 1);
    world_turn(0, WORLD_FLUSH);
    has_rung(READS);
    all_end();
}

#define doorbell_test(f) cmocka_unit_test_setup_teardown(f, begin_one, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        doorbell_test(one_for_what_ends_submit),
        doorbell_test(another_for_what_follows),
        doorbell_test(the_flush_s_for_both),
        doorbell_test(none_where_nothing_is_submitted),
        doorbell_test(each_its_own_where_they_are_urgent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
