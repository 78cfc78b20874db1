// SPDX-License-Identifier: BSD-2-Clause
// Controllers that don't answer, lose interrupts or vanish: every read ends, with the status that
// says what may have happened to its buffer.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

// ---- time-outs ----

static void no_answer(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    struct world_read r;
    m->drop_lba = 77;
    world_read_start(&r, dev, 0, 77, 1, 0);
    world_pass(29 * NS_PER_S);
    assert_false(r.done); // never too early
    world_pass(6 * NS_PER_S);
    ends(&r, BLOCK_TIMEOUT);
    assert_int_equal(world_errors("nvme-timeout"), 1);
    assert_int_equal(world_errors(NULL), 1);
    assert_memory_equal(world_last_error(), dev->name, strlen(dev->name));
    assert_non_null(strstr(world_last_error(), ": no answer within 30000 ms to 1 commands of "
                                               "queue 1, the first a read (opcode 02h) of 1 "
                                               "blocks at LBA 77;"));
    reads_well(dev, 0);
}

static void time_out_is_set(void **state)
{
    struct model *m = model_new();
    struct world_read r;
    nvme_set_timeout(40);
    struct block_dev *dev = start(m);
    m->drop_lba = 0;
    world_read_start(&r, dev, 0, 0, 1, 0);
    world_pass(39 * NS_PER_MS);
    assert_false(r.done);
    world_pass(10 * NS_PER_MS);
    ends(&r, BLOCK_TIMEOUT);
}

// Answered at the last moment, with the interrupt still under way: served, not given up.
static void answer_at_the_deadline(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    const struct nvme_queue *q = world_ctrl(m)->queues[0];
    struct world_read r;
    world_set_timers_first(true);
    m->hold = true;
    world_read_start(&r, dev, 0, 5, 1, 0);
    while (q->qp.slots[0].age < NVME_WATCH_TICKS)
        world_pass(TICK_NS / 100);
    m->hold = false;
    world_round();
    assert_false(r.done);
    world_skip(q->qp.watch.due_ns - world_now());
    world_round();
    ends_well(&r);
    assert_int_equal(world_errors(NULL), 0);
}

// One piece of a long read gets no answer; the read ends when all its pieces have, and not before.
static void one_piece_unanswered(void **state)
{
    struct model *m = model_new();
    m->id.mdts = 1;
    struct block_dev *dev = start(m);
    struct world_read r;
    m->drop_lba = 40;
    m->error_lba = 100; // another piece fails: the time-out is what counts
    world_read_start(&r, dev, 0, 0, 128, 0);
    world_pass(20 * NS_PER_S);
    assert_false(r.done);
    world_pass(20 * NS_PER_S);
    ends(&r, BLOCK_TIMEOUT);
    reads_well(dev, 0);
}

// Its only slot is free again once its command was aborted.
static void the_only_slot(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 1);
    struct block_dev *dev = start(m);
    struct world_read lost, waiting, later;
    m->drop_lba = 5;
    world_read_start(&lost, dev, 0, 5, 1, 0);
    world_read_start(&waiting, dev, 0, 100, 3000, 0);
    world_pass(40 * NS_PER_S);
    ends(&lost, BLOCK_TIMEOUT);
    ends_well(&waiting);
    world_read_start(&later, dev, 0, 200, 1, 0);
    finish(&later);
}

// The other order: one piece got no answer, and a later one fails.
static void failure_after_a_time_out(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 3);
    m->id.mdts = 1;
    struct block_dev *dev = start(m);
    struct world_read r;
    m->drop_lba = 0;
    m->error_lba = 50; // in the fourth piece, which waits for one of the first three
    m->hold = true;
    world_read_start(&r, dev, 0, 0, 96, 0);
    world_pass(20 * NS_PER_S);
    m->hold = false;
    world_round();
    m->hold = true;
    world_pass(16 * NS_PER_S);
    assert_int_equal(world_errors("nvme-timeout"), 1);
    assert_false(r.done);
    m->hold = false;
    world_pass(NS_PER_S);
    assert_int_equal(world_warnings(), 1);
    ends(&r, BLOCK_TIMEOUT);
}

static void time_out_on_a_shared_queue(void **state)
{
    world_begin(2);
    struct model *m = model_new();
    m->grants = 1;
    struct block_dev *dev = start(m);
    struct world_read r;
    m->drop_lba = 5;
    world_read_start(&r, dev, 1, 5, 1, 0);
    world_pass(40 * NS_PER_S);
    assert_int_equal(r.done_cpu, 1);
    ends(&r, BLOCK_TIMEOUT);
    reads_well(dev, 1);
}

// Slow is not lost: 20 seconds late, and nothing is reported.
static void slow_answers(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    struct world_read r;
    m->hold = true;
    world_read_start(&r, dev, 0, 5, 1, 0);
    world_pass(20 * NS_PER_S);
    m->hold = false;
    world_pass(NS_PER_S);
    ends_well(&r);
    assert_int_equal(world_errors(NULL), 0);
}

// ---- lost interrupts ----

static void lost_interrupt(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    struct world_read r;
    world_round(); // what the admin queue raised on vector 0
    m->drop_interrupts = 1;
    world_read_start(&r, dev, 0, 5, 100, 0);
    world_pass(3 * TICK_NS);
    ends_well(&r);
    assert_int_equal(world_errors("nvme-lost-interrupt"), 1);
    assert_int_equal(world_errors(NULL), 1);
    reads_well(dev, 0);
    assert_int_equal(m->drop_interrupts, 0);
}

// A busy queue is never accused: something is always unreaped, but never the same.
static struct world_read busy;
static unsigned busy_count;
static bool busy_stop;

static void keep_busy(struct block_req *req)
{
    busy_count++;
    if (!busy_stop)
        block_submit(req);
    else
        busy.done = true;
}

static void no_false_alarm(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 1);
    struct block_dev *dev = start(m);
    world_read_start_for(&busy, dev, 0, 5, 1, 0, keep_busy);
    busy_count = 0;
    busy_stop = false;
    world_set_timers_first(true);
    world_pass(120 * NS_PER_S);
    busy_stop = true;
    assert_true(world_run(&busy.done, 10));
    assert_true(busy_count > 50);
    assert_int_equal(world_errors(NULL), 0);
    world_read_free(&busy);
}

// The watch stops with the last command: an idle machine is left alone.
static void idle_queue_has_no_timer(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    const struct nvme_queue *q = world_ctrl(m)->queues[0];
    reads_well(dev, 0);
    assert_true(q->qp.watch.armed);
    world_pass(2 * TICK_NS);
    assert_false(q->qp.watch.armed);
    reads_well(dev, 0);
    assert_true(q->qp.watch.armed);
}

// Nobody misses a controller that was shut down in order.
static void no_watch_after_shutdown(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    reads_well(dev, 0);
    nvme_shutdown();
    m->csts &= ~NVME_CSTS_RDY;
    world_pass(3 * TICK_NS);
    assert_int_equal(world_errors(NULL), 0);
}

// ---- gone ----

static void goes(struct model *m, const char *words)
{
    assert_int_equal(world_errors("nvme-gone"), 1);
    assert_int_equal(world_errors(NULL), 1);
    assert_non_null(strstr(world_last_error(), words));
    assert_false(m->pci_command & 4);
}

enum way { FATAL, REMOVED, NOT_READY };

static void vanish(enum way way, unsigned mqes, const char *words)
{
    world_begin(2);
    world_set_timers_first(true); // so that both queues notice
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, mqes);
    m->grants = 3;
    struct block_dev *dev = start(m);
    struct world_read reads[20], later;
    m->hold = true;
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        world_read_start(&reads[i], dev, i % 2, 1000 * i, i % 3 ? 1 : 5000, 0);
    world_round();
    m->removed = way == REMOVED;
    m->fatal_at_enable = way == FATAL;
    m->never_ready = way == NOT_READY;
    if (way == FATAL)
        m->csts |= NVME_CSTS_CFS;
    if (way == NOT_READY)
        model_go_away(m, 0);
    world_pass(40 * NS_PER_S);
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++) {
        assert_int_equal(reads[i].done_cpu, i % 2);
        ends(&reads[i], BLOCK_GONE);
    }
    goes(m, words);
    world_read_start(&later, dev, 1, 0, 1, 0);
    assert_true(world_run(&later.done, 10));
    ends(&later, BLOCK_GONE);
    world_pass(100 * NS_PER_S);
    goes(m, words);
}

static void fatal_status(void **state)
{
    vanish(FATAL, 3, "it reports a fatal error (CSTS.CFS)");
    vanish(FATAL, 1023, "it reports a fatal error (CSTS.CFS)");
}

static void surprise_removal(void **state)
{
    vanish(REMOVED, 3, "its registers read all ones");
    vanish(REMOVED, 1023, "its registers read all ones");
}

static void silent_reset(void **state)
{
    vanish(NOT_READY, 3, "its reset doesn't end");
    vanish(NOT_READY, 1023, "its reset doesn't end");
}

// What it had answered before it failed is served.
static void answered_before_the_end(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    struct world_read answered, open;
    world_round();
    m->drop_interrupts = 1;
    m->drop_lba = 500;
    world_read_start(&answered, dev, 0, 5, 1, 0);
    world_read_start(&open, dev, 0, 500, 1, 0);
    world_round();
    m->csts |= NVME_CSTS_CFS;
    m->stuck_ready = true;
    world_pass(20 * NS_PER_S);
    ends_well(&answered);
    ends(&open, BLOCK_GONE);
    goes(m, "its reset doesn't end");
}

// A queue that another CPU shares: done() runs where the read came from.
static void gone_on_a_shared_queue(void **state)
{
    world_begin(3);
    struct model *m = model_new();
    m->grants = 1;
    struct block_dev *dev = start(m);
    struct world_read r;
    m->hold = true;
    world_read_start(&r, dev, 2, 5, 1, 0);
    world_round();
    m->removed = true;
    world_pass(2 * TICK_NS);
    assert_int_equal(r.done_cpu, 2);
    ends(&r, BLOCK_GONE);
    world_read_start(&r, dev, 2, 5, 1, 0);
    assert_true(world_run(&r.done, 10));
    assert_int_equal(r.done_cpu, 2);
    ends(&r, BLOCK_GONE);
}

#define trouble_test(f) cmocka_unit_test_setup_teardown(f, begin_one, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        trouble_test(no_answer),
        trouble_test(time_out_is_set),
        trouble_test(answer_at_the_deadline),
        trouble_test(one_piece_unanswered),
        trouble_test(failure_after_a_time_out),
        trouble_test(the_only_slot),
        trouble_test(time_out_on_a_shared_queue),
        trouble_test(slow_answers),
        trouble_test(lost_interrupt),
        trouble_test(no_false_alarm),
        trouble_test(idle_queue_has_no_timer),
        trouble_test(no_watch_after_shutdown),
        trouble_test(fatal_status),
        trouble_test(surprise_removal),
        trouble_test(silent_reset),
        trouble_test(answered_before_the_end),
        trouble_test(gone_on_a_shared_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
