// SPDX-License-Identifier: BSD-2-Clause
// Urgent queues: one more for each CPU, if the controller has enough of them and of vectors.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

static int no_urgent(void **state)
{
    nvme_set_urgent(false);
    return end_world(state);
}

static struct model *urgent_model(unsigned cpus, unsigned grants)
{
    world_begin(cpus);
    nvme_set_urgent(true);
    struct model *m = model_new();
    m->grants = grants;
    return m;
}

static void urgent_read(struct world_read *r, struct block_dev *dev, unsigned cpu)
{
    world_read_start(r, dev, cpu, 9, 8, 0);
    assert_true(world_run(&r->done, 10));
    r->done = false;
    r->req.channel = BLOCK_URGENT;
    world_use_cpu(cpu);
    block_submit(&r->req);
}

static void urgent_queues(void **state)
{
    struct model *m = urgent_model(3, 64);
    struct block_dev *dev = start(m);
    assert_int_equal(world_ctrl(m)->queues_count, 6);
    assert_int_equal(dev->queues, 3);
    assert_int_equal(world_warnings(), 0);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(m->irqs[i]->cpu, i % 3);
        assert_int_equal(m->irqs[i]->urgent, i >= 3);
        assert_int_equal(strchr(m->irqs[i]->name, 'u') != NULL, i >= 3);
    }
    for (unsigned cpu = 0; cpu < 3; cpu++) {
        struct world_read r;
        unsigned writes = m->queues[1 + cpu].tail_writes;
        urgent_read(&r, dev, cpu);
        finish(&r);
        assert_int_equal(m->queues[4 + cpu].tail_writes, 1);
        assert_int_equal(m->queues[1 + cpu].tail_writes, writes + 1);
    }
}

// Other reads of the loop's round share one doorbell write at its end; an urgent one doesn't wait.
static void urgent_reads_wait_for_no_flush(void **state)
{
    struct model *m = urgent_model(1, 64);
    struct block_dev *dev = start(m);
    struct world_read plain[2], urgent;
    urgent_read(&urgent, dev, 0);
    assert_int_equal(m->queues[2].tail_writes, 1); // before any round of the loop
    finish(&urgent);
    unsigned writes = m->queues[1].tail_writes;
    for (unsigned i = 0; i < 2; i++)
        world_read_start(&plain[i], dev, 0, i, 8, 0);
    assert_int_equal(m->queues[1].tail_writes, writes);
    for (unsigned i = 0; i < 2; i++)
        finish(&plain[i]);
    assert_int_equal(m->queues[1].tail_writes, writes + 1);
    assert_int_equal(m->queues[2].tail_writes, 1);
}

// Forwarded, as any read, once the queue is another CPU's.
static void urgent_queue_moves(void **state)
{
    struct model *m = urgent_model(2, 4);
    struct block_dev *dev = start(m);
    struct world_read r;
    move_now(m, 3, 0);
    urgent_read(&r, dev, 1);
    finish(&r);
    assert_int_equal(m->queues[4].tail_writes, 1);
}

static void too_few_for_urgent(unsigned grants, unsigned vectors)
{
    struct model *m = urgent_model(2, grants);
    m->pci.msix.vectors = (uint16_t)vectors;
    struct block_dev *dev = start(m);
    struct world_read r;
    assert_int_equal(world_ctrl(m)->queues_count, 2);
    assert_int_equal(world_warnings(), 1);
    assert_non_null(strstr(world_last_warning(), "no urgent queues"));
    urgent_read(&r, dev, 1);
    finish(&r);
    assert_int_equal(m->queues[2].tail_writes, 2);
}

static void too_few_queues(void **state)
{
    too_few_for_urgent(3, 65);
}

static void too_few_vectors(void **state)
{
    too_few_for_urgent(64, 3);
}

#define urgent_test(f) cmocka_unit_test_teardown(f, no_urgent)

int main(void)
{
    const struct CMUnitTest tests[] = {
        urgent_test(urgent_queues),      urgent_test(urgent_reads_wait_for_no_flush),
        urgent_test(urgent_queue_moves), urgent_test(too_few_queues),
        urgent_test(too_few_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
