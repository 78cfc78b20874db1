// SPDX-License-Identifier: BSD-2-Clause
// Reports, appends, finishes and resets of zones, against a model that moves write pointers.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"
#include "tests/host/nvme_world.h"

#define ZONE 1000ull // blocks
#define ZONES 50

static struct model *m;
static struct model_namespace *ns;
static struct block_dev *dev;

static void start_zoned(void)
{
    nvme_init();
    assert_int_equal(world_errors(NULL) + world_warnings(), 0);
    dev = world_disk(m, 2);
    assert_non_null(dev);
    dev->writable = true;
}

static int begin(void **state)
{
    world_begin(2);
    m = model_new();
    m->cap |= NVME_CAP_CSS_ALL;
    m->tells_more = true;
    m->zasl = 2; // 16 KiB
    ns = model_add_namespace(m, 2, 9, ZONE * ZONES);
    ns->csi = NVME_CSI_ZONED;
    ns->zoned.mar = ns->zoned.mor = ~0u;
    ns->zoned.lbafe[0].zsze = ZONE;
    return 0;
}

// One request, with a buffer of its own.
struct op {
    struct block_req req;
    uint8_t bytes[NVME_PAGE * 5] __attribute__((aligned(4096)));
    bool done;
};

static void done(struct block_req *req)
{
    container_of(req, struct op, req)->done = true;
}

static void submit(struct op *op, enum block_op kind, uint64_t lba, uint32_t blocks)
{
    op->done = false;
    op->req = (struct block_req){
        .dev = dev,
        .op = kind,
        .lba = lba,
        .blocks = blocks,
        .buffer = op->bytes,
        .done = done,
    };
    block_submit(&op->req);
}

static void finish_op(struct op *op, enum block_status status)
{
    assert_true(world_run(&op->done, 1000));
    assert_int_equal(op->req.status, status);
}

static struct op op;

static void carry_out(enum block_op kind, uint64_t lba, uint32_t blocks)
{
    submit(&op, kind, lba, blocks);
    finish_op(&op, BLOCK_OK);
}

static struct block_zone zones[ZONES];

static size_t report(uint64_t first, uint32_t blocks)
{
    struct problem p;
    size_t count;
    memset(op.bytes, 0xff, sizeof(op.bytes));
    carry_out(BLOCK_ZONE_REPORT, first, blocks);
    if (!dev->read_zones(dev, op.bytes, blocks * 512, first, zones, ZONES, &count, &p))
        fail_msg("%s", p.message);
    return count;
}

static void is_zone(unsigned n, const char *state, uint64_t used)
{
    report(n * ZONE, 1);
    assert_int_equal(zones[0].start, n * ZONE);
    assert_int_equal(zones[0].capacity, ZONE);
    assert_string_equal(zones[0].state, state);
    assert_int_equal(zones[0].write_pointer, n * ZONE + used);
}

static void reports(void **state)
{
    start_zoned();
    assert_int_equal(report(0, 1), 7); // 64 bytes each, and a header of as many
    assert_int_equal(report(0, 8), ZONES);
    assert_int_equal(report(48 * ZONE, 8), 2);
    is_zone(49, "empty", 0);
}

static void appends(void **state)
{
    start_zoned();
    memset(op.bytes, 0x5a, sizeof(op.bytes));
    carry_out(BLOCK_ZONE_APPEND, 3 * ZONE, 8);
    assert_int_equal(op.req.lba, 3 * ZONE);
    carry_out(BLOCK_ZONE_APPEND, 3 * ZONE, 32);
    assert_int_equal(op.req.lba, 3 * ZONE + 8);
    is_zone(3, "implicitly open", 40);
    memset(op.bytes, 0, sizeof(op.bytes));
    carry_out(BLOCK_READ, 3 * ZONE, 40);
    for (unsigned i = 0; i < 40 * 512; i++)
        assert_int_equal(op.bytes[i], 0x5a);
}

// Both halves of the result, by a zone past 2^32.
static void append_far_away(void **state)
{
    ns->zoned.lbafe[0].zsze = 1ull << 33;
    ns->data.nsze = 3ull << 33;
    start_zoned();
    carry_out(BLOCK_ZONE_APPEND, 1ull << 34, 1);
    carry_out(BLOCK_ZONE_APPEND, 1ull << 34, 1);
    assert_int_equal(op.req.lba, (1ull << 34) + 1);
}

static void many_appends(void **state)
{
    static struct op ops[100];
    bool taken[100] = { false };
    m->order = MODEL_RANDOM;
    start_zoned();
    for (unsigned i = 0; i < ARRAY_SIZE(ops); i++)
        submit(&ops[i], BLOCK_ZONE_APPEND, 7 * ZONE, 1);
    for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
        finish_op(&ops[i], BLOCK_OK);
        uint64_t at = ops[i].req.lba - 7 * ZONE;
        assert_true(at < ARRAY_SIZE(taken) && !taken[at]);
        taken[at] = true;
    }
}

static void finishes_and_resets(void **state)
{
    start_zoned();
    carry_out(BLOCK_ZONE_APPEND, ZONE, 5);
    carry_out(BLOCK_ZONE_FINISH, ZONE, 1);
    is_zone(1, "full", ZONE);
    submit(&op, BLOCK_ZONE_APPEND, ZONE, 1);
    finish_op(&op, BLOCK_ERROR);
    assert_non_null(
        strstr(world_last_warning(), "n2: a zone append of 1 blocks at LBA 1000 failed"));
    carry_out(BLOCK_ZONE_RESET, ZONE, 1);
    is_zone(1, "empty", 0);
    is_zone(0, "empty", 0);
}

static void writes_at_the_pointer(void **state)
{
    start_zoned();
    carry_out(BLOCK_WRITE, 0, 8);
    carry_out(BLOCK_WRITE, 8, 32);
    is_zone(0, "implicitly open", 40);
}

// Only what reads is left.
static void not_named(void **state)
{
    static const enum block_op ops[] = { BLOCK_ZONE_APPEND, BLOCK_ZONE_FINISH, BLOCK_ZONE_RESET };
    start_zoned();
    dev->writable = false;
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
        submit(&op, ops[i], 0, 1);
        finish_op(&op, BLOCK_ERROR);
        assert_int_equal(op.req.detail, BLOCK_DETAIL_PROTECTED);
    }
    assert_int_equal(report(0, 8), ZONES);
    assert_int_equal(m->writes, 0);
}

static void what_it_has(void **state)
{
    start_zoned();
    assert_int_equal(dev->ops & ~0x7fu, 0xfu << BLOCK_ZONE_REPORT);
    assert_int_equal(world_disk(m, 1)->ops & ~0x7fu, 0);
    assert_null(world_disk(m, 1)->read_zones);
}

static void what_it_has_with_protection(void **state)
{
    ns->data.lbaf[0] |= 8;
    ns->data.dpc = ns->data.dps = 1;
    start_zoned();
    assert_false(dev->ops & BIT32(BLOCK_ZONE_APPEND));
    assert_true(dev->ops & BIT32(BLOCK_ZONE_RESET));
}

static void append_with_metadata(void **state)
{
    ns->data.lbaf[0] |= 16;
    ns->data.mc = NVME_MC_SEPARATE;
    start_zoned();
    carry_out(BLOCK_ZONE_APPEND, 0, 4);
    is_zone(0, "implicitly open", 4);
}

// ---- errors and resets: no append is tried twice ----

static void append_that_fails(void **state)
{
    start_zoned();
    m->error_lba = 0;
    m->error_status = NVME_STATUS(2, 0x80);
    submit(&op, BLOCK_ZONE_APPEND, 0, 1);
    finish_op(&op, BLOCK_ERROR);
    assert_int_equal(m->commands, 1);
}

static void append_over_a_reset(void **state)
{
    start_zoned();
    world_set_clock_step(NS_PER_MS);
    m->hold = true;
    submit(&op, BLOCK_ZONE_APPEND, 0, 1);
    static struct op other;
    submit(&other, BLOCK_READ, 0, 1);
    world_round();
    m->csts |= NVME_CSTS_CFS;
    world_pass(20 * NS_PER_S);
    m->hold = false;
    finish_op(&op, BLOCK_TIMEOUT);
    finish_op(&other, BLOCK_OK);
    is_zone(0, "empty", 0);
    carry_out(BLOCK_ZONE_APPEND, 0, 1); // completions are looked at as before
    carry_out(BLOCK_ZONE_APPEND, 0, 1);
    assert_int_equal(op.req.lba, 1);
}

// Entries that zones have used have nothing of theirs left for others.
static void beside_plain_ones(void **state)
{
    field_set(&m->cap, NVME_CAP_MQES, 3);
    start_zoned();
    for (unsigned i = 0; i < 30; i++) {
        carry_out(BLOCK_ZONE_RESET, i * ZONE, 1);
        report(0, 1);
        reads_well(world_disk(m, 1), 0);
    }
}

#define ops_test(f) cmocka_unit_test_setup_teardown(f, begin, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ops_test(reports),
        ops_test(appends),
        ops_test(append_far_away),
        ops_test(many_appends),
        ops_test(finishes_and_resets),
        ops_test(writes_at_the_pointer),
        ops_test(not_named),
        ops_test(what_it_has),
        ops_test(what_it_has_with_protection),
        ops_test(append_with_metadata),
        ops_test(append_that_fails),
        ops_test(append_over_a_reset),
        ops_test(beside_plain_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
