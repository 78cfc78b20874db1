// SPDX-License-Identifier: BSD-2-Clause
// Commands to namespaces with metadata, protection information, boundaries and zones, beside plain
// ones. The model checks each field of each command.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

static void protection(void **state)
{
    for (unsigned type = 1; type <= 3; type++) {
        world_begin(2);
        struct model *m = model_new();
        add_formatted(m, 2, 8, type)->data.flbas = type == 2 ? NVME_FLBAS_EXTENDED : 0;
        struct block_dev *dev = start_unwarned(m, 2);
        read_some(dev, 200);
        assert_int_equal(dev->limits.metadata, 8);
        assert_int_equal(m->longest, 512 * KIB);
        world_end();
    }
}

static void protection_past_32_bits(void **state)
{
    struct model *m = model_new();
    add_formatted(m, 2, 8, 1)->data.nsze = 1ull << 40;
    struct world_read r;
    world_read_start(&r, start_unwarned(m, 2), 0, (1ull << 32) - 5, 3000, 0);
    finish_within(&r, 1000);
}

static void metadata_apart(void **state)
{
    struct model *m = model_new();
    add_formatted(m, 2, 64, 0);
    struct block_dev *dev = start_unwarned(m, 2);
    read_some(dev, 200);
    assert_int_equal(dev->max_transfer, 512 * KIB);
    assert_int_equal(m->longest, 512 * KIB);
}

// A command's metadata have room for 64 KiB.
static void many_metadata(void **state)
{
    struct model *m = model_new();
    add_formatted(m, 2, 3000, 0);
    struct block_dev *dev = start_unwarned(m, 2);
    assert_int_equal(dev->max_transfer, 21 * 512);
    read_some(dev, 60);
    assert_int_equal(m->longest, 21 * 512);
}

static void protection_and_metadata(void **state)
{
    struct model *m = model_new();
    add_formatted(m, 2, 16, 1);
    read_some(start_unwarned(m, 2), 200);
}

// In any order: no command has what an earlier one left in its entry.
static void beside_plain_ones(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 7);
    add_formatted(m, 2, 8, 1);
    add_formatted(m, 3, 16, 0);
    add_formatted(m, 4, 8, 3);
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

static void is_shown(void **state)
{
    struct model *m = model_new();
    struct model_namespace *ns = add_formatted(m, 2, 8, 2);
    ns->data.noiob = 256;
    ns->data.nsfeat = NVME_NSFEAT_OPTPERF | NVME_NSFEAT_ATOMIC;
    ns->data.npwg = 7;
    ns->data.nows = 15;
    ns->data.nawun = ns->data.nawupf = 3;
    ns->data.nsattr = NVME_NSATTR_PROTECTED;
    m->id.vwc = NVME_VWC_PRESENT;
    nvme_init();
    print_says(" protection type 2, which the disk checks, commands are cut each 128 KiB, write "
               "protected",
               "\"metadata\":8,\"protection\":2,\"boundary\":131072,\"atomic_write\":2048,"
               "\"atomic_write_power_fail\":2048,\"write_granularity\":4096,\"write_optimal\":8192,"
               "\"deallocate_granularity\":512,\"write_cache\":true,\"read_only\":true}");
}

static void unused_metadata_are_shown(void **state)
{
    struct model *m = model_new();
    add_formatted(m, 2, 64, 0);
    nvme_init();
    print_says(" 64 bytes of metadata for each block, which are not used",
               "\"metadata\":64,\"atomic_write\":512,");
    assert_null(strstr(world_infos(), "cut each")); // plain blocks are no news
}

// The same, without any tags.
static void metadata_beside_plain_ones(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 3);
    add_formatted(m, 2, 16, 0);
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
        add_formatted(m, 2, 8, type);
        struct block_dev *dev = start_unwarned(m, 2);
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
    add_formatted(m, 2, 0, 0)->data.nsattr = NVME_NSATTR_PROTECTED;
    struct block_dev *dev = start_unwarned(m, 2);
    assert_int_equal(dev->ops, BIT32(BLOCK_READ) | BIT32(BLOCK_FLUSH));
    assert_true(dev->limits.read_only);
}

static void what_it_cannot(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start_unwarned(m, 1);
    assert_int_equal(dev->ops, BIT32(BLOCK_READ) | BIT32(BLOCK_FLUSH) | BIT32(BLOCK_WRITE));
}

// ---- boundaries ----

static void boundary(void **state)
{
    struct model *m = model_new();
    add_formatted(m, 2, 0, 0)->data.noiob = 100; // no power of two
    struct block_dev *dev = start_unwarned(m, 2);
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
    add_formatted(m, 2, 0, 0)->data.noiob = 64;
    struct block_dev *dev = start_unwarned(m, 2);
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
    add_formatted(m, 2, 0, 0)->data.noiob = 64;
    m->boundary = 64;
    struct world_read r;
    world_read_start(&r, start_unwarned(m, 2), 0, 0, 8, 0);
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
    struct block_dev *dev = start_unwarned(m, 1);
    assert_int_equal(dev->limits.boundary, 128 * KIB);
    m->boundary = 256;
    read_some(dev, 50);
    assert_int_equal(m->longest, 128 * KIB);
}

// ---- command sets ----

static void told_of_command_sets(void **state)
{
    struct model *m = model_new();
    m->vs = NVME_VERSION(2, 0);
    m->tells_more = true;
    m->id.oncs = NVME_ONCS_WRITE_ZEROES | NVME_ONCS_DSM;
    m->nvm.wzsl = 1;
    m->nvm.dmrsl = 77;
    struct block_dev *dev = start_unwarned(m, 1);
    assert_int_equal(dev->limits.max_zeroes, 8 * KIB);
    assert_int_equal(dev->limits.max_deallocate, 77 * 512);
    carry_out(dev, BLOCK_WRITE_ZEROES, 0, 100);
    assert_int_equal(m->writes, 7);
    carry_out(dev, BLOCK_DEALLOCATE, 0, 100);
    assert_int_equal(m->writes, 9);
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
        metadata_test(told_of_command_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
