// SPDX-License-Identifier: BSD-2-Clause
// Controllers as they really are: left asleep, slow to answer, with capabilities against the
// specification, of another class, hidden or refused.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/quirks.h"
#include "tests/host/nvme_fixture.h"

static void fails(struct model *m, const char *what, const char *text)
{
    nvme_init();
    assert_int_equal(world_errors(what), 1);
    assert_int_equal(world_errors(NULL), 1);
    assert_null(world_disk(m, 1));
    assert_non_null(strstr(world_last_error(), m->pci.name));
    if (!strstr(world_last_error(), text))
        fail_msg("\"%s\" doesn't say \"%s\"", world_last_error(), text);
}

static struct model *model_of(uint16_t vendor, uint16_t device)
{
    struct model *m = model_new();
    m->pci.vendor = vendor;
    m->pci.device = device;
    return m;
}

// ---- power ----

static void asleep(void **state)
{
    struct model *m = model_new();
    m->power_state = 3;
    starts(m);
    assert_int_equal(m->power_state, 0);
}

// What hangs after a reset of its own does after this one.
static void asleep_and_slow(void **state)
{
    struct model *m = model_of(0x144d, 0xa822);
    m->slow_reset = true;
    m->power_state = 3;
    starts(m);
}

static void stays_asleep(void **state)
{
    struct model *m = model_new();
    m->power_state = 3;
    m->stays_asleep = true;
    fails(m, "pci-asleep", "it doesn't wake");
}

// ---- registers that nobody answers for ----

static void reads_ones(void **state)
{
    struct model *m = model_new();
    m->removed = true;
    world_set_clock_step(NS_PER_MS);
    fails(m, "nvme-absent", "its registers read all ones: nothing answers at 0xfe000000 (BAR 0)");
}

static void reads_zeros(void **state)
{
    struct model *m = model_new();
    m->zeros = true;
    fails(m, "nvme-absent", "its registers read all zeros");
}

static void late_to_answer(void **state)
{
    struct model *m = model_new();
    world_set_clock_step(NS_PER_MS);
    m->deaf_until = world_now() + 300 * NS_PER_MS;
    starts(m);
}

// 200 ms and more after CC.EN has changed, either way.
static void deaf_in_reset(void **state)
{
    struct model *m = model_new();
    world_set_clock_step(NS_PER_MS);
    m->deaf_ns = 900 * NS_PER_MS;
    m->cc = NVME_CC_EN;
    m->csts = NVME_CSTS_RDY;
    starts(m);
    assert_int_equal(m->resets, 1);
    assert_int_equal(world_warnings(), 0);
}

static void deaf_for_good(void **state)
{
    struct model *m = model_new();
    world_set_clock_step(NS_PER_MS);
    m->deaf_ns = 60 * NS_PER_S;
    m->cc = NVME_CC_EN;
    m->csts = NVME_CSTS_RDY;
    uint64_t before = world_now();
    fails(m, "nvme-absent", "all ones for 7500 ms (CAP.TO)");
    assert_in_range(world_now() - before, 7500 * NS_PER_MS, 7600 * NS_PER_MS);
}

// ---- capabilities ----

static void no_queue_entries(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 0);
    m->queue_most = 2;
    starts(m);
    warned_once("nvme-queue-size",
                "CAP.MQES is 0, but a queue has two entries at least: taken for 2");
    assert_int_equal(world_ctrl(m)->queues[0]->qp.mask, 1);
}

static void no_queue_entries_but_64(void **state)
{
    static const uint16_t ids[] = { 0xa821, 0xa822 };
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        world_begin(2);
        struct model *m = model_of(0x144d, ids[i]);
        field_set(&m->cap, NVME_CAP_MQES, 0);
        m->queue_most = 64;
        starts(m);
        warned_once("nvme-queue-size", "taken for 64");
        assert_int_equal(world_ctrl(m)->queues[0]->qp.mask, 63);
        world_end();
    }
}

static void quirk_without_the_fault(void **state)
{
    struct model *m = model_of(0x144d, 0xa821);
    starts(m);
    assert_int_equal(world_ctrl(m)->queues[0]->qp.mask, 255);
    assert_int_equal(world_warnings(), 0);
}

static void no_command_set(void **state)
{
    struct model *m = model_new();
    m->cap &= ~NVME_CAP_CSS;
    starts(m);
    warned_once("nvme-css", "CAP.CSS is 0: it names no command set; taken for the NVM command set");
}

// Seen in the wild.
static void known_caps(void **state)
{
    static const uint64_t caps[] = { 0x204001007f, 0x30500103ff, 0x20280103ff };
    for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
        world_begin(2);
        struct model *m = model_new();
        m->cap = caps[i];
        starts(m);
        assert_int_equal(world_warnings(), 0);
        world_end();
    }
}

// ---- where the MSI-X table is, and memory ----

static void table_among_the_registers(void **state)
{
    struct model *m = model_new();
    m->table_bar = 0;
    m->table_offset = 0;
    fails(m, "nvme-bar", "or the MSI-X table is in their place");
}

// Granted more queues than there are doorbells in front of the table.
static void table_behind_the_doorbells(void **state)
{
    struct model *m = model_new();
    m->table_bar = 0;
    m->table_offset = NVME_DOORBELLS + 4 * 4;
    starts(m);
    assert_int_equal(world_disk(m, 1)->queues, 1);
}

static void node_is_told(void **state)
{
    struct model *m = model_new();
    m->pci.node = 3;
    starts(m);
    assert_int_equal(world_disk(m, 1)->node, 3);
    nvme_print();
    assert_non_null(strstr(world_json(), "\"node\":3"));
}

// ---- the table ----

static const struct {
    uint16_t vendor, device;
} slow[] = {
    { 0x144d, 0xa808 }, { 0x144d, 0xa813 }, { 0x144d, 0xa821 },
    { 0x144d, 0xa822 }, { 0x144d, 0xa826 }, { 0x1bb1, 0x0100 },
    { 0x1c58, 0x0003 }, { 0x1c58, 0x0023 }, { 0x1c5f, 0x0540 },
};

static void slow_to_reset(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(slow); i++) {
        world_begin(2);
        struct model *m = model_of(slow[i].vendor, slow[i].device);
        m->slow_reset = true;
        m->cc = NVME_CC_EN;
        m->csts = NVME_CSTS_RDY;
        starts(m);
        assert_int_equal(m->resets, 1);
        world_end();
    }
}

static void others_are_not_waited_for(void **state)
{
    struct model *m = model_of(0x144d, 0xa823);
    m->cc = NVME_CC_EN;
    m->csts = NVME_CSTS_RDY;
    uint64_t before = world_now();
    starts(m);
    assert_true(world_now() - before < NS_PER_S);
}

static unsigned kinds_of(uint16_t vendor, uint16_t device)
{
    struct pci_dev dev = { .vendor = vendor, .device = device, .class_code = NVME_PCI_CLASS };
    return nvme_quirk(&dev)->kinds;
}

static void rows(void **state)
{
    static const struct {
        uint16_t vendor, device;
        unsigned kinds;
    } wanted[] = {
        { 0x8086, 0x0953, NVME_QUIRK_STRIPE | NVME_QUIRK_LONG_QUEUES },
        { 0x8086, 0x0a53, NVME_QUIRK_STRIPE | NVME_QUIRK_LONG_QUEUES },
        { 0x8086, 0x0a54, NVME_QUIRK_STRIPE | NVME_QUIRK_LONG_QUEUES },
        { 0x8086, 0x0a55, NVME_QUIRK_STRIPE | NVME_QUIRK_LONG_QUEUES },
        { 0x8086, 0x0b60, NVME_QUIRK_STRIPE | NVME_QUIRK_LONG_QUEUES },
        { 0x8086, 0x5845, NVME_QUIRK_ODD_CNS | NVME_QUIRK_NO_WRITE_ZEROES },
        { 0x144d, 0xa822,
          NVME_QUIRK_RESET_DELAY | NVME_QUIRK_MQES_64 | NVME_QUIRK_NO_WRITE_ZEROES },
        { 0x1bb1, 0x0100, NVME_QUIRK_RESET_DELAY | NVME_QUIRK_NO_DESCRIPTORS },
        { 0x126f, 0x2263, NVME_QUIRK_NO_DESCRIPTORS },
        { 0x1b4b, 0x1092, NVME_QUIRK_NO_DESCRIPTORS },
        { 0x1414, 0xb111, NVME_QUIRK_ADMIN_PAGE },
        { 0x1414, 0xb112, 0 },
        { 0x8086, 0x0a56, 0 },
        { 0x2646, 0x501b, NVME_QUIRK_NO_WRITE_ZEROES },
        { 0x1b36, 0x0010, 0 }, // QEMU's
    };
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        assert_int_equal(kinds_of(wanted[i].vendor, wanted[i].device), wanted[i].kinds);
}

static void all_of_a_vendor(void **state)
{
    assert_int_equal(kinds_of(0x19e5, 0x0123), NVME_QUIRK_NO_SGL);
    assert_int_equal(kinds_of(0x19e5, 0x3714), NVME_QUIRK_NO_SGL);
    assert_int_equal(kinds_of(0x19e6, 0x0123), 0);
}

static void long_queues(void **state)
{
    static const struct {
        unsigned mqes, entries;
    } cases[] = { { 4095, 1024 }, { 1023, 1024 }, { 600, 512 }, { 1, 2 } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        world_begin(2);
        struct model *m = model_of(0x8086, 0x0953);
        field_set(&m->cap, NVME_CAP_MQES, cases[i].mqes);
        starts(m);
        assert_int_equal(world_ctrl(m)->limits.queue_entries, cases[i].entries);
        assert_int_equal(m->queues[1].sq_entries, cases[i].entries);
        world_end();
    }
}

static void admin_queue_of_a_page(void **state)
{
    struct model *m = model_of(0x1414, 0xb111);
    starts(m);
    assert_int_equal(m->queues[0].sq_entries, 64);
}

static void apple(void **state)
{
    struct model *m = model_of(0x106b, 0x2003);
    m->pci.class_code = 0x018000;
    starts(m);
    assert_int_equal(world_ctrl(m)->queues[0]->qp.mask, 255);
}

// One command at a time.
static void apple_with_short_queues(void **state)
{
    struct model *m = model_of(0x106b, 0x2001);
    m->pci.class_code = 0x018002;
    m->queue_most = 2;
    starts(m);
    assert_int_equal(world_ctrl(m)->queues[0]->qp.mask, 1);
    assert_int_equal(world_disk(m, 1)->queues, 1); // shared by both CPUs
}

static void apple_with_long_entries(void **state)
{
    struct model *m = model_of(0x106b, 0x2005);
    m->pci.class_code = 0x018002;
    m->cc = NVME_CC_EN;
    m->csts = NVME_CSTS_RDY;
    fails(m, "nvme-refused",
          "(106b:2005) can't be driven: its submission queues have entries of 128");
    assert_int_equal(m->resets, 0); // not touched
}

static void not_apple(void **state)
{
    struct model *m = model_of(0x106c, 0x2003);
    m->pci.class_code = 0x018000;
    nvme_init();
    assert_int_equal(world_errors(NULL) + world_warnings(), 0);
    assert_null(world_disk(m, 1));
}

static void hidden_by_raid(void **state)
{
    static const uint16_t ids[] = { 0x2822, 0x282a, 0x2826, 0x28d6 };
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        world_begin(2);
        struct model *m = model_of(0x8086, ids[i]);
        m->pci.class_code = 0x010400;
        nvme_init();
        warned_once("nvme-raid", "switch the SATA/NVMe mode from RAID to AHCI/NVMe");
        world_end();
    }
}

static void not_raid(void **state)
{
    model_of(0x8086, 0x2822)->pci.class_code = 0x010601; // in AHCI mode
    model_of(0x1000, 0x0016)->pci.class_code = 0x010400; // another's
    nvme_init();
    assert_int_equal(world_warnings(), 0);
}

#define quirks_test(f) cmocka_unit_test_setup_teardown(f, begin_two, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        quirks_test(asleep),
        quirks_test(asleep_and_slow),
        quirks_test(stays_asleep),
        quirks_test(reads_ones),
        quirks_test(reads_zeros),
        quirks_test(late_to_answer),
        quirks_test(deaf_in_reset),
        quirks_test(deaf_for_good),
        quirks_test(no_queue_entries),
        quirks_test(no_queue_entries_but_64),
        quirks_test(quirk_without_the_fault),
        quirks_test(no_command_set),
        quirks_test(known_caps),
        quirks_test(table_among_the_registers),
        quirks_test(table_behind_the_doorbells),
        quirks_test(node_is_told),
        quirks_test(slow_to_reset),
        quirks_test(others_are_not_waited_for),
        cmocka_unit_test(rows),
        cmocka_unit_test(all_of_a_vendor),
        cmocka_unit_test(long_queues),
        quirks_test(admin_queue_of_a_page),
        quirks_test(apple),
        quirks_test(apple_with_short_queues),
        quirks_test(apple_with_long_entries),
        quirks_test(not_apple),
        quirks_test(hidden_by_raid),
        quirks_test(not_raid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
