// SPDX-License-Identifier: BSD-2-Clause
// A controller that sends an MSI, or writes a page, when it is told to: by commands that change nothing.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/recover.h"
#include "kernel/irq/generator.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "tests/host/nvme_fixture.h"
#include "tests/host/nvme_world.h"

static struct irq_generator *added;
static unsigned added_count;

void irq_generator_add(struct irq_generator *g)
{
    added = g;
    added_count++;
}

static struct irq_generator *generator_of(struct model *m)
{
    added_count = 0;
    start(m);
    assert_int_equal(added_count, 1);
    assert_ptr_equal(added->dev, &m->pci);
    assert_int_equal(added->index, 0);
    return added;
}

static const struct nvme_sqe *last_admin(const struct model *m)
{
    return &m->admin_log[(m->admin_count - 1) % ARRAY_SIZE(m->admin_log)];
}

static unsigned opcode_of(const struct nvme_sqe *sqe)
{
    return (unsigned)(sqe->head & 0xff);
}

// One command for each, which asks for a feature's value and has no data.
static void test_send(void **state)
{
    struct model *m = model_new();
    struct irq_generator *g = generator_of(m);
    struct problem p;
    for (unsigned i = 1; i <= 3; i++) {
        unsigned before = m->admin_count;
        assert_true(g->send(g, &p));
        assert_int_equal(m->admin_count, before + 1);
        assert_int_equal(opcode_of(last_admin(m)), NVME_ADMIN_GET_FEATURES);
        assert_int_equal(last_admin(m)->prp1, 0);
    }
}

static void test_write_page(void **state)
{
    struct model *m = model_new();
    struct irq_generator *g = generator_of(m);
    uint8_t *page = mem_alloc_dma(NVME_PAGE, NVME_PAGE, NODE_ANY);
    struct problem p;
    assert_true(g->write_page(g, mem_phys(page), &p));
    assert_int_equal(opcode_of(last_admin(m)), NVME_ADMIN_IDENTIFY);
    assert_memory_equal(page, &m->id, NVME_PAGE);
}

// What the write came to is the caller's to see.
static void test_failed_write(void **state)
{
    struct model *m = model_new();
    struct irq_generator *g = generator_of(m);
    uint8_t *page = mem_alloc(NVME_PAGE, NVME_PAGE, NODE_ANY);
    struct problem p;
    m->fail_opcode = NVME_ADMIN_IDENTIFY;
    m->fail_cns = NVME_CNS_CONTROLLER;
    assert_true(g->write_page(g, mem_phys(page), &p));
    assert_int_equal(page[0], 0);
}

// Its command is the controller's from then on: no other is sent.
static void test_no_answer(void **state)
{
    struct model *m = model_new();
    struct irq_generator *g = generator_of(m);
    struct problem p;
    m->ignore_opcode = NVME_ADMIN_GET_FEATURES;
    assert_false(g->send(g, &p));
    assert_string_equal(p.what, "generator-silent");
    m->ignore_opcode = -1;
    unsigned before = m->admin_count;
    assert_false(g->send(g, &p));
    assert_string_equal(p.what, "generator-busy");
    assert_int_equal(m->admin_count, before);
}

static void test_gone(void **state)
{
    struct model *m = model_new();
    struct irq_generator *g = generator_of(m);
    struct problem p;
    m->removed = true;
    is_given_up(m);
    assert_false(g->send(g, &p));
    assert_string_equal(p.what, "generator-busy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_send, begin_one, end_world),
        cmocka_unit_test_setup_teardown(test_write_page, begin_one, end_world),
        cmocka_unit_test_setup_teardown(test_failed_write, begin_one, end_world),
        cmocka_unit_test_setup_teardown(test_no_answer, begin_one, end_world),
        cmocka_unit_test_setup_teardown(test_gone, begin_one, end_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
