// SPDX-License-Identifier: BSD-2-Clause
// The watch's clock: how long a completion may lie without its interrupt, and when it is accused.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

#define GRACE_NS (100 * NS_PER_MS)
#define SHORT_TICK_NS (GRACE_NS / 2) // of the watch, with a time-out of eight

static struct model *m;
static struct block_dev *dev;
static struct nvme_queue *q;

// Time passes only where the test says so.
static int begin_quiet(void **state)
{
    world_begin(1);
    m = model_new();
    nvme_set_timeout(NVME_WATCH_TICKS * SHORT_TICK_NS / NS_PER_MS);
    dev = start(m);
    q = world_ctrl(m)->queues[0];
    world_round(); // what the admin queue raised on vector 0
    world_set_clock_step(0);
    return 0;
}

static void read_whose_interrupt_is_lost(struct world_read *r, uint64_t lba)
{
    m->drop_interrupts = 1;
    world_read_start(r, dev, 0, lba, 1, 0);
    world_turn(0, WORLD_FLUSH);
    model_work(m);
    assert_int_equal(m->drop_interrupts, 0);
}

static void tick(void)
{
    world_turn(0, WORLD_FLUSH);
    world_skip(q->qp.watch.due_ns - world_now());
    world_turn(0, WORLD_TIMERS);
}

// It was told of, is aborted now, and ends.
static void times_out(struct world_read *r)
{
    assert_int_not_equal(world_errors("nvme-timeout"), 0);
    for (unsigned i = 0; !r->done; i++) {
        assert_true(i < 50);
        world_pass(NS_PER_MS);
    }
    ends(r, BLOCK_TIMEOUT);
}

// The interrupt of what lies there comes after all.
static void interrupt(void)
{
    model_interrupt(m, 1);
    world_turn(0, WORLD_IRQS);
}

static void the_grace_runs_from_the_tick_that_saw_it(void **state)
{
    struct world_read r;
    read_whose_interrupt_is_lost(&r, 5);
    tick(); // sees it
    tick(); // half the grace
    assert_false(r.done);
    assert_int_equal(world_errors(NULL), 0);
    uint64_t seen = world_now() - SHORT_TICK_NS;
    tick();
    ends_well(&r);
    assert_true(world_now() - seen >= GRACE_NS);
    assert_int_equal(world_errors("nvme-lost-interrupt"), 1);
    assert_non_null(strstr(world_last_error(),
                           ": queue 1 on CPU 0: completions lay unseen for 100 ms without an "
                           "interrupt; their requests are completed now"));
}

static void an_interrupt_within_the_grace_is_no_error(void **state)
{
    struct world_read r;
    read_whose_interrupt_is_lost(&r, 5);
    tick();
    tick();
    interrupt();
    ends_well(&r);
    tick();
    assert_int_equal(world_errors(NULL), 0);
}

// Each completion has a grace of its own: what is reaped meanwhile shows that interrupts come.
static void the_next_completion_has_its_own_grace(void **state)
{
    struct world_read first, second;
    read_whose_interrupt_is_lost(&first, 5);
    tick();
    interrupt();
    ends_well(&first);
    read_whose_interrupt_is_lost(&second, 6);
    tick(); // sees another one than the last tick did
    tick();
    assert_int_equal(world_errors(NULL), 0);
    assert_false(second.done);
    tick();
    ends_well(&second);
    assert_int_equal(world_errors("nvme-lost-interrupt"), 1);
}

// Seen and reaped between two ticks, and nothing there at the one between: it starts anew.
static void nothing_there_at_a_tick_starts_it_anew(void **state)
{
    struct world_read first, second, open;
    m->drop_lba = 500;
    world_read_start(&open, dev, 0, 500, 1, 0); // keeps the watch going
    read_whose_interrupt_is_lost(&first, 5);
    tick();
    interrupt();
    ends_well(&first);
    tick();
    read_whose_interrupt_is_lost(&second, 6);
    tick();
    tick();
    assert_int_equal(world_errors(NULL), 0);
    tick();
    ends_well(&second);
    assert_int_equal(world_errors("nvme-lost-interrupt"), 1);
    for (unsigned i = 0; !world_errors("nvme-timeout"); i++) {
        assert_true(i < NVME_WATCH_TICKS);
        tick();
    }
    times_out(&open);
}

// Before its time-out is up a read isn't given up, though the watch ticks more often.
static void the_time_out_counts_ticks(void **state)
{
    struct world_read r;
    m->drop_lba = 500;
    world_read_start(&r, dev, 0, 500, 1, 0);
    for (unsigned i = 0; i < NVME_WATCH_TICKS; i++) {
        tick();
        assert_false(r.done);
    }
    tick();
    times_out(&r);
    assert_non_null(strstr(world_last_error(), "no answer within 400 ms to 1 commands"));
}

// However long the slot had been free, or busy with others.
static void a_slot_is_as_old_as_its_command(void **state)
{
    for (unsigned i = 0; i < q->qp.mask; i++)
        q->qp.slots[i].age = UINT16_MAX;
    the_time_out_counts_ticks(state);
}

// Those submitted later have their own time.
static void each_command_has_its_own_time(void **state)
{
    struct world_read early, late;
    m->hold = true;
    world_read_start(&early, dev, 0, 5, 1, 0);
    for (unsigned i = 0; i < 3; i++)
        tick();
    world_read_start(&late, dev, 0, 6, 1, 0);
    for (unsigned i = 3; i <= NVME_WATCH_TICKS; i++)
        tick();
    times_out(&early);
    for (unsigned i = 0; i < 3; i++) {
        assert_false(late.done);
        tick();
    }
    times_out(&late);
    assert_int_equal(world_errors("nvme-timeout"), 2);
}

// What is submitted and completed meanwhile doesn't put the watch off.
static void load_hides_no_time_out(void **state)
{
    struct world_read open, other;
    m->drop_lba = 500;
    world_read_start(&open, dev, 0, 500, 1, 0);
    for (unsigned i = 0; i <= 2 * NVME_WATCH_TICKS + 2; i++) {
        world_skip(SHORT_TICK_NS / 2);
        world_read_start(&other, dev, 0, i, 1, 0);
        finish_within(&other, 10);
    }
    times_out(&open);
    assert_int_equal(world_errors(NULL), 1);
}

static void all_that_expired_is_told_at_once(void **state)
{
    struct world_read reads[3];
    m->hold = true;
    for (unsigned i = 0; i < 3; i++)
        world_read_start(&reads[i], dev, 0, 10 + i, 1 + i, 0);
    for (unsigned i = 0; i <= NVME_WATCH_TICKS; i++)
        tick();
    assert_int_equal(world_errors("nvme-timeout"), 1);
    assert_non_null(strstr(world_last_error(), "to 3 commands of queue 1, the first a read (opcode "
                                               "02h) of 1 blocks at LBA 10; "));
    for (unsigned i = 0; i < 3; i++)
        times_out(&reads[i]);
}

// Both are due at one tick: it is served, and its interrupt is known to be lost.
static void lost_at_the_deadline(void **state)
{
    struct world_read r;
    nvme_set_timeout(30000); // a tick is longer than the grace
    m->hold = true;
    world_read_start(&r, dev, 0, 5, 1, 0);
    world_turn(0, WORLD_FLUSH);
    for (unsigned i = 1; i < NVME_WATCH_TICKS; i++)
        tick();
    m->hold = false;
    m->drop_interrupts = 1;
    model_work(m);
    tick();
    assert_false(r.done);
    tick();
    ends_well(&r);
    assert_int_equal(world_errors("nvme-lost-interrupt"), 1);
    assert_int_equal(world_errors(NULL), 1);
}

static void the_time_out_is_never_zero(void **state)
{
    nvme_set_timeout(0);
    assert_int_equal(nvme_qpair_timeout_ms(), 1);
    nvme_set_timeout(7);
    assert_int_equal(nvme_qpair_timeout_ms(), 7);
}

// Before anything else: no world has set it.
static void thirty_seconds_unless_set(void **state)
{
    assert_int_equal(nvme_qpair_timeout_ms(), 30000);
}

#define watch_test(f) cmocka_unit_test_setup_teardown(f, begin_quiet, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_seconds_unless_set),
        cmocka_unit_test(the_time_out_is_never_zero),
        watch_test(the_grace_runs_from_the_tick_that_saw_it),
        watch_test(an_interrupt_within_the_grace_is_no_error),
        watch_test(the_next_completion_has_its_own_grace),
        watch_test(nothing_there_at_a_tick_starts_it_anew),
        watch_test(the_time_out_counts_ticks),
        watch_test(a_slot_is_as_old_as_its_command),
        watch_test(each_command_has_its_own_time),
        watch_test(load_hides_no_time_out),
        watch_test(lost_at_the_deadline),
        watch_test(all_that_expired_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
