// SPDX-License-Identifier: BSD-2-Clause
// Controllers that don't answer, fail and come back, or don't: whatever happens, each request ends
// exactly once, with its data or with a status that is true.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/admin.h"
#include "kernel/base/cpus.h"
#include "tests/host/nvme_fixture.h"
#include "tests/host/nvme_world.h"

static struct model *m;
static struct block_dev *dev;
static struct world_read r;

static void start_one(void)
{
    m = model_new();
    dev = start(m);
}

// Nobody answers it for now.
static void start_with_one_waiting(void)
{
    start_one();
    m->hold = true;
    world_read_start(&r, dev, 0, 5, 1, 0);
    world_round();
}

// Until its time is up, and it is aborted.
static void let_it_expire(void)
{
    world_pass(NVME_WATCH_TICKS * TICK_NS);
    while (!world_errors("nvme-timeout"))
        world_pass(TICK_NS / 10);
}

// ---- aborts ----

static void ends_what_it_aborts(void **state)
{
    start_one();
    m->drop_commands = 1;
    world_read_start(&r, dev, 0, 5, 8, 0);
    let_it_expire();
    world_pass(NS_PER_S);
    ends(&r, BLOCK_TIMEOUT);
    assert_int_equal(m->aborts, 1);
    assert_int_equal(resets_since_start(m), 0);
    for (unsigned i = 0; i < 300; i++) // each slot
        reads_well(dev, 0);
    assert_int_equal(world_errors(NULL), 1);
}

static void takes_an_answer_that_is_late(void **state)
{
    m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 1);
    dev = start(m);
    m->drop_commands = 1;
    m->abort = ABORT_SILENT;
    world_read_start(&r, dev, 0, 5, 1, 0);
    let_it_expire();
    model_answer_lost(m, 0);
    finish(&r);
    world_pass(20 * NS_PER_S);
    assert_int_equal(resets_since_start(m), 0);
    reads_well(dev, 0); // in its slot
}

// Whatever becomes of the Abort, the command ends by a reset; the others wait for it.
static void resets_what_does_not_abort(void **state)
{
    static const enum model_abort ways[] = { ABORT_NOT, ABORT_LIES, ABORT_FAILS, ABORT_SILENT };
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        world_begin(1);
        start_one();
        struct world_read late, other;
        m->drop_commands = 1;
        m->abort = ways[i];
        world_read_start(&late, dev, 0, 5, 1, 0);
        world_pass(4 * TICK_NS);
        m->drop_commands = 1;
        world_read_start(&other, dev, 0, 6, 1, 0);
        let_it_expire();
        world_pass(2 * TICK_NS);
        ends(&late, BLOCK_TIMEOUT);
        ends_well(&other);
        assert_int_equal(resets_since_start(m), 1);
        assert_int_equal(world_errors(NULL), 1);
        reads_well(dev, 0);
        world_end();
    }
    world_begin(1);
}

// An admin command that nobody answers costs a reset, and then they are answered again.
static void resets_for_an_admin_command(void **state)
{
    start_one();
    struct problem p;
    world_set_clock_step(NS_PER_MS);
    m->ignore_opcode = NVME_ADMIN_IDENTIFY;
    assert_false(nvme_identify(world_ctrl(m), NVME_CNS_CONTROLLER, 0, "Identify", &p));
    m->ignore_opcode = -1;
    world_set_clock_step(1000);
    assert_false(nvme_identify(world_ctrl(m), NVME_CNS_CONTROLLER, 0, "Identify", &p));
    world_pass(NS_PER_S);
    assert_int_equal(resets_since_start(m), 1);
    assert_non_null(strstr(world_last_warning(), "is reset: it doesn't answer"));
    assert_true(nvme_identify(world_ctrl(m), NVME_CNS_CONTROLLER, 0, "Identify", &p));
    reads_well(dev, 0);
}

// The id that was late is another command's when the Abort comes: that one is tried again.
static void forgives_an_abort_of_the_wrong_one(void **state)
{
    m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 1);
    dev = start(m);
    m->hold = true;
    world_read_start(&r, dev, 0, 5, 1, 0);
    world_round();
    struct nvme_sqe abort = { .head = NVME_ADMIN_ABORT, .cdw10 = 1 };
    uint32_t not_aborted;
    assert_int_equal(model_abort(m, &abort, &not_aborted), 0);
    assert_int_equal(not_aborted, 0);
    m->hold = false;
    finish(&r);
}

// ---- failures that a reset helps ----

static void comes_back(void **state)
{
    static const char *const words[] = { "CSTS.CFS", "CSTS.RDY", "all ones", "as was asked for" };
    for (enum failure way = 0; way < FAILURES; way++) {
        world_begin(2);
        m = model_new();
        m->grants = 2;
        m->id.mdts = 2;
        dev = start(m);
        struct world_read reads[20];
        m->hold = true;
        for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
            world_read_start(&reads[i], dev, i % 2, 100 * i, i % 3 ? 1 : 100, 0);
        world_round();
        if (way == FAILS_AWAY) // so that the first tick sees it
            world_pass(TICK_NS - NS_PER_S / 4);
        model_fails(m, way);
        m->hold = false;
        world_pass(2 * TICK_NS);
        for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
            ends_well(&reads[i]);
        assert_int_equal(world_errors(NULL), 0);
        assert_int_equal(world_warnings(), 1);
        assert_non_null(strstr(world_last_warning(), words[way]));
        reads_well(dev, 1);
        world_end();
    }
    world_begin(1);
}

// Its link was down, or its power: it knows neither where its registers are nor where its MSIs go.
static void comes_back_without_its_configuration(void **state)
{
    start_one();
    m->hold = m->forgets = true;
    world_read_start(&r, dev, 0, 5, 1, 0);
    world_pass(TICK_NS - NS_PER_S / 4);
    model_fails(m, FAILS_AWAY);
    m->hold = false;
    world_pass(2 * NS_PER_S);
    ends_well(&r);
    assert_int_equal(world_errors(NULL), 0);
    reads_well(dev, 0);
}

static void is_woken(void **state)
{
    start_with_one_waiting();
    m->power_state = 3;
    m->hold = false;
    world_pass(2 * TICK_NS);
    ends_well(&r);
    assert_int_equal(world_errors(NULL), 0);
    assert_int_equal(m->power_state, 0);
}

// What is submitted meanwhile waits.
static void takes_requests_during_a_reset(void **state)
{
    start_one();
    struct world_read reads[300];
    m->ready_delay_ns = NS_PER_S;
    nvme_recover_reset(world_ctrl(m));
    world_pass(NS_PER_MS);
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++) {
        world_read_start(&reads[i], dev, 0, i, 8, 0);
        world_pass(NS_PER_MS);
    }
    assert_int_equal(m->reads, 0);
    world_pass(3 * NS_PER_S);
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        ends_well(&reads[i]);
}

// Submitted just before its queue is told to be quiet: nobody rings for it before the reset is over.
static void a_doorbell_that_is_due_is_not_rung(void **state)
{
    start_one();
    model_fails(m, FAILS_ASKED);
    for (unsigned i = 0; i < 2; i++)
        world_turn(0, WORLD_MESSAGES);
    world_read_start(&r, dev, 0, 5, 1, 0);
    for (unsigned i = 0; i < 2; i++)
        world_turn(0, WORLD_MESSAGES);
    assert_false(m->cc & NVME_CC_EN);
    world_turn(0, WORLD_FLUSH);
    finish_within(&r, 100000);
}

// What it answers after all, from before its reset, is nobody's.
static void answers_from_before_are_nobodys(void **state)
{
    start_one();
    m->haunted = true;
    m->drop_commands = 1;
    world_read_start(&r, dev, 0, 5, 1, 0);
    world_round();
    model_fails(m, FAILS_ASKED);
    finish_within(&r, 100000);
    model_answer_lost(m, NVME_STATUS(0, 6));
    world_pass(NS_PER_S);
    assert_int_equal(world_errors("nvme-bad-completion"), 1);
    reads_well(dev, 0);
}

// ---- failures that it doesn't help ----

static void resets_that_lead_nowhere_end(void **state)
{
    start_one();
    m->drop_lba = 5;
    m->abort = ABORT_NOT;
    for (unsigned i = 0; i <= NVME_RESETS_MOST; i++) {
        world_read_start(&r, dev, 0, 5, 1, 0);
        world_pass(40 * NS_PER_S);
        ends(&r, i < NVME_RESETS_MOST ? BLOCK_TIMEOUT : BLOCK_GONE);
    }
    is_gone_for(m, dev, "it doesn't answer");
}

// ---- taken out ----

// In order: its requests end, its power goes off, and nothing has failed.
static void is_taken_out(void **state)
{
    world_begin(2);
    m = model_new();
    m->has_slot = true;
    m->fail_opcode = NVME_ADMIN_ASYNC_EVENT; // no other reason to look
    dev = start(m);
    struct world_read reads[10];
    world_pass(5 * NS_PER_S);
    m->hold = true;
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        world_read_start(&reads[i], dev, i % 2, i, i % 3 ? 1 : 3000, 0);
    world_round();
    assert_false(m->removed);
    m->button = true;
    world_pass(2 * NS_PER_S);
    assert_true(m->removed);
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        ends(&reads[i], BLOCK_GONE);
    assert_int_equal(world_errors(NULL), 0);
    assert_non_null(strstr(world_last_warning(), "its slot's button was pressed"));
    world_pass(20 * NS_PER_S);
    assert_int_equal(world_warnings(), 1);
}

// ---- buffers ----

static void may_not_reach_memory(struct block_req *req)
{
    assert_false(m->pci_command & 4);
    world_read_done(req);
}

static void buffers_come_back_once_it_cannot_reach_them(void **state)
{
    start_one();
    struct world_read reads[3];
    m->hold = true;
    for (unsigned i = 0; i < 3; i++)
        world_read_start_for(&reads[i], dev, 0, i, i == 2 ? 3000 : 1, 0, may_not_reach_memory);
    world_round();
    m->stuck_ready = true;
    model_fails(m, FAILS_FATAL);
    world_pass(20 * NS_PER_S);
    for (unsigned i = 0; i < 3; i++)
        ends(&reads[i], BLOCK_GONE);
}

static void never_where_it_always_can(void **state)
{
    start_one();
    jmp_buf failed;
    m->hold = m->stuck_ready = m->master_stuck = true;
    world_read_start(&r, dev, 0, 5, 1, 0);
    model_fails(m, FAILS_ASKED);
    world_prepare_fail(&failed);
    if (!setjmp(failed)) {
        world_pass(20 * NS_PER_S);
        fail();
    }
    world_prepare_fail(NULL);
    assert_non_null(strstr(world_last_error(), "its bus mastering stays on"));
    assert_false(r.done);
    world_read_free(&r);
    m->master_stuck = false;
}

// ---- the end of the run ----

static void shutdown_during_a_reset(void **state)
{
    start_one();
    m->ready_delay_ns = NS_PER_S;
    model_fails(m, FAILS_ASKED);
    world_pass(NS_PER_S / 2);
    nvme_shutdown();
    assert_false(m->cc & NVME_CC_EN);
    uint32_t cc = m->cc;
    world_pass(20 * NS_PER_S);
    assert_int_equal(m->cc, cc);
}

static void says_what_there_was(void **state)
{
    start_one();
    m->drop_commands = 1;
    m->abort = ABORT_NOT;
    world_read_start(&r, dev, 0, 5, 1, 0);
    let_it_expire();
    world_pass(NS_PER_S);
    ends(&r, BLOCK_TIMEOUT);
    nvme_shutdown();
    assert_non_null(
        strstr(world_last_info(), ": 1 resets, 1 aborts, 0 retries, 0 lost interrupts, 0 events"));
    assert_non_null(strstr(world_json(), "\"resets\":1,\"aborts\":1,\"retries\":0,"
                                         "\"lost_interrupts\":0,\"events\":0,\"gone\":false"));
}

static void says_nothing_where_nothing_was(void **state)
{
    start_one();
    reads_well(dev, 0);
    nvme_shutdown();
    assert_null(strstr(world_infos(), "resets"));
}

#define recover_test(f) cmocka_unit_test_setup_teardown(f, begin_one, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        recover_test(ends_what_it_aborts),
        recover_test(takes_an_answer_that_is_late),
        recover_test(resets_what_does_not_abort),
        recover_test(resets_for_an_admin_command),
        recover_test(forgives_an_abort_of_the_wrong_one),
        recover_test(comes_back),
        recover_test(comes_back_without_its_configuration),
        recover_test(is_woken),
        recover_test(takes_requests_during_a_reset),
        recover_test(a_doorbell_that_is_due_is_not_rung),
        recover_test(answers_from_before_are_nobodys),
        recover_test(resets_that_lead_nowhere_end),
        recover_test(is_taken_out),
        recover_test(buffers_come_back_once_it_cannot_reach_them),
        recover_test(never_where_it_always_can),
        recover_test(shutdown_during_a_reset),
        recover_test(says_what_there_was),
        recover_test(says_nothing_where_nothing_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
