// SPDX-License-Identifier: BSD-2-Clause
// Queues that can't be created: the controller works with those that could, and deep ones work as
// shallow ones do.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

static struct model *failing(unsigned cpus, unsigned sets, bool urgent, unsigned qid,
                             unsigned opcode)
{
    world_begin(cpus);
    nvme_set_queues(sets);
    nvme_set_urgent(urgent);
    struct model *m = model_new();
    m->grants = 64;
    m->fail_opcode = (int)opcode;
    m->fail_qid = qid;
    m->fail_status = NVME_STATUS(1, 0x02);
    return m;
}

static void all_read(const struct model *m, struct block_dev *dev, unsigned cpus)
{
    assert_non_null(dev);
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        for (unsigned i = 0; i < 5; i++)
            reads_well(dev, cpu);
    assert_int_equal(m->reads, 5 * cpus);
}

static void works_with(struct model *m, unsigned cpus, unsigned queues, unsigned plain)
{
    struct block_dev *dev = start(m);
    const struct nvme_ctrl *c = world_ctrl(m);
    assert_int_equal(c->queues_count, queues);
    assert_int_equal(c->plain_count, plain);
    assert_int_equal(world_warnings(), 1);
    assert_string_equal(world_last_warning_what(), "nvme-fewer-queues");
    all_read(m, dev, cpus);
    for (unsigned q = 1; q <= MODEL_QUEUES - 1; q++) {
        assert_int_equal(m->queues[q].sq != 0, q <= queues);
        assert_int_equal(m->queues[q].cq != 0, q <= queues);
        assert_int_equal(m->irqs[q - 1] != NULL, q <= queues); // others may have the vectors
    }
    nvme_shutdown(); // which deletes what there is, and nothing else
    assert_int_equal(world_errors(NULL), 0);
    assert_int_equal(world_warnings(), 1);
}

static void one_of_a_set(void **state)
{
    for (unsigned opcode = NVME_ADMIN_CREATE_SQ; opcode <= NVME_ADMIN_CREATE_CQ; opcode += 4) {
        works_with(failing(4, 1, false, 4, opcode), 4, 3, 3);
        end_world(state);
        works_with(failing(4, 1, false, 2, opcode), 4, 1, 1);
        end_world(state);
    }
    world_begin(1);
}

// The first set is whole, so each CPU keeps its own; the second one goes.
static void one_of_the_second_set(void **state)
{
    for (unsigned qid = 5; qid <= 8; qid++) {
        works_with(failing(4, 2, false, qid, NVME_ADMIN_CREATE_SQ), 4, 4, 4);
        end_world(state);
    }
    works_with(failing(3, 3, false, 8, NVME_ADMIN_CREATE_CQ), 3, 6, 6);
}

static void an_urgent_one(void **state)
{
    works_with(failing(2, 1, true, 4, NVME_ADMIN_CREATE_SQ), 2, 2, 2);
}

static void the_first(void **state)
{
    struct model *m = failing(2, 1, false, 1, NVME_ADMIN_CREATE_SQ);
    nvme_init();
    assert_null(world_disk(m, 1));
    assert_int_equal(world_errors("nvme-admin-failed"), 1);
}

// Not refused, but unanswered: nothing is to be had from it.
static void one_unanswered(void **state)
{
    struct model *m = failing(4, 1, false, 3, NVME_ADMIN_CREATE_SQ);
    world_set_clock_step(NS_PER_MS);
    m->ignore_opcode = m->fail_opcode;
    m->fail_opcode = -1;
    nvme_init();
    assert_null(world_disk(m, 1));
    assert_int_equal(world_errors("nvme-admin-timeout"), 1);
    assert_int_equal(world_warnings(), 0);
}

// ---- sharing ----

// CPUs 0 and 4, 1 and 5 and so on are threads of one core: firmware lists the cores first, as most
// does, and APIC ids tell. They share a queue, which one of the two owns.
static void threads_of_a_core_share(void **state)
{
    world_begin(8);
    for (unsigned cpu = 0; cpu < 8; cpu++)
        world_set_apic_id(cpu, 16 * (cpu % 4) + cpu / 4);
    struct model *m = model_new();
    m->grants = 4;
    struct block_dev *dev = start(m);
    const struct nvme_ctrl *c = world_ctrl(m);
    assert_int_equal(c->queues_count, 4);
    for (unsigned cpu = 0; cpu < 8; cpu++) {
        const struct nvme_queue *q = c->queue_of[0][cpu];
        assert_ptr_equal(q, c->queue_of[0][(cpu + 4) % 8]);
        assert_int_equal(q->qp.cpu % 4, cpu % 4);
        reads_well(dev, cpu);
    }
}

// Two dies of four cores each, whose numbers alternate.
static void dies_do_not(void **state)
{
    world_begin(8);
    for (unsigned cpu = 0; cpu < 8; cpu++)
        world_set_apic_id(cpu, 0x100 * (cpu % 2) + cpu);
    struct model *m = model_new();
    m->grants = 2;
    struct block_dev *dev = start(m);
    for (unsigned cpu = 0; cpu < 8; cpu++) {
        assert_int_equal(world_ctrl(m)->queue_of[0][cpu]->qp.cpu, cpu % 2);
        reads_well(dev, cpu);
    }
}

// ---- classes ----

static void classes(bool weighted, bool urgent)
{
    world_begin(2);
    nvme_set_urgent(urgent);
    struct model *m = model_new();
    m->cap |= weighted ? NVME_CAP_AMS_WRR : 0;
    all_read(m, start(m), 2);
    bool used = weighted && urgent;
    assert_int_equal(field_get(NVME_CC_AMS, m->cc), used);
    for (unsigned q = 1; q <= 2u + 2 * urgent; q++)
        assert_int_equal(m->queues[q].priority, !used ? 0 : q <= 2 ? 2 : 0); // medium, urgent
    nvme_set_urgent(false);
    end_world(NULL);
}

static void urgent_queues_go_first(void **state)
{
    for (unsigned i = 0; i < 4; i++)
        classes(i & 1, i & 2);
    world_begin(1);
}

// ---- depth ----

static void entries(void **state)
{
    static const struct {
        unsigned commands, most, entries;
    } cases[] = { { 1, 4096, 2 },    { 2, 4096, 4 },       { 3, 4096, 4 },
                  { 32, 4096, 64 },  { 255, 4096, 256 },   { 256, 4096, 512 },
                  { 255, 128, 128 }, { 4095, 4096, 4096 }, { 4095, 2, 2 } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(nvme_entries_for(cases[i].commands, cases[i].most), cases[i].entries);
}

static void as_deep_as(unsigned depth, unsigned mqes, unsigned entries_wanted)
{
    world_begin(1);
    nvme_ctrl_set_depth(depth);
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, mqes - 1);
    struct block_dev *dev = start(m);
    assert_int_equal(world_ctrl(m)->limits.queue_entries, entries_wanted);
    static struct world_read reads[1500];
    m->hold = true;
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        world_read_start(&reads[i], dev, 0, i, 1, 0);
    for (unsigned i = 0; i < 50; i++)
        world_round();
    assert_int_equal(m->pending_count, MIN(entries_wanted - 1, (unsigned)ARRAY_SIZE(reads)));
    m->hold = false;
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        finish(&reads[i]);
    assert_int_equal(world_errors(NULL) + world_warnings(), 0);
    nvme_ctrl_set_depth(0);
    end_world(NULL);
}

static void deep_and_shallow(void **state)
{
    as_deep_as(0, 65536, 256);
    as_deep_as(1, 65536, 2);
    as_deep_as(32, 65536, 64);
    as_deep_as(1023, 65536, 1024);
    as_deep_as(1500, 65536, 2048);
    as_deep_as(4095, 2048, 2048);
    as_deep_as(4095, 65536, 4096);
    world_begin(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(one_of_a_set, end_world),
        cmocka_unit_test_teardown(one_of_the_second_set, end_world),
        cmocka_unit_test_teardown(an_urgent_one, end_world),
        cmocka_unit_test_teardown(the_first, end_world),
        cmocka_unit_test_teardown(one_unanswered, end_world),
        cmocka_unit_test_teardown(threads_of_a_core_share, end_world),
        cmocka_unit_test_teardown(dies_do_not, end_world),
        cmocka_unit_test_teardown(urgent_queues_go_first, end_world),
        cmocka_unit_test(entries),
        cmocka_unit_test_teardown(deep_and_shallow, end_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
