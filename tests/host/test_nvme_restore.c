// SPDX-License-Identifier: BSD-2-Clause
// Controllers that are set up again after a reset: with as many queues as before, with fewer, or not
// at all.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/cpus.h"
#include "tests/host/nvme_fixture.h"
#include "tests/host/nvme_world.h"

#define CPUS 4
#define READS 80 // on each CPU

static struct model *m;
static struct block_dev *dev;

static void begin(unsigned cpus)
{
    world_begin(cpus);
    m = model_new();
    m->grants = 64;
    m->id.mdts = 2;
}

// ---- fewer queues than before ----

static struct world_read reads[CPUS * READS];

// More than there are slots, some in several commands; those that end early were answered before.
static void submit_all(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        world_read_start(&reads[i], dev, i % CPUS, 100 * i, i % 3 ? 1 : 100, 0);
    for (unsigned i = 0; i < 3; i++)
        world_round();
}

static void all_end_well(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        finish_within(&reads[i], 20000);
}

static void reset_under_load(void)
{
    m->hold = true;
    submit_all();
    model_fails(m, FAILS_ASKED);
    m->hold = false;
    world_pass(NS_PER_S);
    all_end_well();
}

static unsigned queues_there(void)
{
    unsigned count = 0;
    for (unsigned q = 1; q < MODEL_QUEUES; q++)
        count += m->queues[q].sq != 0;
    return count;
}

// And no CPU's reads go to the queue of another whose own is there.
static void all_read(void)
{
    submit_all();
    all_end_well();
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        unsigned before = m->queues[cpu + 1].tail_writes;
        reads_well(dev, cpu);
        assert_int_equal(m->queues[cpu + 1].tail_writes - before, m->queues[cpu + 1].sq != 0);
    }
}

static void goes_on_with(unsigned queues)
{
    unsigned warnings = world_warnings();
    reset_under_load();
    assert_int_equal(queues_there(), queues);
    assert_int_equal(world_errors(NULL), 0);
    assert_true(world_warnings() > warnings);
    all_read();
}

static void goes_on_with_what_is_granted(void **state)
{
    static const unsigned grants[] = { 3, 1, 2, 4, 1, 4 };
    begin(CPUS);
    field_set(&m->cap, NVME_CAP_MQES, 15);
    dev = start(m);
    for (unsigned i = 0; i < ARRAY_SIZE(grants); i++) {
        m->grants = grants[i];
        goes_on_with(grants[i]);
        assert_string_equal(world_last_warning_what(),
                            grants[i] < CPUS ? "nvme-fewer-queues" : "nvme-reset");
    }
    assert_int_equal(resets_since_start(m), ARRAY_SIZE(grants));
}

// Any of them, by either of its two commands; and then all are there again.
static void goes_on_without_one_that_is_refused(void **state)
{
    for (int opcode = NVME_ADMIN_CREATE_SQ; opcode <= NVME_ADMIN_CREATE_CQ; opcode += 4)
        for (unsigned qid = 1; qid <= CPUS; qid++) {
            begin(CPUS);
            dev = start(m);
            m->fail_opcode = opcode;
            m->fail_qid = qid;
            m->fail_status = NVME_STATUS(1, 0x02);
            goes_on_with(CPUS - 1);
            assert_string_equal(world_last_warning_what(), "nvme-fewer-queues");
            m->fail_opcode = -1;
            goes_on_with(CPUS);
            assert_int_equal(resets_since_start(m), 2);
            m->fail_opcode = opcode;
            goes_on_with(CPUS - 1);
            world_end(); // which deletes what there is, and nothing else
            assert_int_equal(world_errors(NULL), 0);
        }
    world_begin(1);
}

// Of two sets one is left: each CPU still has a queue of its own.
static void goes_on_with_one_set(void **state)
{
    world_begin(CPUS);
    nvme_set_queues(2);
    m = model_new();
    m->grants = 64;
    dev = start(m);
    m->grants = CPUS;
    reset_under_load();
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        const struct nvme_queue *lost = world_ctrl(m)->queue_of[1][cpu];
        assert_ptr_equal(nvme_queue_stands_in(lost), world_ctrl(m)->queue_of[0][cpu]);
    }
    all_read();
    nvme_set_queues(1);
}

static void plain_ones_stand_in_for_urgent_ones(void **state)
{
    world_begin(2);
    nvme_set_urgent(true);
    m = model_new();
    m->grants = 64;
    dev = start(m);
    m->grants = 3; // two, and one urgent
    model_fails(m, FAILS_ASKED);
    world_pass(NS_PER_S);
    const struct nvme_ctrl *c = world_ctrl(m);
    assert_ptr_equal(nvme_queue_stands_in(c->queues[3]), c->queues[1]);
    assert_null(nvme_queue_stands_in(c->queues[2]));
    m->fail_opcode = NVME_ADMIN_CREATE_SQ;
    m->grants = 64;
    for (m->fail_qid = 1; m->fail_qid <= 2; m->fail_qid++) {
        model_fails(m, FAILS_ASKED);
        world_pass(NS_PER_S);
        assert_ptr_equal(nvme_queue_stands_in(c->queues[m->fail_qid - 1]),
                         c->queues[2 - m->fail_qid]);
        reads_well(dev, 0);
        reads_well(dev, 1);
    }
    nvme_set_urgent(false);
}

// It fails while another queue has it, whose CPU may not touch its own.
static void a_retry_finds_its_queue(void **state)
{
    struct world_read r;
    begin(2);
    m->id.crdt1 = 50; // 5 s
    dev = start(m);
    const struct nvme_queue *own = world_ctrl(m)->queues[1];
    m->grants = 1;
    model_fails(m, FAILS_ASKED);
    world_pass(NS_PER_S);
    m->hold = true;
    world_read_start(&r, dev, 1, 5, 1, 0);
    for (unsigned i = 0; i < 5; i++)
        world_round();
    m->grants = 2;
    model_fails(m, FAILS_ASKED);
    world_pass(NS_PER_S);
    assert_null(nvme_queue_stands_in(own));
    m->error_lba = 5;
    m->errors_left = 1;
    m->error_status = NVME_STATUS(2, 0x81) | (uint32_t)field_put(NVME_STATUS_CRD, 1);
    m->hold = false;
    model_work(m);
    world_turn(0, WORLD_IRQS);
    assert_int_equal(m->errors_left, 0);
    assert_true(!own->later && !own->waiting);
    finish(&r);
    reads_well(dev, 1);
}

// ---- no queue, or worse ----

static struct world_read waiting;

static void start_with_one_waiting(unsigned cpus)
{
    begin(cpus);
    dev = start(m);
    m->hold = true;
    world_read_start(&waiting, dev, cpus - 1, 5, 1, 0);
    world_round();
}

static void tries_a_few_times(void **state)
{
    start_with_one_waiting(1);
    m->fail_opcode = NVME_ADMIN_CREATE_SQ;
    model_fails(m, FAILS_FATAL);
    while (resets_since_start(m) < 2)
        world_pass(NS_PER_MS);
    world_pass(NS_PER_MS / 2);
    m->fail_opcode = -1;
    m->hold = false;
    world_pass(NS_PER_S);
    ends_well(&waiting);
    assert_int_equal(world_errors(NULL), 0);
}

static void gives_up_what_refuses(void **state)
{
    static const int opcodes[] = { NVME_ADMIN_IDENTIFY, NVME_ADMIN_SET_FEATURES,
                                   NVME_ADMIN_CREATE_CQ, NVME_ADMIN_CREATE_SQ };
    for (unsigned i = 0; i < ARRAY_SIZE(opcodes); i++) {
        start_with_one_waiting(1 + i % 2);
        m->fail_opcode = opcodes[i];
        model_fails(m, FAILS_FATAL);
        world_pass(2 * TICK_NS);
        ends(&waiting, BLOCK_GONE);
        assert_int_equal(resets_since_start(m), NVME_RESETS_MOST);
        is_gone_for(m, dev, "it can't be set up after a reset");
        world_end();
    }
    world_begin(1);
}

static void gives_up_what_does_not_answer_its_set_up(void **state)
{
    start_with_one_waiting(1);
    m->ignore_opcode = NVME_ADMIN_CREATE_CQ;
    model_fails(m, FAILS_FATAL);
    world_pass(5 * 30 * NS_PER_S);
    ends(&waiting, BLOCK_GONE);
    is_gone_for(m, dev, "it can't be set up after a reset");
}

static void is_not_fooled_by_another_disk(void **state)
{
    begin(1);
    dev = start(m);
    m->id.sn[0] = 'T';
    model_fails(m, FAILS_ASKED);
    world_pass(NS_PER_S);
    is_gone_for(m, dev, "another disk is in its place");
    assert_int_equal(resets_since_start(m), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(goes_on_with_what_is_granted, end_world),
        cmocka_unit_test_teardown(goes_on_without_one_that_is_refused, end_world),
        cmocka_unit_test_teardown(goes_on_with_one_set, end_world),
        cmocka_unit_test_teardown(plain_ones_stand_in_for_urgent_ones, end_world),
        cmocka_unit_test_teardown(a_retry_finds_its_queue, end_world),
        cmocka_unit_test_teardown(tries_a_few_times, end_world),
        cmocka_unit_test_teardown(gives_up_what_refuses, end_world),
        cmocka_unit_test_teardown(gives_up_what_does_not_answer_its_set_up, end_world),
        cmocka_unit_test_teardown(is_not_fooled_by_another_disk, end_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
