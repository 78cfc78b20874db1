// SPDX-License-Identifier: BSD-2-Clause
// Commands to namespaces with metadata, protection information, boundaries and zones, beside plain
// ones. The model checks each field of each command.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

#define BLOCKS 100000ull

static struct model_namespace *make(struct model *m, uint32_t nsid, unsigned metadata,
                                    unsigned type)
{
    struct model_namespace *ns = model_add_namespace(m, nsid, 9, BLOCKS);
    ns->data.lbaf[0] |= metadata;
    ns->data.mc = NVME_MC_SEPARATE | NVME_MC_EXTENDED;
    ns->data.dpc = NVME_DPC_TYPES;
    ns->data.dps = (uint8_t)type;
    return ns;
}

static void read_some(struct block_dev *dev, unsigned count)
{
    struct world_read *reads = calloc(count, sizeof(*reads));
    assert_non_null(dev);
    for (unsigned i = 0; i < count; i++) {
        uint32_t blocks = 1 + (uint32_t)rand() % (i % 8 ? 20 : 3000);
        world_read_start(&reads[i], dev, i % 2, (uint64_t)rand() % (dev->blocks - blocks), blocks,
                         (size_t)rand() % 16 * 4);
    }
    for (unsigned i = 0; i < count; i++)
        finish_within(&reads[i], 20000);
    free(reads);
}

static struct block_dev *only(struct model *m, uint32_t nsid)
{
    nvme_init();
    assert_int_equal(world_errors(NULL) + world_warnings(), 0);
    struct block_dev *dev = world_disk(m, nsid);
    assert_non_null(dev);
    return dev;
}

static void protection(void **state)
{
    for (unsigned type = 1; type <= 3; type++) {
        world_begin(2);
        struct model *m = model_new();
        make(m, 2, 8, type)->data.flbas = type == 2 ? NVME_FLBAS_EXTENDED : 0;
        struct block_dev *dev = only(m, 2);
        read_some(dev, 200);
        assert_int_equal(dev->limits.metadata, 8);
        assert_int_equal(m->longest, 512 * KIB);
        world_end();
    }
}

static void protection_past_32_bits(void **state)
{
    struct model *m = model_new();
    make(m, 2, 8, 1)->data.nsze = 1ull << 40;
    struct world_read r;
    world_read_start(&r, only(m, 2), 0, (1ull << 32) - 5, 3000, 0);
    finish_within(&r, 1000);
}

static void metadata_apart(void **state)
{
    struct model *m = model_new();
    make(m, 2, 64, 0);
    struct block_dev *dev = only(m, 2);
    read_some(dev, 200);
    assert_int_equal(dev->max_transfer, 512 * KIB);
    assert_int_equal(m->longest, 512 * KIB);
}

// A command's metadata have room for 64 KiB.
static void many_metadata(void **state)
{
    struct model *m = model_new();
    make(m, 2, 3000, 0);
    struct block_dev *dev = only(m, 2);
    assert_int_equal(dev->max_transfer, 21 * 512);
    read_some(dev, 60);
    assert_int_equal(m->longest, 21 * 512);
}

static void protection_and_metadata(void **state)
{
    struct model *m = model_new();
    make(m, 2, 16, 1);
    read_some(only(m, 2), 200);
}

// In any order: no command has what an earlier one left in its entry.
static void beside_plain_ones(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 7);
    make(m, 2, 8, 1);
    make(m, 3, 16, 0);
    make(m, 4, 8, 3);
    nvme_init();
    struct world_read reads[6];
    for (unsigned turn = 0; turn < 200; turn++) {
        for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
            world_read_start(&reads[i], world_disk(m, 1 + (uint32_t)rand() % 4), i % 2,
                             (uint64_t)rand() % 90000, 1 + (uint32_t)rand() % 16, 0);
        for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
            finish_within(&reads[i], 20000);
    }
}

static void shown(const char *line, const char *json)
{
    nvme_print();
    if (!strstr(world_infos(), line))
        fail_msg("\"%s\" doesn't say \"%s\"", world_infos(), line);
    if (!strstr(world_json(), json))
        fail_msg("\"%s\" doesn't say \"%s\"", world_json(), json);
}

static void is_shown(void **state)
{
    struct model *m = model_new();
    struct model_namespace *ns = make(m, 2, 8, 2);
    ns->data.noiob = 256;
    ns->data.nsfeat = NVME_NSFEAT_OPTPERF | NVME_NSFEAT_ATOMIC;
    ns->data.npwg = 7;
    ns->data.nows = 15;
    ns->data.nawun = ns->data.nawupf = 3;
    ns->data.nsattr = NVME_NSATTR_PROTECTED;
    m->id.vwc = NVME_VWC_PRESENT;
    nvme_init();
    shown(" protection type 2, which the disk checks, commands are cut each 128 KiB, write "
          "protected",
          "\"metadata\":8,\"protection\":2,\"boundary\":131072,\"atomic_write\":2048,"
          "\"atomic_write_power_fail\":2048,\"write_granularity\":4096,\"write_optimal\":8192,"
          "\"deallocate_granularity\":512,\"write_cache\":true,\"read_only\":true}");
}

static void unused_metadata_are_shown(void **state)
{
    struct model *m = model_new();
    make(m, 2, 64, 0);
    nvme_init();
    shown(" 64 bytes of metadata for each block, which are not used",
          "\"metadata\":64,\"atomic_write\":512,");
    assert_null(strstr(world_infos(), "cut each")); // plain blocks are no news
}

// The same, without any tags.
static void metadata_beside_plain_ones(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 3);
    make(m, 2, 16, 0);
    nvme_init();
    for (unsigned turn = 0; turn < 50; turn++)
        reads_well(world_disk(m, 1 + turn % 2), 0);
}

// ---- writes and what has no data ----

static void done(struct block_req *req)
{
    *(bool *)req->arg = true;
}

static void carry_out(struct block_dev *dev, enum block_op op, uint64_t lba, uint32_t blocks)
{
    static uint8_t buffer[64 * KIB] __attribute__((aligned(4096)));
    bool ended = false;
    static struct block_req req;
    memset(buffer, (int)lba, sizeof(buffer));
    req = (struct block_req){
        .dev = dev,
        .op = op,
        .lba = lba,
        .blocks = blocks,
        .buffer = buffer,
        .done = done,
        .arg = &ended,
    };
    dev->writable = true;
    block_submit(&req);
    assert_true(world_run(&ended, 1000));
    assert_int_equal(req.status, BLOCK_OK);
}

static void all_operations(void **state)
{
    for (unsigned type = 0; type <= 3; type++) {
        world_begin(2);
        struct model *m = model_new();
        m->id.oncs = NVME_ONCS_WRITE_ZEROES | NVME_ONCS_VERIFY | NVME_ONCS_DSM | NVME_ONCS_COMPARE;
        make(m, 2, 8, type);
        struct block_dev *dev = only(m, 2);
        carry_out(dev, BLOCK_READ, 1234, 100);
        carry_out(dev, BLOCK_WRITE, 1234, 100);
        carry_out(dev, BLOCK_WRITE, 1234, 1);
        carry_out(dev, BLOCK_WRITE_ZEROES, 99, 7);
        carry_out(dev, BLOCK_VERIFY, 99, 7);
        carry_out(dev, BLOCK_DEALLOCATE, 99, 7);
        carry_out(dev, BLOCK_FLUSH, 0, 0);
        assert_false(dev->ops & BIT32(BLOCK_COMPARE));
        assert_true(world_disk(m, 1)->ops & BIT32(BLOCK_COMPARE));
        carry_out(world_disk(m, 1), BLOCK_WRITE, 5, 1);
        carry_out(world_disk(m, 1), BLOCK_COMPARE, 5, 1);
        read_some(world_disk(m, 1), 1);
        world_end();
    }
}

static void read_only(void **state)
{
    struct model *m = model_new();
    m->id.oncs = NVME_ONCS_WRITE_ZEROES | NVME_ONCS_DSM;
    make(m, 2, 0, 0)->data.nsattr = NVME_NSATTR_PROTECTED;
    struct block_dev *dev = only(m, 2);
    assert_int_equal(dev->ops, BIT32(BLOCK_READ) | BIT32(BLOCK_FLUSH));
    assert_true(dev->limits.read_only);
}

static void what_it_cannot(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = only(m, 1);
    assert_int_equal(dev->ops, BIT32(BLOCK_READ) | BIT32(BLOCK_FLUSH) | BIT32(BLOCK_WRITE));
}

// ---- boundaries ----

static void boundary(void **state)
{
    struct model *m = model_new();
    make(m, 2, 0, 0)->data.noiob = 100; // no power of two
    struct block_dev *dev = only(m, 2);
    assert_int_equal(dev->limits.boundary, 100 * 512);
    m->boundary = 100;
    read_some(dev, 300);
    assert_int_equal(m->longest, 100 * 512);
    carry_out(dev, BLOCK_WRITE, 50, 120);
    carry_out(dev, BLOCK_WRITE, 99, 1);
}

static void one_command_where_it_fits(void **state)
{
    struct model *m = model_new();
    make(m, 2, 0, 0)->data.noiob = 64;
    struct block_dev *dev = only(m, 2);
    struct world_read r;
    for (unsigned i = 0; i < 8; i++) {
        unsigned before = m->reads;
        world_read_start(&r, dev, 0, 64 + 8 * i, 8, 0);
        finish(&r);
        assert_int_equal(m->reads - before, 1);
    }
    world_read_start(&r, dev, 0, 60, 8, 0);
    finish(&r);
    assert_int_equal(m->reads, 10);
}

// The same request again and again, across the boundary and not.
static void prepared_once(void **state)
{
    struct model *m = model_new();
    make(m, 2, 0, 0)->data.noiob = 64;
    m->boundary = 64;
    struct world_read r;
    world_read_start(&r, only(m, 2), 0, 0, 8, 0);
    for (uint64_t lba = 0; lba < 300; lba += 3) {
        assert_true(world_run(&r.done, 100));
        assert_int_equal(r.req.status, BLOCK_OK);
        r.done = false;
        r.req.lba = lba;
        block_resubmit(&r.req);
    }
    assert_true(world_run(&r.done, 100));
    r.done_cpu = 0;
    r.req.arg = NULL;
    ends_well(&r);
}

static void stripes(void **state)
{
    struct model *m = model_new();
    m->pci.vendor = 0x8086;
    m->pci.device = 0x0a54;
    m->id.vs[3] = 5;
    struct block_dev *dev = only(m, 1);
    assert_int_equal(dev->limits.boundary, 128 * KIB);
    m->boundary = 256;
    read_some(dev, 50);
    assert_int_equal(m->longest, 128 * KIB);
}

// ---- zones ----

static struct model *zoned_model(uint64_t zone)
{
    struct model *m = model_new();
    m->cap |= NVME_CAP_CSS_ALL;
    m->tells_more = true;
    m->zasl = 4;
    struct model_namespace *ns = make(m, 2, 0, 0);
    ns->csi = NVME_CSI_ZONED;
    ns->zoned.mar = ns->zoned.mor = ~0u;
    ns->zoned.lbafe[0].zsze = zone;
    return m;
}

static void reads_across_zones(void **state)
{
    struct model *m = zoned_model(1000);
    struct block_dev *dev = only(m, 2);
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
    world_read_start(&r, only(m, 2), 0, 995, 10, 0);
    finish(&r);
    assert_int_equal(m->reads, 1);
}

static void zones_are_shown(void **state)
{
    struct model *m = zoned_model(1000);
    m->namespaces[1].zoned.mor = 3;
    m->namespaces[1].zoned.mar = 5;
    nvme_init();
    shown(" 100 zones of 500 KiB",
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
    make(m, 2, metadata, type)->elbaf = elbaf;
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
        struct block_dev *dev = only(m, 2);
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
    only(m, 1);
    for (unsigned i = 0; i < m->admin_count; i++)
        assert_true((m->admin_log[i].head & 0xff) != NVME_ADMIN_IDENTIFY ||
                    m->admin_log[i].cdw10 <= NVME_CNS_ACTIVE_LIST);
}

static void told_of_command_sets(void **state)
{
    struct model *m = model_new();
    m->vs = NVME_VERSION(2, 0);
    m->tells_more = true;
    m->id.oncs = NVME_ONCS_WRITE_ZEROES | NVME_ONCS_DSM;
    m->nvm.wzsl = 1;
    m->nvm.dmrsl = 77;
    struct block_dev *dev = only(m, 1);
    assert_int_equal(dev->limits.max_zeroes, 8 * KIB);
    assert_int_equal(dev->limits.max_deallocate, 77 * 512);
    carry_out(dev, BLOCK_WRITE_ZEROES, 0, 100);
    assert_int_equal(m->writes, 7);
    carry_out(dev, BLOCK_DEALLOCATE, 0, 100);
    assert_int_equal(m->writes, 9);
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

#define metadata_test(f) cmocka_unit_test_setup_teardown(f, begin_two, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protection),
        metadata_test(protection_past_32_bits),
        metadata_test(metadata_apart),
        metadata_test(many_metadata),
        metadata_test(protection_and_metadata),
        metadata_test(beside_plain_ones),
        metadata_test(metadata_beside_plain_ones),
        metadata_test(is_shown),
        metadata_test(unused_metadata_are_shown),
        cmocka_unit_test(all_operations),
        metadata_test(read_only),
        metadata_test(what_it_cannot),
        metadata_test(boundary),
        metadata_test(one_command_where_it_fits),
        metadata_test(prepared_once),
        metadata_test(stripes),
        metadata_test(reads_across_zones),
        metadata_test(reads_that_may_cross),
        metadata_test(zones_are_shown),
        metadata_test(zones_that_can_t_be),
        metadata_test(unknown_command_set),
        cmocka_unit_test(extended_formats),
        metadata_test(extended_formats_that_are_refused),
        metadata_test(nothing_more_is_asked),
        metadata_test(told_of_command_sets),
        cmocka_unit_test(silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
