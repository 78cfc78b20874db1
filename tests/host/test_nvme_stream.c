// SPDX-License-Identifier: BSD-2-Clause
// Streams: requests that end and go on together, and all that may come between.

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

#define READS 12
#define READS_MOST (NVME_REAP_BUDGET + 36)
#define PLACES 40

static struct model *m;
static struct block_dev *dev;
static struct {
    struct block_stream stream;
    struct world_read reads[READS_MOST];
    unsigned count; // of these
    uint64_t first; // their places are PLACES blocks from there on
    unsigned turns, turned, singles, failed;
    unsigned most;  // reads of one turn
    unsigned left;  // to be sent on
    unsigned wrong; // after so many, the second of each turn is sent past the end
    unsigned ended;
    bool all_ended;
} t;

// Where a read goes next; the data of the last one were its own.
static void send_to_next(struct block_req *req)
{
    assert_int_equal(req->status, BLOCK_OK);
    assert_true(model_holds(1, req->lba * 512, req->buffer, req->blocks * 512ull));
    memset(req->buffer, 0, req->blocks * 512ull);
    req->lba = t.first + (req->lba + 1 - t.first) % PLACES;
}

static void note_end(void)
{
    t.all_ended = ++t.ended == t.count;
}

static bool turn(struct block_stream *stream, struct block_turn *turns, unsigned count)
{
    bool all = true;
    assert_ptr_equal(stream, &t.stream);
    assert_in_range(count, 1, MIN(t.count, (unsigned)NVME_REAP_BUDGET));
    t.turns++;
    t.turned += count;
    t.most = MAX(t.most, count);
    for (unsigned i = count; i--;) { // the first of a turn stop before the others
        send_to_next(turns[i].req);
        if (t.left) {
            t.left--;
            if (t.turned >= t.wrong && i == 1)
                turns[i].req->lba = dev->blocks;
            continue;
        }
        turns[i].req = NULL;
        all = false;
        note_end();
    }
    return all;
}

static void single_done(struct block_req *req)
{
    t.singles++;
    if (req->status != BLOCK_OK) {
        t.failed++;
        return note_end();
    }
    send_to_next(req);
    if (!t.left)
        return note_end();
    t.left--;
    block_resubmit(req);
}

static void open_with(unsigned entries, unsigned left)
{
    m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, entries - 1);
    dev = start(m);
    memset(&t, 0, sizeof(t));
    t.count = READS;
    t.left = left;
    t.wrong = UINT_MAX;
    t.stream = (struct block_stream){ .done = single_done, .turn = turn };
    struct block_req probe = {
        .dev = dev, .blocks = 1, .buffer = aligned_alloc(4096, 4096), .done = single_done
    };
    assert_true(block_prepare(&probe));
    assert_true(block_open_stream(&probe, &t.stream));
    assert_false(block_open_stream(&probe, &t.stream)); // it has one
    free(probe.buffer);
}

static void submit_all(void)
{
    for (unsigned i = 0; i < t.count; i++)
        world_read_start_for(&t.reads[i], dev, 0, t.first + i % PLACES, 8, 0, single_done);
}

static void all_slots_are_free(void)
{
    const struct nvme_queue *q = world_ctrl(m)->queues[0];
    unsigned free_slots = 0;
    for (unsigned i = q->qp.free; i != NVME_NO_SLOT; i = q->qp.slots[i].next)
        free_slots++;
    assert_int_equal(free_slots, q->qp.mask);
}

static void end_all(unsigned reads)
{
    assert_true(world_run(&t.all_ended, 20000));
    assert_int_equal(m->reads, reads);
    all_slots_are_free();
    block_close_stream(&t.reads[0].req);
    assert_null(world_ctrl(m)->queues[0]->stream);
    for (unsigned i = 0; i < t.count; i++)
        world_read_free(&t.reads[i]);
}

// All of them, round after round, over the ring's end; each turn has all that one look found.
static void they_go_on_together(void **state)
{
    open_with(16, 500);
    submit_all();
    end_all(500 + READS);
    assert_int_equal(t.turned, 500 + READS);
    assert_int_equal(t.singles, 0);
    assert_int_equal(t.most, READS);
    assert_in_range(t.turns, (500 + READS) / READS, 120); // a look ends at the ring's end
    assert_int_equal(world_errors(NULL) + world_warnings(), 0);
}

static void in_any_order(void **state)
{
    open_with(16, 500);
    m->order = MODEL_RANDOM;
    submit_all();
    end_all(500 + READS);
    assert_int_equal(t.singles, 0);
}

// Fewer slots than reads: who waits is not passed over, so that all take the ordinary way.
static void waiting_ends_it(void **state)
{
    open_with(8, 300);
    submit_all();
    end_all(300 + READS);
    assert_int_equal(t.turned + t.singles, 300 + READS);
    assert_true(t.singles > 250);
}

static void a_failure_leaves_it(void **state)
{
    open_with(16, 2000);
    m->error_lba = 5;
    m->error_status = NVME_STATUS(2, 0x81);
    submit_all();
    assert_true(world_run(&t.all_ended, 20000));
    assert_int_equal(t.failed, READS); // each comes by there
    assert_int_equal(t.singles, t.failed);
    assert_true(t.turned > 0);
    for (unsigned i = 0; i < READS; i++)
        world_read_free(&t.reads[i]);
}

// What a reset interrupts goes the ordinary way once, and is the stream's again.
static void resets_do_not_end_it(void **state)
{
    open_with(16, 3000);
    submit_all();
    for (unsigned i = 0; i < 20; i++) {
        unsigned before = t.turned;
        m->hold = true;
        for (unsigned n = 0; n < 3; n++)
            world_round();
        nvme_recover_reset(world_ctrl(m));
        while (!world_ctrl(m)->resetting)
            world_round();
        m->hold = false;
        while (t.turned < before + 2 * READS) {
            world_round();
            world_skip(NS_PER_MS);
        }
    }
    assert_true(world_run(&t.all_ended, 20000));
    assert_int_equal(t.turned + t.singles, 3000 + READS);
    assert_int_equal(t.singles, 20 * READS);
    assert_int_equal(world_errors(NULL), 0);
    end_all(m->reads);
}

static void answered_twice(void **state)
{
    open_with(64, 300);
    m->twice = true;
    submit_all();
    end_all(300 + READS);
    assert_int_equal(t.turned + t.singles, 300 + READS);
    assert_int_equal(world_errors("nvme-bad-completion"), 1);
}

// An LBA past the end: that one is refused, on its own; the others go on.
static void past_the_end(void **state)
{
    open_with(16, 300);
    t.wrong = 5 * READS;
    submit_all();
    assert_true(world_run(&t.all_ended, 20000));
    assert_int_equal(t.failed, READS - 1); // the last is alone in its turn
    assert_int_equal(t.singles, t.failed);
    unsigned refused = 0;
    for (unsigned i = 0; i < READS; i++) {
        const struct block_req *req = &t.reads[i].req;
        refused += req->status == BLOCK_ERROR && req->detail == BLOCK_DETAIL_RANGE;
        world_read_free(&t.reads[i]);
    }
    assert_int_equal(refused, t.failed);
    all_slots_are_free();
}

// The last place is the disk's last, too.
static void up_to_the_end(void **state)
{
    open_with(16, PLACES * READS);
    t.first = dev->blocks - 8 - (PLACES - 1);
    submit_all();
    end_all(PLACES * READS + READS);
    assert_int_equal(t.singles, 0);
}

// More than the budget of a look: what is left has the next one.
static void more_than_a_turn_has(void **state)
{
    open_with(256, 1000);
    t.count = READS_MOST;
    submit_all();
    end_all(1000 + READS_MOST);
    assert_int_equal(t.most, NVME_REAP_BUDGET);
    assert_int_equal(t.singles, 0);
}

// Requests of others, on the same queue.
static void others_end_between(void **state)
{
    open_with(64, 500);
    submit_all();
    for (unsigned i = 0; i < 20; i++)
        reads_well(dev, 0);
    end_all(500 + READS + 20);
    assert_int_equal(t.singles, 0);
    assert_int_equal(t.turned, 500 + READS);
}

// What was in flight as the queue moved ends where it was submitted, one by one; so does all that
// follows.
static void a_queue_that_moves(void **state)
{
    world_begin(2);
    m = model_new();
    m->grants = 2;
    dev = start(m);
    memset(&t, 0, sizeof(t));
    t.count = READS;
    t.left = 200;
    t.wrong = UINT_MAX;
    t.stream = (struct block_stream){ .done = single_done, .turn = turn };
    submit_all();
    assert_true(block_open_stream(&t.reads[0].req, &t.stream));
    for (unsigned i = 0; i < 3; i++)
        world_round();
    assert_true(t.turned > 0 && !t.all_ended);
    assert_true(world_move(m, 0, 1));
    assert_true(world_run(&t.all_ended, 20000));
    assert_int_equal(t.turned + t.singles, 200 + READS);
    assert_true(t.singles > 0);
    for (unsigned i = 0; i < READS; i++)
        world_read_free(&t.reads[i]);
}

static bool opens(void)
{
    uint8_t *memory = aligned_alloc(4096, 4096);
    struct block_req req = { .dev = dev, .blocks = 1, .buffer = memory, .done = single_done };
    assert_true(block_prepare(&req));
    bool opened = block_open_stream(&req, &t.stream);
    if (opened)
        block_close_stream(&req);
    free(memory);
    return opened;
}

static void not_for_another_cpu_s_queue(void **state)
{
    world_begin(2);
    m = model_new();
    m->grants = 2;
    dev = start(m);
    assert_true(opens());
    move_now(m, 0, 1);
    assert_false(opens());
}

// Its commands leave fields out: it ends where all are to be written.
static void not_where_all_fields_count(void **state)
{
    open_with(64, 300);
    submit_all();
    for (unsigned i = 0; i < 5; i++)
        world_round();
    unsigned turns = t.turns;
    assert_true(turns && !t.all_ended);
    nvme_queue_write_in_full(world_ctrl(m)->queues[0]);
    end_all(300 + READS);
    assert_int_equal(t.turns, turns);
    assert_false(opens());
}

// A reset took its queue away: its reads go on one by one in another, and it isn't opened anew.
static void not_without_its_queue(void **state)
{
    world_begin(2);
    open_with(64, 300);
    submit_all();
    for (unsigned i = 0; i < 5; i++)
        world_round();
    m->fail_opcode = NVME_ADMIN_CREATE_CQ;
    m->fail_qid = 1;
    model_fails(m, FAILS_ASKED);
    world_pass(NS_PER_S);
    unsigned turns = t.turns;
    assert_true(world_run(&t.all_ended, 20000));
    assert_int_equal(t.turns, turns);
    block_close_stream(&t.reads[0].req);
    assert_false(opens());
    assert_true(m->reads >= 300 + READS);
    for (unsigned i = 0; i < t.count; i++)
        world_read_free(&t.reads[i]);
}

// ---- doorbells ----

static void look_at_what_ended(void)
{
    model_work(m);
    world_turn(0, WORLD_IRQS);
}

// All that goes on together has one doorbell, or the flush's where others wait for that.
static void one_doorbell_for_a_turn(void **state)
{
    struct world_read other;
    open_with(64, 2 * READS);
    const struct model_queue *q = &m->queues[1];
    world_round(); // what the admin queue raised on vector 0
    submit_all();
    world_turn(0, WORLD_FLUSH);
    unsigned tails = q->tail_writes, heads = q->head_writes;
    look_at_what_ended();
    assert_int_equal(t.turned, READS);
    assert_int_equal(q->tail_writes, tails + 1);
    assert_int_equal(q->head_writes, heads + 1);

    model_work(m);
    world_read_start(&other, dev, 0, 9, 8, 0);
    world_turn(0, WORLD_IRQS);
    assert_int_equal(t.turned, 2 * READS);
    assert_int_equal(q->tail_writes, tails + 1);
    world_turn(0, WORLD_FLUSH);
    assert_int_equal(q->tail_writes, tails + 2);

    look_at_what_ended(); // nothing goes on
    assert_true(t.all_ended);
    assert_int_equal(q->tail_writes, tails + 2);
    assert_int_equal(q->head_writes, heads + 3);
    m->raised[0] = true; // nothing has ended
    world_turn(0, WORLD_IRQS);
    assert_int_equal(q->head_writes, heads + 3);
    ends_well(&other);
    end_all(3 * READS + 1);
}

// ---- slots ----

static struct world_read follower;

// Submits another request in its place, for which there is no slot but its own.
static bool turn_to_another(struct block_stream *stream, struct block_turn *turns, unsigned count)
{
    assert_int_equal(count, 1);
    world_read_start(&follower, dev, 0, 30, 8, 0);
    if (t.wrong) {
        turns[0].req->lba = dev->blocks;
        return true;
    }
    turns[0].req = NULL;
    note_end();
    return false;
}

static void is_followed(unsigned wrong)
{
    open_with(2, 0);
    t.stream.turn = turn_to_another;
    t.wrong = wrong;
    follower.done = false;
    t.count = 1;
    submit_all();
    finish_within(&follower, 10);
    end_all(2);
}

static void who_waits_follows_who_stops(void **state)
{
    is_followed(0);
}

static void who_waits_follows_who_is_refused(void **state)
{
    is_followed(1);
}

// Each read has its own time, though its slot is the stream's all along.
static void under_load_nothing_times_out(void **state)
{
    open_with(64, UINT_MAX);
    submit_all();
    for (unsigned i = 0; i < 3 * NVME_WATCH_TICKS; i++) {
        world_skip(TICK_NS);
        for (unsigned round = 0; round < 3; round++)
            world_round();
    }
    t.left = 0;
    assert_true(world_run(&t.all_ended, 10));
    assert_int_equal(t.singles, 0);
    assert_int_equal(m->aborts, 0);
    assert_int_equal(world_errors(NULL), 0);
    for (unsigned i = 0; i < READS; i++)
        world_read_free(&t.reads[i]);
}

static void not_for_all(void **state)
{
    m = model_new();
    m->id.mdts = 1;
    dev = start(m);
    uint8_t *memory = aligned_alloc(4096, 64 * KIB);
    struct block_stream stream = { .done = single_done, .turn = turn };
    struct block_req req = { .dev = dev, .blocks = 128, .buffer = memory, .done = single_done };
    assert_true(block_prepare(&req)); // several commands
    assert_false(block_open_stream(&req, &stream));
    dev->open_stream = NULL;
    req.blocks = 1;
    assert_true(block_prepare(&req));
    assert_false(block_open_stream(&req, &stream));
    free(memory);
}

#define stream_test(f) cmocka_unit_test_setup_teardown(f, begin_one, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        stream_test(they_go_on_together),
        stream_test(in_any_order),
        stream_test(waiting_ends_it),
        stream_test(a_failure_leaves_it),
        stream_test(resets_do_not_end_it),
        stream_test(answered_twice),
        stream_test(past_the_end),
        stream_test(others_end_between),
        stream_test(a_queue_that_moves),
        stream_test(up_to_the_end),
        stream_test(more_than_a_turn_has),
        stream_test(not_for_another_cpu_s_queue),
        stream_test(not_where_all_fields_count),
        stream_test(not_without_its_queue),
        stream_test(one_doorbell_for_a_turn),
        stream_test(who_waits_follows_who_stops),
        stream_test(who_waits_follows_who_is_refused),
        stream_test(under_load_nothing_times_out),
        stream_test(not_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
