// SPDX-License-Identifier: BSD-2-Clause
// How much a queue holds: commands in flight, entries, and completions for one interrupt.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

#define READS 300

static struct world_read reads[READS];

static void start_reads(struct block_dev *dev, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        world_read_start(&reads[i], dev, 0, i, 1, 0);
}

static void finish_reads(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        finish(&reads[i]);
}

// One command less than there are entries, and not one less than that.
static void all_slots_are_used(void **state)
{
    static const unsigned entries[] = { 2, 4, 8, 64, 256 };
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
        world_begin(1);
        struct model *m = model_new();
        field_set(&m->cap, NVME_CAP_MQES, entries[i] - 1);
        struct block_dev *dev = start(m);
        m->hold = true;
        start_reads(dev, READS);
        world_round();
        assert_int_equal(m->pending_count, entries[i] - 1);
        assert_int_equal(m->queues[1].sq_entries, entries[i]);
        assert_int_equal(m->queues[1].cq_entries, entries[i]);
        m->hold = false;
        finish_reads(READS);
        world_end();
    }
}

// Each slot comes back once: as many as before are in flight after a while.
static void no_slot_is_lost(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 7);
    m->order = MODEL_RANDOM;
    struct block_dev *dev = start(m);
    for (unsigned round = 0; round < 50; round++) {
        m->hold = true;
        start_reads(dev, 20);
        world_round();
        assert_int_equal(m->pending_count, 7);
        m->hold = false;
        finish_reads(20);
    }
}

static void interrupt_ends(struct model *m, struct block_dev *dev, unsigned count, bool again)
{
    start_reads(dev, count);
    world_turn(0, WORLD_FLUSH);
    model_work(m);
    world_turn(0, WORLD_IRQS);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(reads[i].done, i < NVME_REAP_BUDGET);
    assert_int_equal(m->raised[0], again);
    finish_reads(count);
}

// The irq stays ready only where something is left.
static void the_budget_of_an_interrupt(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    world_round(); // what the admin queue raised on vector 0
    interrupt_ends(m, dev, NVME_REAP_BUDGET - 1, false);
    interrupt_ends(m, dev, NVME_REAP_BUDGET, false);
    interrupt_ends(m, dev, NVME_REAP_BUDGET + 1, true);
}

// A reap that is no interrupt's leaves nothing behind, past the ring's end neither.
static void all_that_has_ended(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 3);
    struct block_dev *dev = start(m);
    struct nvme_queue *q = world_ctrl(m)->queues[0];
    for (unsigned before = 0; before < 8; before++) {
        start_reads(dev, 3);
        world_turn(0, WORLD_FLUSH);
        model_work(m);
        assert_int_equal(nvme_queue_reap(q), 3);
        assert_int_equal(nvme_queue_reap(q), 0);
        finish_reads(3);
    }
}

#define depth_test(f) cmocka_unit_test_setup_teardown(f, begin_one, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        depth_test(all_slots_are_used),
        depth_test(no_slot_is_lost),
        depth_test(the_budget_of_an_interrupt),
        depth_test(all_that_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
