// SPDX-License-Identifier: BSD-2-Clause
// Queues that change their owner under load: every read ends once, on the CPU that submitted it,
// with its data, and only the owner touches a queue. Turns come in random order.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/cpus.h"
#include "tests/host/nvme_fixture.h"

#define BLOCKS_MAX 40 // several commands, with MDTS 1

static struct nvme_queue *queue(const struct model *m, unsigned i)
{
    return world_ctrl(m)->queues[i];
}

// ---- load: each read is submitted again from its own done() ----

static struct {
    struct world_read *reads;
    unsigned count, left; // reads; submissions that are left
    uint64_t submitted, ok, failed;
} load;

static void load_done(struct block_req *req)
{
    struct world_read *r = container_of(req, struct world_read, req);
    assert_int_equal(r->done_cpu, cpu_index());
    assert_false(r->done);
    if (req->status == BLOCK_OK) {
        assert_true(model_holds(1, req->lba * 512, req->buffer, req->blocks * 512ull));
        load.ok++;
    } else {
        assert_int_equal(req->status, BLOCK_GONE);
        load.failed++;
    }
    if (!load.left || req->status != BLOCK_OK) {
        r->done = true;
        return;
    }
    load.left--;
    load.submitted++;
    req->lba = (uint64_t)rand() % 100000;
    req->blocks = rand() % 2 ? 8 : 1 + (uint32_t)rand() % BLOCKS_MAX;
    memset(req->buffer, 0, req->blocks * 512ull);
    block_submit(req);
}

static void load_start(struct model **models, unsigned count, unsigned cpus, unsigned each,
                       unsigned submissions)
{
    memset(&load, 0, sizeof(load));
    load.count = count * cpus * each;
    load.left = submissions - load.count;
    load.submitted = load.count;
    load.reads = calloc(load.count, sizeof(*load.reads));
    for (unsigned i = 0; i < load.count; i++) {
        struct world_read *r = &load.reads[i];
        unsigned cpu = i % cpus;
        world_read_start_for(r, world_disk(models[i / cpus % count], 1), cpu, i, BLOCKS_MAX, 0,
                             load_done);
        r->done_cpu = cpu;
    }
}

static bool load_ended(void)
{
    for (unsigned i = 0; i < load.count; i++)
        if (!load.reads[i].done)
            return false;
    return true;
}

static void load_finish(void)
{
    for (unsigned rounds = 0; !load_ended(); rounds++) {
        assert_true(rounds < 20000); // something was lost
        world_round();
    }
    for (unsigned i = 0; i < load.count; i++)
        world_read_free(&load.reads[i]);
    free(load.reads);
    assert_int_equal(load.ok + load.failed, load.submitted);
}

static void check_nothing_left(const struct model *m)
{
    const struct nvme_ctrl *c = world_ctrl(m);
    for (unsigned i = 0; i < c->queues_count; i++) {
        const struct nvme_queue *q = c->queues[i];
        assert_int_equal(nvme_qpair_owner(&q->qp), m->irqs[i]->cpu);
        assert_ptr_equal(q->qp.home, &c->homes[q->qp.cpu]);
        assert_null(q->waiting);
        assert_false(q->qp.dirty || q->adopting || nvme_qpair_ready(&q->qp));
        for (unsigned s = 0; s < q->qp.mask; s++)
            assert_null(q->qp.slots[s].command);
    }
}

static unsigned move_at_random(struct model **models, unsigned count, unsigned cpus, unsigned moves)
{
    unsigned moved = 0;
    for (unsigned turns = 0; moved < moves && turns < 100 * moves; turns++) {
        struct model *m = models[(unsigned)rand() % count];
        unsigned queues = world_ctrl(m)->queues_count;
        if (rand() % 12 == 0)
            moved += world_move(m, (unsigned)rand() % queues, (unsigned)rand() % cpus);
        world_turn_any();
    }
    return moved;
}

static void moves_under_load(unsigned cpus, unsigned grants, unsigned mqes, enum model_order order,
                             unsigned controllers)
{
    struct model *models[4];
    world_begin(cpus);
    for (unsigned i = 0; i < controllers; i++) {
        models[i] = model_new();
        field_set(&models[i]->cap, NVME_CAP_MQES, mqes);
        models[i]->id.mdts = 1;
        models[i]->grants = grants;
        models[i]->order = order;
    }
    start(models[0]);
    load_start(models, controllers, cpus, 12, 1u << 20);
    assert_int_equal(move_at_random(models, controllers, cpus, 3000), 3000);
    assert_in_range(load.submitted, 4000, (1 << 20) - 1);
    load.left = 0;
    load_finish();
    assert_int_equal(load.failed, 0);
    assert_int_equal(world_errors(NULL), 0);
    for (unsigned i = 0; i < controllers; i++)
        check_nothing_left(models[i]);
}

static void a_queue_for_each_cpu(void **state)
{
    moves_under_load(4, 64, 63, MODEL_RANDOM, 1);
}

static void reads_wait_for_slots(void **state)
{
    moves_under_load(3, 64, 7, MODEL_RANDOM, 1);
}

static void fewer_queues_than_cpus(void **state)
{
    moves_under_load(5, 2, 31, MODEL_LIFO, 1);
}

static void several_controllers(void **state)
{
    moves_under_load(4, 64, 15, MODEL_FIFO, 3);
}

static void all_to_one_cpu(void **state)
{
    world_begin(6);
    struct model *m = model_new();
    m->id.mdts = 1;
    start(m);
    load_start(&m, 1, 6, 8, 5000);
    for (unsigned i = 0; i < 6; i++) {
        for (unsigned turns = 0; turns < 100; turns++)
            world_turn_any();
        if (i != 4)
            move_now(m, i, 4);
    }
    load_finish();
    assert_int_equal(load.ok, 5000);
    assert_int_equal(world_errors(NULL), 0);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(nvme_qpair_owner(&queue(m, i)->qp), 4);
    check_nothing_left(m);
}

// ---- one by one ----

// The completion's interrupt comes to the new CPU before the queue does, and is passed over.
static void interrupt_before_the_queue(void **state)
{
    world_begin(2);
    struct model *m = model_new();
    struct world_read r;
    world_read_start(&r, start(m), 0, 7, 8, 0);
    world_turn(0, WORLD_FLUSH);
    assert_true(world_move(m, 0, 1));
    model_work(m);
    world_turn(1, WORLD_IRQS);
    assert_false(m->raised[0] || r.done);
    finish(&r);
}

// A command that no doorbell has told of yet: the old owner rings.
static void doorbell_before_it_leaves(void **state)
{
    world_begin(2);
    struct model *m = model_new();
    struct world_read r;
    world_read_start(&r, start(m), 0, 7, 8, 0);
    assert_int_equal(m->queues[1].tail_writes, 0);
    assert_true(world_move(m, 0, 1));
    world_turn(0, WORLD_TIMERS);
    assert_int_equal(m->queues[1].tail_writes, 1);
    finish(&r);
}

// It leaves before it was adopted, comes back, and leaves again.
static void on_before_adoption(void **state)
{
    world_begin(4);
    struct model *m = model_new();
    struct world_read r;
    world_read_start(&r, start(m), 0, 7, 8, 0);
    world_turn(0, WORLD_FLUSH);
    model_work(m);
    m->raised[0] = false; // its interrupt was passed over on the way
    static const unsigned ways[] = { 1, 2, 1, 0, 3, 2 };
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++)
        move_now(m, 0, ways[i]);
    assert_true(queue(m, 0)->adopting);
    finish(&r);
    assert_int_equal(r.done_cpu, 0);
    check_nothing_left(m);
}

// Those that wait for a slot go along, and the new owner issues them.
static void waiting_reads_go_along(void **state)
{
    world_begin(2);
    struct model *m = model_new();
    struct world_read reads[9];
    field_set(&m->cap, NVME_CAP_MQES, 3);
    struct block_dev *dev = start(m);
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        world_read_start(&reads[i], dev, 0, i, 8, 0);
    assert_non_null(queue(m, 0)->waiting);
    move_now(m, 0, 1);
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        finish(&reads[i]);
    check_nothing_left(m);
}

// The submitter forwards a read to the owner while the queue comes to the submitter.
static void forwarded_while_it_comes(void **state)
{
    world_begin(3);
    struct model *m = model_new();
    m->grants = 1;
    struct block_dev *dev = start(m);
    struct world_read r;
    world_read_start(&r, dev, 2, 7, 8, 0);
    move_now(m, 0, 2);
    finish(&r);
    world_read_start(&r, dev, 2, 8, 8, 0); // straight into it
    assert_false(queue(m, 0)->qp.slots[0].command != &r.req &&
                 queue(m, 0)->qp.slots[1].command != &r.req);
    finish(&r);
}

// It may submit as soon as the queue is its own, before it has adopted it.
static void submits_before_adoption(void **state)
{
    world_begin(2);
    struct model *m = model_new();
    m->grants = 1;
    struct block_dev *dev = start(m);
    struct world_read r;
    move_now(m, 0, 1);
    world_read_start(&r, dev, 1, 7, 8, 0);
    assert_true(queue(m, 0)->adopting && queue(m, 0)->qp.dirty);
    move_now(m, 0, 0);
    finish(&r);
    check_nothing_left(m);
}

// Moves don't put a time-out off, nor bring it on.
static void time_out_on_the_way(void **state)
{
    world_begin(3);
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    struct world_read r;
    m->drop_lba = 7;
    world_read_start(&r, dev, 0, 7, 1, 0);
    for (unsigned i = 0; i < 77; i++) {
        assert_int_equal(r.done, false);
        world_pass(TICK_NS / 10);
        move_now(m, 0, (i + 1) % 3);
    }
    for (unsigned i = 77; i < 95; i++) {
        world_pass(TICK_NS / 10);
        move_now(m, 0, (i + 1) % 3);
    }
    assert_true(r.done);
    assert_int_equal(r.done_cpu, 0);
    assert_int_equal(r.req.status, BLOCK_TIMEOUT);
    assert_int_equal(world_errors("nvme-timeout"), 1);
    world_read_free(&r);
}

// ---- the controller goes away meanwhile ----

// Its last messages find each queue wherever it is by then.
static void gone_while_it_moves(void **state)
{
    world_begin(3);
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    struct world_read reads[3];
    m->hold = true;
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        world_read_start(&reads[i], dev, i, i, 8, 0);
    world_round();
    is_given_up(m);
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        move_now(m, i, (i + 1) % 3);
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++) {
        assert_true(world_run(&reads[i].done, 10));
        assert_int_equal(reads[i].req.status, BLOCK_GONE);
        assert_int_equal(reads[i].done_cpu, i);
        assert_true(queue(m, i)->gone);
        world_read_free(&reads[i]);
    }
    assert_int_equal(world_errors(NULL), 1);
}

static void gone_under_load(void **state)
{
    for (unsigned seed = 0; seed < 20; seed++) {
        world_begin(4);
        srand(seed);
        struct model *m = model_new();
        field_set(&m->cap, NVME_CAP_MQES, 15);
        m->id.mdts = 1;
        m->order = MODEL_RANDOM;
        m->grants = 1 + seed % 4;
        start(m);
        load_start(&m, 1, 4, 12, 1u << 20);
        move_at_random(&m, 1, 4, 50);
        m->removed = true;
        move_at_random(&m, 1, 4, 2);
        is_given_up(m);
        move_at_random(&m, 1, 4, 50);
        load_finish();
        assert_true(load.failed > 0);
        assert_int_equal(world_errors(NULL), 1);
        world_end();
        world_begin(1);
    }
}

// ---- a budget for each interrupt ----

static void loud_and_quiet(void **state)
{
    world_begin(1);
    struct model *loud = model_new(), *quiet = model_new();
    struct world_read reads[200], r;
    start(loud);
    struct block_dev *dev = world_disk(loud, 1);
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        world_read_start(&reads[i], dev, 0, i, 8, 0);
    world_read_start(&r, world_disk(quiet, 1), 0, 9, 8, 0);
    world_turn(0, WORLD_FLUSH);
    model_work(loud);
    model_work(quiet);
    for (unsigned turn = 1; turn <= 4; turn++) {
        assert_true(loud->raised[0]);
        world_turn(0, WORLD_IRQS);
        assert_true(r.done);
        assert_int_equal(loud->queues[1].head_writes, turn);
        assert_int_equal(loud->queues[1].cq_head, MIN(turn * NVME_REAP_BUDGET, 200u));
    }
    assert_false(loud->raised[0]);
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        finish(&reads[i]);
    finish(&r);
    assert_int_equal(world_errors(NULL), 0);
}

#define move_test(f) cmocka_unit_test_teardown(f, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        move_test(a_queue_for_each_cpu),
        move_test(reads_wait_for_slots),
        move_test(fewer_queues_than_cpus),
        move_test(several_controllers),
        move_test(all_to_one_cpu),
        move_test(interrupt_before_the_queue),
        move_test(doorbell_before_it_leaves),
        move_test(on_before_adoption),
        move_test(waiting_reads_go_along),
        move_test(forwarded_while_it_comes),
        move_test(submits_before_adoption),
        move_test(time_out_on_the_way),
        move_test(gone_while_it_moves),
        move_test(gone_under_load),
        move_test(loud_and_quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
