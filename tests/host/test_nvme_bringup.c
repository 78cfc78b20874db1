// SPDX-License-Identifier: BSD-2-Clause
// Controllers in all states that firmware leaves them in, and those that don't come up: each ends
// with one error that says why, within its deadline.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/irq.h"
#include "tests/host/nvme_fixture.h"

static void starts(struct model *m)
{
    struct world_read r;
    world_read_start(&r, start(m), 1, 12, 64, 0);
    finish_within(&r, 100);
}

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

static void samsung(void **state)
{
    struct model *m = model_new();
    m->pci.vendor = 0x144d;
    m->pci.device = 0xa821;
    m->cc = NVME_CC_EN;
    m->csts = NVME_CSTS_RDY;
    starts(m); // the model fails the test if CSTS is read too soon
    assert_int_equal(m->resets, 1);
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

// ---- no disk, and why ----

// In the first world: the driver keeps the controllers of all.
static void no_controller(void **state)
{
    assert_int_equal(nvme_init(), 0);
    nvme_print();
    assert_string_equal(world_last_info(),
                        "NVMe: no PCI function is an NVMe controller (class 01, 08, 02)");
    assert_int_equal(world_warnings(), 0);
}

static void intel_raid(struct model *m, unsigned device)
{
    m->pci.vendor = 0x8086;
    m->pci.device = (uint16_t)device;
    m->pci.class_code = 0x010400;
}

static void hidden_by_vmd(void **state)
{
    static const uint16_t ids[] = { 0x201d, 0x28c0, 0x467f, 0x4c3d, 0x7d0b, 0x9a0b,
                                    0xa77f, 0xad0b, 0xb06f, 0xb07f, 0xb60b };
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        char expected[128];
        world_begin(2);
        intel_raid(model_new(), ids[i]);
        reads_well(start(model_new()), 1); // what it doesn't hide
        snprintf(expected, sizeof(expected),
                 "0000:00:04.0: Intel VMD (8086:%04x) hides the NVMe drives behind it: turn VMD off"
                 " in the firmware's set-up",
                 ids[i]);
        assert_string_equal(world_last_warning(), expected);
        assert_int_equal(world_warnings(), 1);
        world_end();
    }
}

static void not_vmd(void **state)
{
    intel_raid(model_new(), 0x2822);
    struct model *other = model_new();
    intel_raid(other, 0x201d);
    other->pci.vendor = 0x1000;
    nvme_init();
    assert_int_equal(world_warnings(), 0);
}

static void no_namespace(void **state)
{
    struct model *m = model_new();
    char expected[128];
    m->namespaces[0].nsid = 0;
    nvme_init();
    assert_int_equal(world_errors(NULL) + world_warnings(), 0);
    nvme_print();
    snprintf(expected, sizeof(expected), "(%s): it has no namespace that can be read", m->pci.name);
    assert_non_null(strstr(world_last_info(), expected));
}

// ---- namespaces ----

static void many_namespaces(void **state)
{
    struct model *m = model_new();
    m->id.nn = 5000;
    m->alike = 2500; // three pages of the list
    nvme_init();
    assert_non_null(world_disk(m, 1));
    assert_non_null(world_disk(m, 1024));
    assert_non_null(world_disk(m, 1025));
    assert_non_null(world_disk(m, 2500));
    assert_null(world_disk(m, 2501));
}

static void sparse_namespaces(void **state)
{
    struct model *m = model_new();
    model_add_namespace(m, 7, 12, 100);
    model_add_namespace(m, 250, 9, 100);
    nvme_init();
    assert_int_equal(world_ctrl(m)->namespaces_count, 3);
    assert_non_null(strstr(world_disk(m, 250)->name, "n250"));
}

static void namespaces_by_counting(void **state)
{
    struct model *m = model_new();
    m->vs = NVME_VERSION(1, 0);
    m->fail_opcode = NVME_ADMIN_IDENTIFY; // it doesn't know the list
    m->fail_cns = NVME_CNS_ACTIVE_LIST;
    m->fail_status = NVME_STATUS(2, 1);
    model_add_namespace(m, 3, 9, 100);
    starts(m);
    assert_int_equal(world_ctrl(m)->namespaces_count, 2);
}

static void list_is_refused(void **state)
{
    struct model *m = model_new();
    m->fail_opcode = NVME_ADMIN_IDENTIFY;
    m->fail_cns = NVME_CNS_ACTIVE_LIST;
    model_add_namespace(m, 3, 9, 100);
    starts(m);
    assert_int_equal(world_ctrl(m)->namespaces_count, 2);
}

static void bad_namespace_is_passed_over(struct model *m, struct model_namespace *ns,
                                         const char *text)
{
    nvme_init();
    assert_non_null(world_disk(m, 1));
    assert_null(world_disk(m, ns->nsid));
    assert_int_equal(world_errors(NULL), 0);
    assert_int_equal(world_warnings(), 1);
    assert_non_null(strstr(world_last_warning(), text));
    assert_non_null(strstr(world_last_warning(), "n2: "));
}

static void with_metadata(void **state)
{
    struct model *m = model_new();
    struct model_namespace *ns = model_add_namespace(m, 2, 9, 100);
    ns->data.lbaf[0] |= 8;
    bad_namespace_is_passed_over(m, ns, "8 bytes of metadata");
}

static void with_mad_blocks(void **state)
{
    struct model *m = model_new();
    struct model_namespace *ns = model_add_namespace(m, 2, 40, 100);
    bad_namespace_is_passed_over(m, ns, "blocks of 2^40 bytes");
}

static void that_cannot_be_identified(void **state)
{
    struct model *m = model_new();
    struct model_namespace *ns = model_add_namespace(m, 2, 9, 100);
    m->fail_opcode = NVME_ADMIN_IDENTIFY;
    m->fail_cns = NVME_CNS_NAMESPACE;
    m->fail_nsid = 2;
    bad_namespace_is_passed_over(m, ns, "invalid field in command");
}

static void empty_namespace(void **state)
{
    struct model *m = model_new();
    model_add_namespace(m, 2, 9, 0);
    nvme_init();
    assert_non_null(world_disk(m, 1));
    assert_null(world_disk(m, 2));
    assert_int_equal(world_warnings(), 0);
}

static void transfer_limits(void **state)
{
    static const struct {
        uint8_t mdts;
        uint64_t bytes;
    } cases[] = { { 0, MIB }, { 1, 8 * KIB }, { 5, 128 * KIB }, { 200, MIB } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        world_begin(2);
        struct model *m = model_new();
        m->id.mdts = cases[i].mdts;
        starts(m);
        assert_int_equal(world_disk(m, 1)->max_transfer, cases[i].bytes);
        world_end();
    }
}

// ---- what tools see ----

static void json_and_names(void **state)
{
    struct model *m = model_new();
    char expected[512];
    m->grants = 1;
    starts(m);
    const struct nvme_ctrl *c = world_ctrl(m);
    nvme_print();
    snprintf(expected, sizeof(expected),
             "{\"type\":\"nvme\",\"filename\":\"%sn1\",\"pci\":\"%s\",\"model\":\"Model Disk\","
             "\"serial\":\"S123\",\"firmware\":\"1.0\",\"nsid\":1,\"size\":536870912,"
             "\"block_size\":512,\"max_transfer\":524288,\"queues\":1,\"urgent_queues\":0,\"queue_"
             "depth\":255,"
             "\"vectors\":1}",
             c->name, m->pci.name);
    assert_string_equal(world_json(), expected);
    snprintf(expected, sizeof(expected), "%sq1", c->name);
    assert_string_equal(m->irqs[0]->name, expected);
    assert_ptr_equal(block_find(world_disk(m, 1)->name, strlen(world_disk(m, 1)->name)),
                     world_disk(m, 1));
    assert_null(block_find("nvme", 4));
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
    assert_true(m->masked[0] && m->masked[1]);
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
        bringup_test(no_controller),
        bringup_test(fresh),
        bringup_test(left_running),
        bringup_test(left_shut_down),
        bringup_test(left_failed),
        bringup_test(left_half_way),
        bringup_test(slow_but_in_time),
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
        bringup_test(bar_limits_queues),
        bringup_test(no_msix),
        bringup_test(wrong_entry_size),
        bringup_test(admin_refused),
        bringup_test(admin_unanswered),
        bringup_test(others_go_on),
        bringup_test(not_an_nvme_function),
        bringup_test(hidden_by_vmd),
        bringup_test(not_vmd),
        bringup_test(no_namespace),
        bringup_test(many_namespaces),
        bringup_test(sparse_namespaces),
        bringup_test(namespaces_by_counting),
        bringup_test(list_is_refused),
        bringup_test(with_metadata),
        bringup_test(with_mad_blocks),
        bringup_test(that_cannot_be_identified),
        bringup_test(empty_namespace),
        bringup_test(transfer_limits),
        bringup_test(json_and_names),
        bringup_test(orderly_shutdown),
        bringup_test(endless_shutdown),
        bringup_test(shutdown_without_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
