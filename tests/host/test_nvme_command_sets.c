// SPDX-License-Identifier: BSD-2-Clause
// Namespaces of command sets beside the first one, and of formats that have to be enabled: what the
// driver asks about them, and how their commands look.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

// ---- zones ----

static struct model *zoned_model(uint64_t zone)
{
    struct model *m = model_new();
    m->cap |= NVME_CAP_CSS_ALL;
    m->tells_more = true;
    m->zasl = 4;
    struct model_namespace *ns = add_formatted(m, 2, 0, 0);
    ns->csi = NVME_CSI_ZONED;
    ns->zoned.mar = ns->zoned.mor = ~0u;
    ns->zoned.lbafe[0].zsze = zone;
    return m;
}

static void reads_across_zones(void **state)
{
    struct model *m = zoned_model(1000);
    struct block_dev *dev = start_unwarned(m, 2);
    assert_int_equal(dev->limits.zone, 1000 * 512);
    assert_int_equal(dev->limits.max_append, 64 * KIB);
    read_some(dev, 300);
    struct world_read r;
    world_read_start(&r, dev, 0, 995, 10, 0);
    unsigned before = m->reads;
    finish(&r);
    assert_int_equal(m->reads - before, 2);
}

static void reads_that_may_cross(void **state)
{
    struct model *m = zoned_model(1000);
    m->namespaces[1].zoned.ozcs = NVME_OZCS_READ_ACROSS;
    struct world_read r;
    world_read_start(&r, start_unwarned(m, 2), 0, 995, 10, 0);
    finish(&r);
    assert_int_equal(m->reads, 1);
}

static void zones_are_shown(void **state)
{
    struct model *m = zoned_model(1000);
    m->namespaces[1].zoned.mor = 3;
    m->namespaces[1].zoned.mar = 5;
    nvme_init();
    print_says(" 100 zones of 500 KiB",
               "\"zone_size\":512000,\"zones\":100,\"max_open_zones\":4,\"max_active_zones\":6,"
               "\"max_append\":65536}");
}

static void passed_over(struct model *m, const char *what, const char *text)
{
    nvme_init();
    assert_null(world_disk(m, 2));
    assert_int_equal(world_errors(NULL), 0);
    assert_int_equal(world_warnings(), 1);
    assert_string_equal(world_last_warning_what(), what);
    assert_non_null(strstr(world_last_warning(), text));
    reads_well(world_disk(m, 1), 0);
}

static void zones_that_can_t_be(void **state)
{
    passed_over(zoned_model(0), "nvme-zone-size", "n2: zones of 0 blocks");
}

static void unknown_command_set(void **state)
{
    struct model *m = zoned_model(1000);
    m->namespaces[1].csi = 1; // key value
    passed_over(m, "nvme-command-set", "n2: its command set is 01h");
}

static struct model *extended_model(unsigned metadata, unsigned type, uint32_t elbaf)
{
    struct model *m = model_new();
    m->tells_more = true;
    m->id.ctratt = NVME_CTRATT_ELBAS;
    add_formatted(m, 2, metadata, type)->elbaf = elbaf;
    return m;
}

// Their tags take two fields of a command; enabled again after each reset, and sizes may change.
static void extended_formats(void **state)
{
    static const uint32_t elbaf[] = { 5, 1 << 7 | 16, 1 << 7 | 60, 2 << 7, 2 << 7 | 40 };
    for (size_t i = 0; i < ARRAY_SIZE(elbaf); i++) {
        world_begin(2);
        struct model *m = extended_model(i ? 16 : 8, 1 + i % 3, elbaf[i]);
        m->id.aerl = 3;
        m->id.oaes = NVME_AEN_NAMESPACES;
        m->namespaces[1].data.nsze = 1ull << 50;
        struct block_dev *dev = start_unwarned(m, 2);
        read_some(dev, 100);
        read_some(world_disk(m, 1), 100);
        struct world_read far;
        world_read_start(&far, dev, 0, (1ull << 49) + (1ull << 40) - 5, 30, 0);
        finish(&far);
        nvme_recover_reset(world_ctrl(m));
        world_pass(NS_PER_S);
        read_some(dev, 100);
        model_resize(m, 2, 1ull << 49);
        world_pass(3 * NS_PER_S);
        assert_int_equal(dev->blocks, 1ull << 49);
        world_end();
    }
}

static void extended_formats_that_are_refused(void **state)
{
    struct model *m = extended_model(16, 1, 2 << 7);
    m->fail_opcode = NVME_ADMIN_SET_FEATURES;
    m->fail_cns = NVME_FEATURE_HOST_BEHAVIOR; // CDW10
    passed_over(m, "nvme-extended", "n2: its format 0 is an extended one");
}

// Nothing more is asked of controllers that have one command set, and are alone.
static void nothing_more_is_asked(void **state)
{
    struct model *m = model_new();
    start_unwarned(m, 1);
    for (unsigned i = 0; i < m->admin_count; i++)
        assert_true((m->admin_log[i].head & 0xff) != NVME_ADMIN_IDENTIFY ||
                    m->admin_log[i].cdw10 <= NVME_CNS_ACTIVE_LIST);
}

// A controller that doesn't answer is given up, whatever it was asked.
static void silent_about(unsigned cns)
{
    world_begin(2);
    world_set_clock_step(NS_PER_MS);
    struct model *m = zoned_model(1000);
    m->ignore_opcode = NVME_ADMIN_IDENTIFY;
    m->fail_cns = cns;
    nvme_init();
    assert_int_equal(world_errors("nvme-admin-timeout"), 1);
    assert_int_equal(world_errors(NULL), 1);
    assert_int_equal(world_warnings(), 0);
    world_end();
}

static void silence(void **state)
{
    silent_about(NVME_CNS_DESCRIPTORS);
    silent_about(NVME_CNS_INDEPENDENT_NAMESPACE);
    silent_about(NVME_CNS_CSI_NAMESPACE);
    silent_about(NVME_CNS_CSI_CONTROLLER);
}

#define sets_test(f) cmocka_unit_test_setup_teardown(f, begin_two, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        sets_test(reads_across_zones),
        sets_test(reads_that_may_cross),
        sets_test(zones_are_shown),
        sets_test(zones_that_can_t_be),
        sets_test(unknown_command_set),
        cmocka_unit_test(extended_formats),
        sets_test(extended_formats_that_are_refused),
        sets_test(nothing_more_is_asked),
        cmocka_unit_test(silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
