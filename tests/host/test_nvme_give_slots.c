// SPDX-License-Identifier: BSD-2-Clause
// Controllers that are taken out of their slots while a domain has them.

#include "tests/host/nvme_domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void keeps_away(struct model *m)
{
    domain_fails(domain_set_up(m), "domain-disk", "taken out of its slot");
    assert_int_equal(domain_give_back(m), DOMAIN_DONE);
    assert_false(world_ctrl(m)->given);
    assert_true(world_ctrl(m)->gone);
    assert_null(world_disk(m, 1));
    assert_false(m->pci_command & 4 || m->pci.granted);
    assert_int_equal(world_errors(NULL), 0);
}

static void press(struct model *m)
{
    m->button = true;
    world_pass(3 * NS_PER_S);
}

static struct model *given_in_slot(void)
{
    struct model *m = model_new();
    m->has_slot = true;
    start(m);
    nvme_give_add(world_ctrl(m));
    assert_int_equal(domain_withdraw(m), DOMAIN_DONE);
    return m;
}

// The domain loses it, and goes on. Whatever comes into the slot, nothing is put at the doorbells' addresses
// until the domain has ended; then it is the kernel's.
static void test_button_while_given(void **state)
{
    struct program_read r;
    struct model *m = given_in_slot();
    struct block_dev *dev = program_set_up(m);
    program_reads(dev, 0);
    press(m);
    warned_once("nvme-removed", "the domain that has it goes on without it");
    domain_is_off(m);
    assert_true(m->slot_off);
    program_read(&r, dev, 0, 5, 1);
    world_pass(60 * NS_PER_S);
    assert_true(r.done);
    assert_int_equal(r.req.status, BLOCK_GONE);
    assert_int_equal(world_errors("nvme-timeout"), 1);
    m->swapped = m->button = true;
    m->removed = false;
    world_pass(5 * NS_PER_S);
    assert_true(m->slot_off);
    assert_int_equal(m->scans, 0);

    assert_int_equal(domain_silence(m), DOMAIN_DONE);
    program_end();
    domain_fails(domain_set_up(m), "domain-disk", "taken out of its slot");
    assert_int_equal(domain_give_back(m), DOMAIN_DONE);
    world_pass(5 * NS_PER_S);
    assert_false(m->slot_off || world_ctrl(m)->given);
    reads_well(world_disk(m, 1), 0);
    reads_well(world_disk(m, 1), 1);
    assert_int_equal(domain_withdraw(m), DOMAIN_DONE);
    program_reads(program_set_up(m), 1);
}

// Without a word. What is absent is silent, and nobody waits for it.
static void test_pulled_while_given(void **state)
{
    struct model *m = given_in_slot();
    program_reads(program_set_up(m), 0);
    m->removed = m->slot_empty = m->swapped = true;
    world_pass(3 * NS_PER_S);
    warned_once("nvme-removed", "goes on without it");
    assert_int_equal(domain_silence(m), DOMAIN_DONE);
    program_end();
    keeps_away(m);
    nvme_shutdown();
    assert_int_equal(world_warnings(), 1);
}

static void test_bad_contact_while_given(void **state)
{
    struct model *m = given_in_slot();
    struct block_dev *dev = program_set_up(m);
    for (unsigned i = 0; i < 20; i++) {
        m->slot_empty = i % 2;
        m->swapped = true;
        world_pass(NS_PER_S);
    }
    program_reads(dev, 0);
    assert_int_equal(world_warnings(), 0);
}

// What can't be silenced stays so, whoever has asked: the domain's end has to know.
static void test_stuck_at_removal(void **state)
{
    struct model *m = given_in_slot();
    program_reads(program_set_up(m), 0);
    m->stuck_ready = true;
    press(m);
    world_pass(60 * NS_PER_S);
    domain_fails(domain_silence(m), "domain-disk", "hasn't stopped");
    domain_fails(domain_give_back(m), "domain-disk", "hasn't stopped");
    m->stuck_ready = false;
}

#define test(f) cmocka_unit_test_setup_teardown(f, begin_domain, end_domain)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_button_while_given),
        test(test_pulled_while_given),
        test(test_bad_contact_while_given),
        test(test_stuck_at_removal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
