// SPDX-License-Identifier: BSD-2-Clause
// Controllers that go to a domain and come back.

#include "tests/host/nvme_domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct model *given(void)
{
    struct model *m = model_new();
    start(m);
    nvme_give_add(world_ctrl(m));
    assert_int_equal(domain_withdraw(m), DOMAIN_DONE);
    return m;
}

// ---- the way there and back ----

static void test_leaves_the_kernel(void **state)
{
    struct world_read r;
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    nvme_give_add(world_ctrl(m));
    m->hold = true;
    world_read_start(&r, dev, 1, 5, 8, 0);
    world_round();
    assert_int_equal(domain_withdraw(m), DOMAIN_DONE);
    ends(&r, BLOCK_GONE);
    domain_is_off(m);
    assert_null(world_disk(m, 1));
    assert_int_equal(world_errors(NULL) + world_warnings(), 0);
    world_pass(100 * NS_PER_S);
    domain_is_off(m);
}

// A device may write as data what it sends as interrupts: those of the kernel's queues end nowhere.
static void are_shut(const struct model *m, bool shut)
{
    for (unsigned i = 0; i < 2; i++) {
        assert_non_null(m->irqs[i]);
        assert_int_equal(m->irqs[i]->shut, shut);
    }
}

static void test_serves_a_program(void **state)
{
    struct model *m = given();
    are_shut(m, true);
    struct block_dev *dev = program_set_up(m);
    assert_string_equal(dev->name, world_ctrl(m)->namespaces->dev.name);
    assert_string_equal(dev->serial, "S123");
    assert_true(dev->writable);
    for (unsigned i = 0; i < 20; i++)
        program_reads(dev, i % 2);
    assert_true(domain_events(0) && domain_events(1));
    assert_int_equal(domain_silence(m), DOMAIN_DONE);
    domain_is_off(m);
    assert_int_equal(model_blocked(false), 0);
}

static void test_returns_to_the_kernel(void **state)
{
    struct model *m = given();
    program_reads(program_set_up(m), 0);
    assert_int_equal(domain_silence(m), DOMAIN_DONE);
    program_end();
    are_shut(m, true);
    assert_int_equal(domain_give_back(m), DOMAIN_DONE);
    are_shut(m, false);
    assert_non_null(world_disk(m, 1));
    reads_well(world_disk(m, 1), 0);
    reads_well(world_disk(m, 1), 1);
    assert_int_equal(domain_withdraw(m), DOMAIN_DONE);
    program_reads(program_set_up(m), 1);
    assert_int_equal(world_errors(NULL) + world_warnings(), 0);
}

// ---- killed in the middle of it ----

static void live(struct model *m, struct program_read *reads, unsigned count)
{
    struct block_dev *dev = program_set_up(m);
    for (unsigned i = 0; i < count; i++)
        program_read(&reads[i], dev, (unsigned)rand() % 2, (uint64_t)rand() % 100000,
                     1 + (uint32_t)rand() % 40);
    for (unsigned turns = (unsigned)rand() % 60; turns; turns--)
        world_turn_any();
}

static void test_a_thousand_kills(void **state)
{
    struct model *m = given();
    struct program_read reads[20];
    unsigned made = 0, killed = 0;
    for (unsigned life = 0; life < 1000; life++) {
        live(m, reads, ARRAY_SIZE(reads));
        for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
            killed += !reads[i].done;
        assert_int_equal(domain_silence(m), DOMAIN_DONE);
        program_end();
        uint64_t sum = domain_memory_sum();
        world_pass(NS_PER_MS);
        assert_true(sum == domain_memory_sum());
        if (life % 100 == 99) {
            assert_int_equal(domain_give_back(m), DOMAIN_DONE);
            reads_well(world_disk(m, 1), life / 100 % 2);
            assert_int_equal(domain_withdraw(m), DOMAIN_DONE);
        }
        if (!life)
            made = world_allocations();
    }
    assert_int_equal(world_allocations(), made);
    assert_in_range(killed, 1000, 19000);
    assert_int_equal(model_blocked(false) + world_errors(NULL), 0);
    assert_int_equal(domain_strays(), 0);
}

// An interrupt that was under way is taken before anybody else may have the function.
static void test_drains(void **state)
{
    struct model *m = given();
    struct program_read r;
    program_read(&r, program_set_up(m), 1, 7, 8);
    world_turn(PROGRAM(1), WORLD_FLUSH);
    model_work(m); // its interrupt has come, and nobody took it
    struct domain_device *f = domain_function(m);
    assert_int_equal(f->ops->silence(f, &domain_problem), DOMAIN_WAITS);
    assert_false(m->pci_command & 4 || m->pci.granted);
    unsigned before = domain_events(1);
    m->masked[1] = false; // past the mask: in the descriptor
    for (unsigned cpu = 0; cpu < DOMAIN_CPUS; cpu++)
        world_turn(world_kernel_cpus() + cpu, WORLD_MESSAGES);
    world_turn(0, WORLD_MESSAGES);
    assert_int_equal(f->ops->silence(f, &domain_problem), DOMAIN_WAITS);
    world_turn(world_kernel_cpus() + 1, WORLD_IRQS);
    for (unsigned cpu = 0; cpu < DOMAIN_CPUS; cpu++)
        world_turn(world_kernel_cpus() + cpu, WORLD_MESSAGES);
    world_turn(0, WORLD_MESSAGES);
    assert_int_equal(f->ops->silence(f, &domain_problem), DOMAIN_DONE);
    assert_int_equal(domain_events(1), before + 1);
}

// ---- it doesn't follow ----

static void test_hangs_on_its_way_out(void **state)
{
    struct model *m = given();
    program_reads(program_set_up(m), 0);
    m->stuck_ready = true;
    domain_fails(domain_silence(m), "nvme-not-ready", "CSTS.RDY did not become 0");
    assert_false(m->pci_command & 4 || m->pci.granted);
    m->stuck_ready = false;
    domain_fails(domain_set_up(m), "domain-disk", "hasn't stopped");
    domain_fails(domain_give_back(m), "domain-disk", "hasn't stopped");
    assert_false(m->pci_command & 4);
}

static void test_hangs_before_any_domain(void **state)
{
    struct model *m = model_new();
    start(m);
    nvme_give_add(world_ctrl(m));
    m->stuck_ready = true;
    domain_fails(domain_withdraw(m), "nvme-not-ready", "CSTS.RDY");
    domain_fails(domain_withdraw(m), "domain-disk", "hasn't stopped");
    domain_fails(domain_set_up(m), "domain-disk", "hasn't stopped");
}

static void test_takes_its_time(void **state)
{
    struct model *m = given();
    m->ready_delay_ns = 2 * NS_PER_S;
    program_reads(program_set_up(m), 1);
    assert_int_equal(domain_silence(m), DOMAIN_DONE);
    domain_is_off(m);
}

// It writes on, whatever it is told; the fence is what holds.
static void writes_on(struct model *m, bool arrives)
{
    unsigned blocked = model_blocked(false);
    program_reads(program_set_up(m), 0);
    m->wild = m->master_stuck = true;
    m->fenced = !arrives;
    m->unfenced = arrives;
    domain_silence(m);
    program_end();
    uint64_t sum = domain_memory_sum();
    world_round();
    assert_int_equal(sum == domain_memory_sum(), !arrives);
    assert_int_equal(model_blocked(false) > blocked, !arrives);
}

static void test_writes_on_in_vain(void **state)
{
    struct model *m = given();
    writes_on(m, false);
    m->wild = m->master_stuck = false;
}

static void test_writes_on_and_says_so(void **state)
{
    struct model *m = given();
    program_reads(program_set_up(m), 0);
    m->master_stuck = m->unfenced = true;
    domain_fails(domain_silence(m), "domain-master", "bus mastering stays on");
    domain_fails(domain_set_up(m), "domain-disk", "hasn't stopped");
    m->master_stuck = m->unfenced = false;
}

static void test_cpu_that_hangs(void **state)
{
    struct model *m = given();
    program_reads(program_set_up(m), 0);
    struct domain_device *f = domain_function(m);
    assert_int_equal(f->ops->silence(f, &domain_problem), DOMAIN_WAITS);
    world_skip(NS_PER_S);
    domain_fails(f->ops->silence(f, &domain_problem), "domain-drain", "has not taken");
}

// The page of the doorbells has the admin queue's as well.
static void test_admin_doorbell(void **state)
{
    struct model *m = given();
    struct block_dev *dev = program_set_up(m);
    program_reads(dev, 0);
    unsigned commands = m->admin_count;
    world_use_cpu(PROGRAM(0));
    mmio_write32((volatile void *)(DOMAIN_DOORBELLS + 3 * DOMAIN_DOORBELL_SPAN), 9); // NOLINT
    world_use_cpu(0);
    assert_int_equal(model_blocked(false), 1);
    assert_int_equal(m->admin_count, commands);
    assert_int_equal(domain_silence(m), DOMAIN_DONE);
    program_end();
    program_reads(program_set_up(m), 0);
}

// ---- it can't be set up ----

static void can_be_set_up_after(struct model *m, const char *what, const char *text)
{
    domain_fails(domain_set_up(m), what, text);
    assert_int_equal(domain_silence(m), DOMAIN_DONE);
    domain_is_off(m);
    m->fail_opcode = m->ignore_opcode = -1;
    m->never_ready = false;
    memcpy(m->id.sn, "S123", 4);
    program_reads(program_set_up(m), 1);
}

static void test_refuses_a_queue(void **state)
{
    struct model *m = given();
    m->fail_opcode = NVME_ADMIN_CREATE_SQ;
    m->fail_qid = 2;
    can_be_set_up_after(m, "domain-set-up", "refuses step 5");
}

static void test_does_not_answer(void **state)
{
    struct model *m = given();
    m->ignore_opcode = NVME_ADMIN_CREATE_CQ;
    can_be_set_up_after(m, "nvme-admin-timeout", "doesn't answer step 2");
}

static void test_does_not_start(void **state)
{
    struct model *m = given();
    m->never_ready = true;
    can_be_set_up_after(m, "nvme-not-ready", "CSTS.RDY did not become 1");
}

static void test_is_another(void **state)
{
    struct model *m = given();
    memcpy(m->id.sn, "S999", 4);
    can_be_set_up_after(m, "nvme-other", "serial number S999");
}

// The controller would find what the domain has written there.
static void test_admin_queue_in_the_domains_memory(void **state)
{
    struct model *m = given();
    unsigned commands = m->admin_count;
    domain_has_all = true;
    domain_fails(domain_set_up(m), "domain-memory", "its admin queue is at");
    domain_has_all = false;
    assert_int_equal(m->admin_count, commands);
    assert_int_equal(domain_silence(m), DOMAIN_DONE);
    domain_is_off(m);
    program_reads(program_set_up(m), 0);
}

static void test_no_vector(void **state)
{
    struct model *m = given();
    world_set_vectors_left(world_kernel_cpus() + 1, 0);
    domain_fails(domain_set_up(m), "irq-no-vector", "no vector left");
    assert_int_equal(domain_silence(m), DOMAIN_DONE);
    world_set_vectors_left(world_kernel_cpus() + 1, 1);
    program_reads(program_set_up(m), 1);
}

// CPUs without a queue of their own use another's.
static void test_one_queue(void **state)
{
    struct model *m = given();
    m->grants = 1;
    struct block_dev *dev = program_set_up(m);
    assert_int_equal(dev->queues, 1);
    program_reads(dev, 0);
    program_reads(dev, 1);
    assert_int_equal(domain_events(1), 0);
}

// ---- formats ----

static void test_metadata_and_protection(void **state)
{
    struct model *m = model_new();
    add_formatted(m, 2, 8, 1);
    add_formatted(m, 3, 64, 0);
    start(m);
    nvme_give_add(world_ctrl(m));
    assert_int_equal(domain_withdraw(m), DOMAIN_DONE);
    program_reads(program_set_up(m), 0);
    for (struct block_dev *dev = block_first(); dev; dev = dev->next) {
        program_reads(dev, 0);
        program_reads(dev, 1);
    }
    assert_int_equal(program_info()->disks_count, 3);
    assert_int_equal(model_blocked(false), 0);
}

// ---- the end of the run ----

static void test_shuts_down_in_order(void **state)
{
    struct model *m = given();
    program_reads(program_set_up(m), 0);
    assert_int_equal(domain_silence(m), DOMAIN_DONE);
    program_end();
    nvme_shutdown();
    assert_int_equal(field_get(NVME_CC_SHN, m->cc), NVME_CC_SHN_NORMAL);
    assert_false(m->pci_command & 4);
    assert_int_equal(world_warnings(), 0);
}

static void test_shuts_down_while_given(void **state)
{
    struct model *m = given();
    program_reads(program_set_up(m), 0);
    nvme_shutdown();
    assert_int_equal(field_get(NVME_CC_SHN, m->cc), NVME_CC_SHN_NORMAL);
    assert_int_equal(model_blocked(false), 0);
}

static void test_can_not_be_shut_down(void **state)
{
    struct model *m = given();
    program_reads(program_set_up(m), 0);
    m->never_ready = true;
    nvme_shutdown();
    warned_once("nvme-shutdown", "may not be durable");
    assert_false(m->pci_command & 4);
}

#define test(f) cmocka_unit_test_setup_teardown(f, begin_domain, end_domain)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_leaves_the_kernel),
        test(test_serves_a_program),
        test(test_returns_to_the_kernel),
        test(test_a_thousand_kills),
        test(test_drains),
        test(test_hangs_on_its_way_out),
        test(test_hangs_before_any_domain),
        test(test_takes_its_time),
        test(test_writes_on_in_vain),
        test(test_writes_on_and_says_so),
        test(test_cpu_that_hangs),
        test(test_admin_doorbell),
        test(test_refuses_a_queue),
        test(test_does_not_answer),
        test(test_does_not_start),
        test(test_is_another),
        test(test_admin_queue_in_the_domains_memory),
        test(test_no_vector),
        test(test_one_queue),
        test(test_metadata_and_protection),
        test(test_shuts_down_in_order),
        test(test_shuts_down_while_given),
        test(test_can_not_be_shut_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
