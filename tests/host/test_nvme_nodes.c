// SPDX-License-Identifier: BSD-2-Clause
// NUMA: what the CPU alone touches for each read lies on that CPU's node; what the controller reads and
// writes, and the rest, on the device's, or where that is unknown on the CPU's.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"
#include "tests/host/nvme_fixture.h"

static struct model *model_for(unsigned cpus, unsigned grants)
{
    world_begin(cpus);
    struct model *m = model_new();
    m->grants = grants;
    return m;
}

static void lies_on(const struct nvme_qpair *q, unsigned node, unsigned dma_node)
{
    assert_int_equal(world_node_of(q), node);
    assert_int_equal(world_node_of(q->slots), node);
    assert_int_equal(world_node_of(q->sq), dma_node);
    assert_int_equal(world_node_of(q->cq), dma_node);
}

// PRP lists are made when they are first needed.
static void lists_lie_on(const struct nvme_queue *q, unsigned dma_node)
{
    unsigned made = 0;
    for (unsigned i = 0; i < q->qp.mask; i++) {
        if (!q->lists[i])
            continue;
        made++;
        assert_int_equal(world_node_of(q->lists[i]), dma_node);
    }
    assert_true(made > 0);
}

static void check_queues(const struct model *m, unsigned count)
{
    const struct nvme_ctrl *c = world_ctrl(m);
    assert_int_equal(c->queues_count, count);
    for (unsigned i = 0; i < count; i++) {
        unsigned node = WORLD_NODE(c->queues[i]->qp.cpu);
        unsigned dma_node = m->pci.node == NODE_ANY ? node : m->pci.node;
        struct world_read r;
        lies_on(&c->queues[i]->qp, node, dma_node);
        world_read_start(&r, world_disk(m, 1), c->queues[i]->qp.cpu, 5, 100, 0);
        finish(&r);
        lists_lie_on(nvme_queue_for(world_disk(m, 1)->driver, &r.req, c->queues[i]->qp.cpu),
                     dma_node);
    }
}

static void queues_lie_with_their_cpus(void **state)
{
    struct model *m = model_for(3, 64);
    start(m);
    check_queues(m, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(m->irqs[i]->cpu, i);
}

static void all_of_a_queue_lies_with_the_cpu_of_a_device_somewhere(void **state)
{
    struct model *m = model_for(3, 64);
    m->pci.node = NODE_ANY;
    start(m);
    check_queues(m, 3);
}

static void so_do_all_of_several(void **state)
{
    struct model *m = model_for(3, 64);
    nvme_set_queues(2);
    nvme_set_urgent(true);
    start(m);
    check_queues(m, 9);
}

// The owner isn't the first of the CPUs that share the queue.
static void a_shared_queue_lies_with_its_owner(void **state)
{
    struct model *m = model_for(4, 2);
    world_set_vectors_left(0, 0);
    world_set_vectors_left(2, 0);
    start(m);
    check_queues(m, 2);
    assert_int_equal(world_ctrl(m)->queues[0]->qp.cpu, 1);
    assert_int_equal(world_ctrl(m)->queues[1]->qp.cpu, 3);
}

static void what_all_share_lies_with_the_device(void **state)
{
    struct model *m = model_for(3, 64);
    struct block_dev *dev = start(m);
    const struct nvme_ctrl *c = world_ctrl(m);
    const void *const pieces[] = { c, c->page, c->queues, c->irqs, c->queue_of[0], dev->driver };
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
        assert_int_equal(world_node_of(pieces[i]), WORLD_DEVICE_NODE);
    lies_on(c->admin, WORLD_DEVICE_NODE, WORLD_DEVICE_NODE);
}

// Nothing but the doorbell lists of all CPUs, which is one array for all controllers.
static void nothing_lies_just_anywhere(void **state)
{
    struct model *m = model_for(3, 64);
    start(m);
    assert_int_equal(world_bytes_on(NODE_ANY), 3 * sizeof(struct nvme_home));
    assert_int_equal(world_bytes_on(0), 0);
}

static int end_of_several(void **state)
{
    nvme_set_queues(1);
    nvme_set_urgent(false);
    return end_world(state);
}

#define nodes_test(f) cmocka_unit_test_teardown(f, end_of_several)

int main(void)
{
    const struct CMUnitTest tests[] = {
        nodes_test(queues_lie_with_their_cpus),
        nodes_test(all_of_a_queue_lies_with_the_cpu_of_a_device_somewhere),
        nodes_test(so_do_all_of_several),
        nodes_test(a_shared_queue_lies_with_its_owner),
        nodes_test(what_all_share_lies_with_the_device),
        nodes_test(nothing_lies_just_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
