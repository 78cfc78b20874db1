// SPDX-License-Identifier: BSD-2-Clause
// What is done about a controller that doesn't answer as it should, step by step.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/nvme/nvme_regs.h"
#include "drivers/nvme/recover_plan.h"

#define MS NS_PER_MS
#define START (1000 * MS)
#define READY_MS 500
#define SETTLE_MS 20
#define ABORT_MS 100
#define ABSENT_MS 1000

#define RUNS NVME_CSTS_RDY
#define FAILED (NVME_CSTS_RDY | NVME_CSTS_CFS)

static struct nvme_plan plan;
static uint64_t now;

static int begin(void **state)
{
    now = START;
    plan = (struct nvme_plan){
        .limits = { READY_MS * MS, SETTLE_MS * MS, ABORT_MS * MS, ABSENT_MS * MS },
    };
    return 0;
}

static void step(enum nvme_plan_event event, uint32_t csts, unsigned late,
                 enum nvme_plan_action action, enum nvme_plan_state state)
{
    struct nvme_plan_input in = { .event = event, .now_ns = now, .csts = csts, .late = late };
    assert_int_equal(nvme_plan_step(&plan, &in), action);
    assert_int_equal(plan.state, state);
}

static void tick(uint32_t csts, unsigned late, enum nvme_plan_action action,
                 enum nvme_plan_state state)
{
    step(NVME_TICK, csts, late, action, state);
}

static void completed_some(void)
{
    struct nvme_plan_input in = { .now_ns = now, .csts = RUNS, .progress = true };
    assert_int_equal(nvme_plan_step(&plan, &in), NVME_DO_NOTHING);
}

// From NVME_DO_QUIET to the controller being told of its queues.
static void resets(void)
{
    step(NVME_QUIET, RUNS, 1, NVME_DO_DISABLE, NVME_DISABLING);
    now += SETTLE_MS * MS;
    tick(0, 1, NVME_DO_CLEAR, NVME_CLEARING);
    step(NVME_CLEARED, 0, 0, NVME_DO_ENABLE, NVME_ENABLING);
    tick(RUNS, 0, NVME_DO_RESTORE, NVME_RESTORING);
}

static void recovers(void)
{
    resets();
    step(NVME_RESTORED, RUNS, 0, NVME_DO_RESUME, NVME_RUNNING);
}

static void is_gone(enum nvme_plan_reason why)
{
    assert_int_equal(plan.reason, why);
    for (unsigned event = NVME_TICK; event <= NVME_REMOVAL_ASKED; event++)
        step((enum nvme_plan_event)event, RUNS, 1, NVME_DO_NOTHING, NVME_GONE);
}

// ---- slots ----

// As a reset, and with as many tries as any.
static void returns(void **state)
{
    step(NVME_REMOVAL_ASKED, RUNS, 0, NVME_DO_REMOVE, NVME_GONE);
    plan.resets = NVME_RESETS_MOST;
    step(NVME_RETURN_ASKED, 0, 0, NVME_DO_DISABLE, NVME_DISABLING);
    now += SETTLE_MS * MS;
    tick(0, 0, NVME_DO_CLEAR, NVME_CLEARING);
    step(NVME_CLEARED, 0, 0, NVME_DO_ENABLE, NVME_ENABLING);
    tick(FAILED, 0, NVME_DO_DISABLE, NVME_DISABLING);
    now += SETTLE_MS * MS;
    tick(0, 0, NVME_DO_CLEAR, NVME_CLEARING);
    step(NVME_CLEARED, 0, 0, NVME_DO_ENABLE, NVME_ENABLING);
    tick(RUNS, 0, NVME_DO_RESTORE, NVME_RESTORING);
    step(NVME_RESTORED, RUNS, 0, NVME_DO_RESUME, NVME_RUNNING);
}

static void another_does_not(void **state)
{
    step(NVME_REMOVAL_ASKED, RUNS, 0, NVME_DO_REMOVE, NVME_GONE);
    step(NVME_RETURN_ASKED, 0, 0, NVME_DO_DISABLE, NVME_DISABLING);
    now += SETTLE_MS * MS;
    tick(0, 0, NVME_DO_CLEAR, NVME_CLEARING);
    step(NVME_CLEARED, 0, 0, NVME_DO_ENABLE, NVME_ENABLING);
    tick(RUNS, 0, NVME_DO_RESTORE, NVME_RESTORING);
    step(NVME_REPLACED, RUNS, 0, NVME_DO_REMOVE, NVME_GONE);
    is_gone(NVME_WHY_OTHER);
}

// ---- aborts ----

static void lets_it_run(void **state)
{
    tick(RUNS, 0, NVME_DO_NOTHING, NVME_RUNNING);
}

static void aborts_what_is_late(void **state)
{
    tick(RUNS, 1, NVME_DO_ABORT, NVME_ABORTING);
    tick(RUNS, 1, NVME_DO_NOTHING, NVME_ABORTING);
    step(NVME_ABORT_ENDED, RUNS, 1, NVME_DO_NOTHING, NVME_ABORTING);
    tick(RUNS, 0, NVME_DO_NOTHING, NVME_RUNNING);
    assert_int_equal(plan.resets, 0);
}

static void aborts_one_after_the_other(void **state)
{
    tick(RUNS, 2, NVME_DO_ABORT, NVME_ABORTING);
    now += ABORT_MS * MS / 2;
    step(NVME_ABORT_ENDED, RUNS, 1, NVME_DO_ABORT, NVME_ABORTING);
    now += ABORT_MS * MS - 1; // each has its own time
    tick(RUNS, 1, NVME_DO_NOTHING, NVME_ABORTING);
    now++;
    tick(RUNS, 1, NVME_DO_QUIET, NVME_QUIETING);
}

static void a_late_answer_is_as_good(void **state)
{
    tick(RUNS, 1, NVME_DO_ABORT, NVME_ABORTING);
    step(NVME_ABORT_FAILED, RUNS, 0, NVME_DO_NOTHING, NVME_RUNNING);
}

static void resets_where_the_abort_fails(void **state)
{
    tick(RUNS, 2, NVME_DO_ABORT, NVME_ABORTING);
    step(NVME_ABORT_FAILED, RUNS, 2, NVME_DO_QUIET, NVME_QUIETING);
    assert_int_equal(plan.reason, NVME_WHY_LATE);
    recovers();
}

static void resets_where_the_command_stays(void **state)
{
    tick(RUNS, 1, NVME_DO_ABORT, NVME_ABORTING);
    step(NVME_ABORT_ENDED, RUNS, 1, NVME_DO_NOTHING, NVME_ABORTING);
    now += ABORT_MS * MS - 1;
    tick(RUNS, 1, NVME_DO_NOTHING, NVME_ABORTING);
    now++;
    tick(RUNS, 1, NVME_DO_QUIET, NVME_QUIETING);
    recovers();
}

static void resets_at_once_where_much_is_late(void **state)
{
    tick(RUNS, NVME_ABORTS_MOST, NVME_DO_ABORT, NVME_ABORTING);
    tick(RUNS, 0, NVME_DO_NOTHING, NVME_RUNNING);
    tick(RUNS, NVME_ABORTS_MOST + 1, NVME_DO_QUIET, NVME_QUIETING);
}

// ---- failures ----

static void resets_what_has_failed(void **state)
{
    static const struct {
        uint32_t csts;
        enum nvme_plan_reason why;
    } ways[] = { { FAILED, NVME_WHY_FATAL }, { 0, NVME_WHY_NOT_READY } };
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        begin(state);
        tick(ways[i].csts, 0, NVME_DO_QUIET, NVME_QUIETING);
        assert_int_equal(plan.reason, ways[i].why);
        recovers();
        begin(state);
        tick(RUNS, 1, NVME_DO_ABORT, NVME_ABORTING);
        tick(ways[i].csts, 1, NVME_DO_QUIET, NVME_QUIETING);
        assert_int_equal(plan.reason, ways[i].why);
    }
}

static void resets_when_asked(void **state)
{
    step(NVME_RESET_ASKED, RUNS, 0, NVME_DO_QUIET, NVME_QUIETING);
    assert_int_equal(plan.reason, NVME_WHY_ASKED);
    step(NVME_RESET_ASKED, RUNS, 0, NVME_DO_NOTHING, NVME_QUIETING); // it is under way
    recovers();
}

static void lets_it_be_taken_out(void **state)
{
    step(NVME_REMOVAL_ASKED, RUNS, 0, NVME_DO_REMOVE, NVME_GONE);
    is_gone(NVME_WHY_REMOVED);
    begin(state);
    tick(FAILED, 0, NVME_DO_QUIET, NVME_QUIETING);
    step(NVME_QUIET, 0, 0, NVME_DO_DISABLE, NVME_DISABLING);
    step(NVME_REMOVAL_ASKED, 0, 0, NVME_DO_REMOVE, NVME_GONE);
    is_gone(NVME_WHY_REMOVED);
}

static void waits_for_what_is_absent(void **state)
{
    tick(NVME_ALL_ONES, 0, NVME_DO_NOTHING, NVME_ABSENT);
    now += ABSENT_MS * MS - 1;
    tick(NVME_ALL_ONES, 0, NVME_DO_NOTHING, NVME_ABSENT);
    tick(0, 0, NVME_DO_QUIET, NVME_QUIETING);
    assert_int_equal(plan.reason, NVME_WHY_ABSENT);
    recovers();
}

static void gives_up_what_stays_absent(void **state)
{
    tick(NVME_ALL_ONES, 0, NVME_DO_NOTHING, NVME_ABSENT);
    now += ABSENT_MS * MS;
    tick(NVME_ALL_ONES, 0, NVME_DO_REMOVE, NVME_GONE);
    is_gone(NVME_WHY_ABSENT);
}

// ---- a reset's steps ----

// Not before settle_ns does it look at CSTS, whatever that says.
static void lets_it_settle(void **state)
{
    tick(FAILED, 0, NVME_DO_QUIET, NVME_QUIETING);
    tick(0, 0, NVME_DO_NOTHING, NVME_QUIETING);
    step(NVME_QUIET, 0, 0, NVME_DO_DISABLE, NVME_DISABLING);
    assert_false(nvme_plan_reads_csts(&plan, now));
    assert_int_equal(nvme_plan_next_ns(&plan, now), now + SETTLE_MS * MS);
    now += SETTLE_MS * MS - 1;
    tick(0, 0, NVME_DO_NOTHING, NVME_DISABLING);
    now++;
    assert_true(nvme_plan_reads_csts(&plan, now));
    assert_true(nvme_plan_next_ns(&plan, now) > now);
    tick(RUNS, 0, NVME_DO_NOTHING, NVME_DISABLING);
    tick(NVME_ALL_ONES, 0, NVME_DO_NOTHING, NVME_DISABLING);
    tick(0, 0, NVME_DO_CLEAR, NVME_CLEARING);
    tick(0, 0, NVME_DO_NOTHING, NVME_CLEARING);
    step(NVME_CLEARED, 0, 0, NVME_DO_ENABLE, NVME_ENABLING);
    tick(0, 0, NVME_DO_NOTHING, NVME_ENABLING);
    tick(NVME_ALL_ONES, 0, NVME_DO_NOTHING, NVME_ENABLING);
    tick(RUNS, 0, NVME_DO_RESTORE, NVME_RESTORING);
    tick(RUNS, 0, NVME_DO_NOTHING, NVME_RESTORING);
}

static void gives_up_a_reset_without_end(void **state)
{
    static const struct {
        uint32_t csts;
        enum nvme_plan_reason why;
    } ways[] = { { RUNS, NVME_WHY_STUCK }, { NVME_ALL_ONES, NVME_WHY_ABSENT } };
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        begin(state);
        tick(FAILED, 0, NVME_DO_QUIET, NVME_QUIETING);
        step(NVME_QUIET, 0, 0, NVME_DO_DISABLE, NVME_DISABLING);
        now += (SETTLE_MS + READY_MS) * MS - 1;
        tick(ways[i].csts, 0, NVME_DO_NOTHING, NVME_DISABLING);
        now++;
        tick(ways[i].csts, 0, NVME_DO_REMOVE, NVME_GONE);
        is_gone(ways[i].why);
    }
}

// Each attempt starts with the queues quiet, so they aren't quieted again.
static void tries_a_few_times(void **state)
{
    tick(FAILED, 0, NVME_DO_QUIET, NVME_QUIETING);
    resets();
    step(NVME_NOT_RESTORED, RUNS, 0, NVME_DO_DISABLE, NVME_DISABLING);
    now += SETTLE_MS * MS;
    tick(0, 0, NVME_DO_CLEAR, NVME_CLEARING);
    step(NVME_CLEARED, 0, 0, NVME_DO_ENABLE, NVME_ENABLING);
    tick(FAILED, 0, NVME_DO_DISABLE, NVME_DISABLING);
    now += SETTLE_MS * MS;
    tick(0, 0, NVME_DO_CLEAR, NVME_CLEARING);
    step(NVME_CLEARED, 0, 0, NVME_DO_ENABLE, NVME_ENABLING);
    now += READY_MS * MS;
    tick(0, 0, NVME_DO_REMOVE, NVME_GONE);
    is_gone(NVME_WHY_STUCK);
}

static void gives_up_what_cannot_be_set_up(void **state)
{
    tick(FAILED, 0, NVME_DO_QUIET, NVME_QUIETING);
    resets();
    for (unsigned i = 1; i < NVME_RESETS_MOST; i++) {
        step(NVME_NOT_RESTORED, RUNS, 0, NVME_DO_DISABLE, NVME_DISABLING);
        now += SETTLE_MS * MS;
        tick(0, 0, NVME_DO_CLEAR, NVME_CLEARING);
        step(NVME_CLEARED, 0, 0, NVME_DO_ENABLE, NVME_ENABLING);
        tick(RUNS, 0, NVME_DO_RESTORE, NVME_RESTORING);
    }
    step(NVME_NOT_RESTORED, RUNS, 0, NVME_DO_REMOVE, NVME_GONE);
    is_gone(NVME_WHY_SETUP);
}

// Resets that lead nowhere end; with something completed in between they go on for ever.
static void counts_resets_without_progress(void **state)
{
    for (unsigned i = 0; i < 100; i++) {
        tick(FAILED, 0, NVME_DO_QUIET, NVME_QUIETING);
        recovers();
        completed_some();
    }
    for (unsigned i = 0; i < NVME_RESETS_MOST; i++) {
        tick(FAILED, 0, NVME_DO_QUIET, NVME_QUIETING);
        recovers();
    }
    tick(FAILED, 0, NVME_DO_REMOVE, NVME_GONE);
    is_gone(NVME_WHY_FATAL);
}

// ---- pauses, retries ----

static void time_stands_still_in_a_pause(void **state)
{
    struct nvme_pause pause = { 0 };
    const uint32_t paused = RUNS | NVME_CSTS_PP;
    assert_false(nvme_pause_holds(&pause, RUNS, 5, 100));
    assert_true(nvme_pause_holds(&pause, paused, 10, 100));
    assert_true(nvme_pause_holds(&pause, paused, 109, 100));
    assert_false(nvme_pause_holds(&pause, paused, 110, 100)); // longer than MTFA
    assert_false(nvme_pause_holds(&pause, RUNS, 111, 100));
    assert_true(nvme_pause_holds(&pause, paused, 112, 100)); // another one
    assert_false(nvme_pause_holds(&pause, NVME_ALL_ONES, 113, 100));
}

static void retries_what_may_be(void **state)
{
    const uint32_t status = NVME_STATUS(2, 0x81);
    assert_true(nvme_may_retry(status, 0));
    assert_true(nvme_may_retry(status, NVME_TRIES_MOST - 1));
    assert_false(nvme_may_retry(status, NVME_TRIES_MOST));
    assert_false(nvme_may_retry(status | NVME_STATUS_DNR, 0));
}

static void retries_after_the_delay_it_names(void **state)
{
    static const uint64_t ms[4] = { 0, 100, 2000, 30000 };
    for (unsigned crd = 0; crd < ARRAY_SIZE(ms); crd++)
        assert_int_equal(nvme_retry_delay_ns((uint32_t)field_put(NVME_STATUS_CRD, crd) | 0x281, ms),
                         ms[crd] * MS);
}

#define plan_test(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        plan_test(returns),
        plan_test(another_does_not),
        plan_test(lets_it_run),
        plan_test(aborts_what_is_late),
        plan_test(aborts_one_after_the_other),
        plan_test(a_late_answer_is_as_good),
        plan_test(resets_where_the_abort_fails),
        plan_test(resets_where_the_command_stays),
        plan_test(resets_at_once_where_much_is_late),
        plan_test(resets_what_has_failed),
        plan_test(resets_when_asked),
        plan_test(lets_it_be_taken_out),
        plan_test(waits_for_what_is_absent),
        plan_test(gives_up_what_stays_absent),
        plan_test(lets_it_settle),
        plan_test(gives_up_a_reset_without_end),
        plan_test(tries_a_few_times),
        plan_test(gives_up_what_cannot_be_set_up),
        plan_test(counts_resets_without_progress),
        plan_test(time_stands_still_in_a_pause),
        plan_test(retries_what_may_be),
        plan_test(retries_after_the_delay_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
