// SPDX-License-Identifier: BSD-2-Clause
// Copies within a disk: cut as its limits say, and what comes of them.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/recover.h"
#include "tests/host/nvme_fixture.h"

#define BLOCK 512

static struct model *m;
static struct block_dev *dev;

static void begin(unsigned cpus, uint16_t mssrl, uint32_t mcl, uint8_t msrc)
{
    world_begin(cpus);
    m = model_new();
    m->id.oncs = NVME_ONCS_COPY;
    m->id.ocfs = 1;
    m->namespaces[0].data.mssrl = mssrl;
    m->namespaces[0].data.mcl = mcl;
    m->namespaces[0].data.msrc = msrc;
}

static void start_it(void)
{
    dev = start(m);
    dev->writable = true;
    assert_true(dev->ops & BIT32(BLOCK_COPY));
    assert_int_equal(world_warnings(), 0);
}

// ---- which ranges ----

static const struct block_source three[] = { { 1000, 10 }, { 5, 1 }, { 2000, 20 } };

static void is_run(uint32_t source_most, uint32_t ranges_most, uint32_t first, uint32_t most,
                   uint32_t run)
{
    struct nvme_copy c = { source_most, ranges_most };
    struct block_req req = { .sources = three, .blocks = 31 };
    assert_int_equal(nvme_copy_run(&c, &req, first, most), run);
}

static void how_many_one_command_takes(void **state)
{
    is_run(100, 8, 0, 31, 31);
    is_run(100, 3, 0, 31, 31);
    is_run(100, 2, 0, 31, 11);
    is_run(100, 1, 0, 31, 10);
    is_run(100, 1, 9, 22, 1);
    is_run(100, 1, 10, 21, 1);
    is_run(100, 1, 11, 20, 20);
    is_run(4, 3, 0, 31, 10);
    is_run(4, 4, 0, 31, 11);
    is_run(4, 5, 0, 31, 15);
    is_run(100, 8, 0, 7, 7);
    is_run(100, 8, 30, 1, 1);
}

static void their_ranges(void **state)
{
    struct nvme_copy c = { 8, 8 };
    struct block_req req = { .sources = three, .blocks = 31 };
    struct nvme_copy_range list[8];
    static const uint64_t lbas[] = { 1003, 5, 2000, 2008 };
    static const unsigned blocks[] = { 7, 1, 8, 2 };
    for (unsigned tagged = 0; tagged < 2; tagged++) {
        memset(list, 0xff, sizeof(list));
        assert_int_equal(nvme_copy_list(&c, &req, 3, 18, tagged ? UINT32_MAX : 0, list), 4);
        for (unsigned i = 0; i < 4; i++) {
            struct nvme_copy_range expected = { .slba = lbas[i],
                                                .nlb = (uint16_t)(blocks[i] - 1),
                                                .eilbrt = tagged ? (uint32_t)lbas[i] : 0 };
            assert_memory_equal(&list[i], &expected, sizeof(expected));
        }
        assert_int_equal(list[4].slba, UINT64_MAX);
    }
}

// ---- what comes of it ----

static bool ended;

static void done(struct block_req *req)
{
    assert_false(ended);
    ended = true;
}

static struct block_req request(const struct block_source *sources, size_t count, uint64_t lba)
{
    struct block_req req = {
        .dev = dev, .op = BLOCK_COPY, .lba = lba, .sources = sources, .done = done
    };
    for (size_t i = 0; i < count; i++)
        req.blocks += sources[i].blocks;
    return req;
}

static void submit(struct block_req *req, unsigned cpu)
{
    ended = false;
    world_use_cpu(cpu);
    block_submit(req);
    world_use_cpu(0);
}

static void is_copied(const struct block_source *sources, size_t count, uint64_t lba)
{
    static uint8_t data[BLOCK];
    for (size_t i = 0; i < count; i++)
        for (uint32_t block = 0; block < sources[i].blocks; block++, lba++) {
            model_disk_read(m, dev->nsid, lba * BLOCK, data, BLOCK);
            assert_true(model_holds(dev->nsid, (sources[i].lba + block) * BLOCK, data, BLOCK));
        }
    model_disk_read(m, dev->nsid, lba * BLOCK, data, BLOCK);
    assert_true(model_holds(dev->nsid, lba * BLOCK, data, BLOCK));
}

static void copies(const struct block_source *sources, size_t count, uint64_t lba, unsigned cpu)
{
    struct block_req req = request(sources, count, lba);
    submit(&req, cpu);
    assert_true(world_run(&ended, 2000));
    assert_int_equal(req.status, BLOCK_OK);
    is_copied(sources, count, lba);
}

// The model looks at each limit.
static void cut_by_each_limit(void **state)
{
    static const struct {
        uint16_t mssrl;
        uint32_t mcl;
        uint8_t msrc;
        unsigned commands, ranges;
    } limits[] = {
        { 128, 128, 127, 1, 3 }, { 20, 31, 2, 1, 3 },     { 20, 30, 2, 2, 4 }, { 20, 31, 1, 2, 3 },
        { 10, 31, 3, 1, 4 },     { 65535, ~0u, 0, 3, 3 }, { 1, 1, 0, 31, 31 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        begin(1, limits[i].mssrl, limits[i].mcl, limits[i].msrc);
        start_it();
        assert_int_equal(dev->limits.max_copy_source, limits[i].mssrl * 512ull);
        assert_int_equal(dev->limits.max_copy, limits[i].mcl * 512ull);
        assert_int_equal(dev->limits.copy_sources, limits[i].msrc + 1);
        copies(three, 3, 50000, 0);
        assert_int_equal(m->copies, limits[i].commands);
        assert_int_equal(m->copy_ranges, limits[i].ranges);
        world_end();
    }
}

// More ranges than a slot's list has room for.
static void many_sources(void **state)
{
    static struct block_source sources[300];
    begin(1, 128, 4096, 255);
    for (unsigned i = 0; i < 300; i++)
        sources[i] = (struct block_source){ (uint64_t)rand() % 10000, 1 + (uint32_t)rand() % 3 };
    start_it();
    copies(sources, 300, 20000, 0);
    assert_in_range(m->copies, 2, 20);
}

static void of_all_sizes(void **state)
{
    begin(2, 128, 128, 7);
    m->grants = 1;
    m->order = MODEL_RANDOM;
    field_set(&m->cap, NVME_CAP_MQES, 3);
    start_it();
    for (unsigned i = 0; i < 100; i++) {
        struct block_source sources[4];
        for (unsigned s = 0; s < 4; s++)
            sources[s] = (struct block_source){ (uint64_t)rand() % 10000,
                                                1 + (uint32_t)rand() % (i % 4 ? 20 : 1000) };
        copies(sources, 4, 20000 + i * 8000ull, i % 2);
    }
    assert_int_equal(world_errors(NULL), 0);
}

static void between_reads_and_writes(void **state)
{
    begin(1, 128, 128, 127);
    field_set(&m->cap, NVME_CAP_MQES, 3);
    start_it();
    for (unsigned i = 0; i < 20; i++) {
        copies(three, 3, 50000 + i * 100ull, 0);
        reads_well(dev, 0);
    }
}

static void durable_where_asked(void **state)
{
    begin(1, 20, 31, 0);
    start_it();
    struct block_req req = request(three, 3, 50000);
    req.fua = true;
    submit(&req, 0);
    assert_true(world_run(&ended, 100));
    assert_int_equal(m->copies, 3);
    assert_int_equal(m->fuas, 3);
    copies(three, 3, 60000, 0);
    assert_int_equal(m->fuas, 3);
}

// ---- formats ----

static void with_protection(void **state)
{
    for (unsigned type = 0; type <= 3; type++)
        for (unsigned metadata = 8; metadata <= 16; metadata += 8) {
            begin(1, 16, 16, 1);
            struct nvme_identify_namespace *data = &m->namespaces[0].data;
            data->lbaf[0] |= metadata;
            data->mc = NVME_MC_SEPARATE;
            data->dpc = NVME_DPC_TYPES;
            data->dps = (uint8_t)type;
            start_it();
            copies(three, 3, 50000, 0);
            world_end();
        }
}

static void not_on_zones(void **state)
{
    begin(1, 128, 128, 127);
    m->cap |= NVME_CAP_CSS_ALL;
    m->tells_more = true;
    m->vs = NVME_VERSION(2, 0);
    struct model_namespace *ns = &m->namespaces[0];
    ns->csi = NVME_CSI_ZONED;
    ns->zoned.lbafe[0].zsze = 1 << 14;
    ns->zoned.mar = ns->zoned.mor = ~0u;
    nvme_init();
    dev = world_disk(m, 1);
    assert_non_null(dev);
    assert_int_equal(dev->ops & BIT32(BLOCK_COPY), 0);
}

// ---- who can't ----

static void not_there(const char *warning)
{
    dev = start(m);
    assert_int_equal(dev->ops & BIT32(BLOCK_COPY), 0);
    assert_int_equal(dev->limits.max_copy + dev->limits.max_copy_source + dev->limits.copy_sources,
                     0);
    assert_int_equal(world_warnings(), warning != NULL);
    if (warning)
        assert_non_null(strstr(world_last_warning(), warning));
    world_end();
}

static void who_cannot(void **state)
{
    begin(1, 128, 128, 127);
    m->id.oncs = 0;
    not_there(NULL);
    begin(1, 128, 128, 127);
    m->id.ocfs = 2;
    not_there("but not by format 0");
    begin(1, 0, 128, 127);
    not_there("it copies 0 blocks a range and 128 in all (MSSRL, MCL): not used");
    begin(1, 128, 127, 127);
    not_there("it copies 128 blocks a range and 127 in all");
    begin(1, 128, 128, 127);
    m->namespaces[0].data.nsattr = NVME_NSATTR_PROTECTED;
    dev = start(m);
    assert_int_equal(dev->ops & BIT32(BLOCK_COPY), 0);
}

// ---- trouble ----

static void an_error(void **state)
{
    begin(1, 10, 10, 127);
    start_it();
    m->error_lba = 2003;
    m->error_status = NVME_STATUS(2, 0x81) | NVME_STATUS_DNR;
    struct block_req req = request(three, 3, 50000);
    submit(&req, 0);
    assert_true(world_run(&ended, 100));
    assert_int_equal(req.status, BLOCK_ERROR);
    assert_int_equal(req.detail, m->error_status);
    assert_non_null(strstr(world_last_warning(), "a copy of 31 blocks at LBA 50000 failed"));
}

static void again_after_an_error(void **state)
{
    begin(1, 10, 10, 127);
    start_it();
    m->error_lba = 2003;
    m->errors_left = 2;
    copies(three, 3, 50000, 0);
}

static void over_a_reset(void **state)
{
    begin(1, 4, 8, 127);
    start_it();
    m->hold = true;
    struct block_req req = request(three, 3, 50000);
    submit(&req, 0);
    world_round();
    nvme_recover_reset(world_ctrl(m));
    world_pass(NS_PER_S);
    m->hold = false;
    world_pass(5 * NS_PER_S);
    assert_true(ended);
    assert_int_equal(req.status, BLOCK_OK);
    is_copied(three, 3, 50000);
}

#define copy_test(f) cmocka_unit_test_teardown(f, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_many_one_command_takes),
        cmocka_unit_test(their_ranges),
        cmocka_unit_test(cut_by_each_limit),
        copy_test(many_sources),
        copy_test(of_all_sizes),
        copy_test(between_reads_and_writes),
        copy_test(durable_where_asked),
        cmocka_unit_test(with_protection),
        copy_test(not_on_zones),
        copy_test(who_cannot),
        copy_test(an_error),
        copy_test(again_after_an_error),
        copy_test(over_a_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
