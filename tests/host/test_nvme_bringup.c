// SPDX-License-Identifier: BSD-2-Clause
// Controllers in all states that firmware leaves them in, and those that don't come up: each ends
// with one error that says why, within its deadline.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

// One error of this kind, no disk, and the controller is off.
static void fails(struct model *m, const char *what)
{
    nvme_init();
    assert_int_equal(world_errors(what), 1);
    assert_int_equal(world_errors(NULL), 1);
    assert_null(world_disk(m, 1));
    assert_false(m->pci_command & 4);
    assert_true(m->removed || !(m->cc & NVME_CC_EN));
    assert_non_null(strstr(world_last_error(), m->pci.name));
}

static void all_masked(const struct model *m)
{
    for (unsigned v = 0; v < MODEL_VECTORS; v++)
        assert_true(m->masked[v]);
}

static void mentions(const char *text)
{
    if (!strstr(world_last_error(), text))
        fail_msg("\"%s\" doesn't say \"%s\"", world_last_error(), text);
}

// ---- states to start from ----

static void fresh(void **state)
{
    struct model *m = model_new();
    starts(m);
    assert_int_equal(m->resets, 0);
    assert_int_equal(world_warnings(), 0);
}

static void left_running(void **state)
{
    struct model *m = model_new();
    m->cc = NVME_CC_EN;
    m->csts = NVME_CSTS_RDY;
    m->pci_command = 6;
    starts(m);
    assert_int_equal(m->resets, 1);
    assert_int_equal(world_warnings(), 0);
}

static void left_shut_down(void **state)
{
    struct model *m = model_new();
    m->cc = NVME_CC_EN | 1 << 14;
    m->csts = NVME_CSTS_RDY | 2 << 2;
    starts(m);
    assert_int_equal(m->resets, 1);
    assert_false(m->cc & NVME_CC_SHN);
}

static void left_failed(void **state)
{
    struct model *m = model_new();
    m->cc = NVME_CC_EN;
    m->csts = NVME_CSTS_RDY | NVME_CSTS_CFS;
    starts(m);
    assert_int_equal(m->resets, 1);
}

// Enabled and never ready: it gets its time, then it is reset regardless.
static void left_half_way(void **state)
{
    struct model *m = model_new();
    m->cc = NVME_CC_EN;
    m->change_at = ~0ull;
    starts(m);
    assert_int_equal(m->resets, 1);
    assert_int_equal(world_warnings(), 1);
    assert_true(m->reset_at >= 7500 * NS_PER_MS);
}

static void slow_but_in_time(void **state)
{
    struct model *m = model_new();
    world_set_clock_step(NS_PER_MS);
    m->ready_delay_ns = 7400 * NS_PER_MS;
    m->cc = NVME_CC_EN;
    m->csts = NVME_CSTS_RDY;
    starts(m);
}

// Each takes its time to stop and to start, at the same time as the others; those that never do take
// their time-out, once.
static void side_by_side(void **state)
{
    struct model *models[4];
    world_set_clock_step(NS_PER_MS);
    for (unsigned i = 0; i < 4; i++) {
        models[i] = model_new();
        models[i]->ready_delay_ns = 4000 * NS_PER_MS;
        models[i]->cc = NVME_CC_EN;
        models[i]->csts = NVME_CSTS_RDY;
    }
    models[1]->ready_delay_ns = models[2]->ready_delay_ns = 100 * NS_PER_S;
    uint64_t before = world_now();
    nvme_init();
    assert_true(world_now() - before < 2 * 7500 * NS_PER_MS + NS_PER_S);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(world_disk(models[i], 1) != NULL, i == 0 || i == 3);
    assert_int_equal(world_errors("nvme-not-ready"), 2);
    assert_int_equal(world_errors(NULL), 2);
}

static uint64_t time_to_start(unsigned vendor, unsigned device)
{
    world_begin(2);
    struct model *m = model_new();
    m->pci.vendor = (uint16_t)vendor;
    m->pci.device = (uint16_t)device;
    m->cc = NVME_CC_EN;
    m->csts = NVME_CSTS_RDY;
    uint64_t before = world_now();
    starts(m); // the model fails the test if CSTS is read too soon
    assert_int_equal(m->resets, 1);
    world_end();
    return world_now() - before;
}

// Some need a pause after their reset; it is long, so that others aren't made to wait.
static void samsung(void **state)
{
    static const unsigned slow[] = { 0xa821, 0xa822, 0xa826 };
    for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
        assert_in_range(time_to_start(0x144d, slow[i]), 2500 * NS_PER_MS, 2600 * NS_PER_MS);
    assert_in_range(time_to_start(0x144d, 0xa824), 0, NS_PER_S);
    assert_in_range(time_to_start(0x1b36, 0xa821), 0, NS_PER_S);
}

// ---- those that don't come up ----

static void never_ready(void **state)
{
    struct model *m = model_new();
    world_set_clock_step(NS_PER_MS);
    m->never_ready = true;
    uint64_t before = world_now();
    fails(m, "nvme-not-ready");
    mentions("within 7500 ms (CAP.TO)");
    assert_in_range(world_now() - before, 7500 * NS_PER_MS, 7600 * NS_PER_MS);
}

static void never_stops(void **state)
{
    struct model *m = model_new();
    m->stuck_ready = true;
    m->cc = NVME_CC_EN;
    m->csts = NVME_CSTS_RDY;
    fails(m, "nvme-not-ready");
    mentions("did not become 0");
}

static void time_of_the_media(void **state)
{
    struct model *m = model_new();
    world_set_clock_step(NS_PER_MS);
    m->never_ready = true;
    m->cap |= NVME_CAP_CRWMS;
    m->crto = 60;
    fails(m, "nvme-not-ready");
    mentions("30000 ms");
}

static void fatal_at_enable(void **state)
{
    struct model *m = model_new();
    m->fatal_at_enable = true;
    fails(m, "nvme-fatal");
}

static void not_there(void **state)
{
    struct model *m = model_new();
    m->removed = true;
    fails(m, "nvme-absent");
}

static void gone_while_it_starts(void **state)
{
    struct model *m = model_new();
    m->gone_at_enable = true;
    fails(m, "nvme-absent");
}

static void no_nvm_command_set(void **state)
{
    struct model *m = model_new();
    m->cap &= ~NVME_CAP_CSS_NVM;
    m->cap |= field_put(NVME_CAP_CSS, 0x80); // administration alone
    fails(m, "nvme-no-nvm");
}

static void large_pages_only(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MPSMIN, 4);
    fails(m, "nvme-page-size");
    mentions("64 KiB");
}

static void bar_without_doorbells(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_DSTRD, 10); // 4 KiB apart; two pairs need 16 KiB
    m->pci.bars[0].bytes = 0x4000;
    fails(m, "nvme-bar");
    mentions("BAR 0 of 16384 bytes has no room for doorbells 4096 bytes apart (CAP.DSTRD)");
    world_begin(2);
    m = model_new();
    field_set(&m->cap, NVME_CAP_DSTRD, 12); // not even the admin queue's
    m->pci.bars[0].bytes = 0x4000;
    fails(m, "nvme-bar");
}

// Doorbells of the admin queue and of one I/O queue.
static void smallest_bar(void **state)
{
    struct model *m = model_new();
    m->pci.bars[0].bytes = NVME_DOORBELLS + 16;
    starts(m);
    assert_int_equal(world_disk(m, 1)->queues, 1);
    world_end();
    world_begin(2);
    m = model_new();
    m->pci.bars[0].bytes = NVME_DOORBELLS + 15;
    fails(m, "pci-bar-small");
}

static void bar_limits_queues(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_DSTRD, 10);
    m->pci.bars[0].bytes = 0x1000 + 4 * 0x1000; // the admin queue and one more
    starts(m);
    assert_int_equal(world_disk(m, 1)->queues, 1);
}

static void no_msix(void **state)
{
    struct model *m = model_new();
    m->pci.msix.cap = 0;
    fails(m, "nvme-no-msix");
}

static void wrong_entry_size(void **state)
{
    struct model *m = model_new();
    m->id.sqes = 0x77;
    fails(m, "nvme-entry-size");
    mentions("SQES 77h");
}

// What bring-up can't do without.
static const int opcodes[] = { NVME_ADMIN_IDENTIFY, NVME_ADMIN_SET_FEATURES, NVME_ADMIN_CREATE_CQ,
                               NVME_ADMIN_CREATE_SQ };

static void admin_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(opcodes); i++) {
        world_begin(2);
        struct model *m = model_new();
        m->fail_opcode = opcodes[i];
        m->fail_status = NVME_STATUS(1, 8);
        fails(m, "nvme-admin-failed");
        mentions("invalid interrupt vector (status type 1, code 08h)");
    }
}

static void admin_unanswered(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(opcodes); i++) {
        world_begin(2);
        world_set_clock_step(NS_PER_MS);
        struct model *m = model_new();
        m->ignore_opcode = opcodes[i];
        uint64_t before = world_now();
        fails(m, "nvme-admin-timeout");
        mentions("within 30000 ms");
        assert_in_range(world_now() - before, 30 * NS_PER_S, 31 * NS_PER_S);
    }
}

// By then its queues were there, and their interrupts on.
static void namespaces_unanswered(void **state)
{
    struct model *m = model_new();
    world_set_clock_step(NS_PER_MS);
    m->ignore_opcode = NVME_ADMIN_IDENTIFY;
    m->fail_cns = NVME_CNS_ACTIVE_LIST;
    fails(m, "nvme-admin-timeout");
    assert_non_null(m->irqs[1]);
    all_masked(m);
}

// It doesn't wait for an answer that can't come.
static void fatal_at_a_command(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(opcodes); i++) {
        world_begin(2);
        world_set_clock_step(NS_PER_MS);
        struct model *m = model_new();
        m->fatal_opcode = opcodes[i];
        uint64_t before = world_now();
        fails(m, "nvme-fatal");
        mentions("CSTS is 0x00000003");
        assert_in_range(world_now() - before, 0, NS_PER_S);
    }
}

// nvme.timeout= is the reads': bring-up has five seconds at least.
static void short_time_out(void **state)
{
    world_set_clock_step(NS_PER_MS);
    nvme_set_timeout(40);
    struct model *m = model_new();
    m->ignore_opcode = NVME_ADMIN_CREATE_SQ;
    uint64_t before = world_now();
    fails(m, "nvme-admin-timeout");
    mentions("no answer to Create I/O Submission Queue within 5000 ms");
    assert_in_range(world_now() - before, 5 * NS_PER_S, 6 * NS_PER_S);
}

static void others_go_on(void **state)
{
    struct model *bad = model_new(), *good = model_new();
    bad->never_ready = true;
    assert_true(nvme_init() >= 2);
    assert_int_equal(world_errors("nvme-not-ready"), 1);
    assert_null(world_disk(bad, 1));
    assert_non_null(world_disk(good, 1));
}

static void not_an_nvme_function(void **state)
{
    struct model *m = model_new();
    m->pci.class_code = 0x010801;
    nvme_init();
    assert_null(world_disk(m, 1));
    assert_int_equal(world_errors(NULL), 0);
}

// ---- shutdown ----

static void orderly_shutdown(void **state)
{
    struct model *m = model_new();
    starts(m);
    nvme_shutdown();
    assert_int_equal(m->deleted_sqs, 2);
    assert_int_equal(m->deleted_cqs, 2);
    assert_int_equal(field_get(NVME_CC_SHN, m->cc), 1);
    all_masked(m);
    assert_int_equal(world_warnings(), 0);
}

static void endless_shutdown(void **state)
{
    struct model *m = model_new();
    starts(m);
    world_set_clock_step(NS_PER_MS);
    m->never_shut_down = true;
    m->id.rtd3e = 0;
    uint64_t before = world_now();
    nvme_shutdown();
    assert_in_range(world_now() - before, 5 * NS_PER_S, 6 * NS_PER_S);
    assert_int_equal(world_warnings(), 1);
    assert_false(m->pci_command & 4);
}

// Nobody has noticed that it is gone: there is nobody to ask.
static void shutdown_of_nothing(void **state)
{
    struct model *m = model_new();
    starts(m);
    world_set_clock_step(NS_PER_MS);
    m->removed = true;
    uint64_t before = world_now();
    nvme_shutdown();
    assert_int_equal(world_warnings() + world_errors(NULL), 0);
    assert_in_range(world_now() - before, 0, 100 * NS_PER_MS);
    all_masked(m);
}

// What was given up is left alone, even if it looks well again.
static void shutdown_of_what_was_gone(void **state)
{
    struct model *m = model_new();
    starts(m);
    is_given_up(m);
    m->removed = false;
    uint32_t cc = m->cc;
    nvme_shutdown();
    assert_int_equal(m->cc, cc);
    assert_int_equal(m->deleted_sqs, 0);
}

static void shutdown_without_answers(void **state)
{
    struct model *m = model_new();
    starts(m);
    world_set_clock_step(NS_PER_MS);
    m->ignore_opcode = NVME_ADMIN_DELETE_SQ;
    nvme_shutdown();
    assert_int_equal(world_warnings(), 1);
    assert_int_equal(field_get(NVME_CC_SHN, m->cc), 1);
    // The lost command's memory isn't used for another.
    struct problem p;
    m->pci_command |= 4;
    assert_false(nvme_queues_delete(world_ctrl(m), &p));
    m->pci_command &= (uint16_t)~4;
    assert_non_null(strstr(p.message, "was not tried"));
}

#define bringup_test(f) cmocka_unit_test_setup_teardown(f, begin_two, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        bringup_test(fresh),
        bringup_test(left_running),
        bringup_test(left_shut_down),
        bringup_test(left_failed),
        bringup_test(left_half_way),
        bringup_test(slow_but_in_time),
        bringup_test(side_by_side),
        bringup_test(samsung),
        bringup_test(never_ready),
        bringup_test(never_stops),
        bringup_test(time_of_the_media),
        bringup_test(fatal_at_enable),
        bringup_test(not_there),
        bringup_test(gone_while_it_starts),
        bringup_test(no_nvm_command_set),
        bringup_test(large_pages_only),
        bringup_test(bar_without_doorbells),
        bringup_test(smallest_bar),
        bringup_test(bar_limits_queues),
        bringup_test(no_msix),
        bringup_test(wrong_entry_size),
        bringup_test(admin_refused),
        bringup_test(admin_unanswered),
        bringup_test(namespaces_unanswered),
        bringup_test(fatal_at_a_command),
        bringup_test(short_time_out),
        bringup_test(others_go_on),
        bringup_test(not_an_nvme_function),
        bringup_test(orderly_shutdown),
        bringup_test(endless_shutdown),
        bringup_test(shutdown_of_nothing),
        bringup_test(shutdown_of_what_was_gone),
        bringup_test(shutdown_without_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
