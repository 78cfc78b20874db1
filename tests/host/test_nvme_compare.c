// SPDX-License-Identifier: BSD-2-Clause
// Comparisons: a difference is an answer that nobody is warned of, and an error is none.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

#define BLOCKS 64u
#define LBA 1000

static struct model *m;
static struct block_dev *dev;
static uint8_t data[BLOCKS * 512] __attribute__((aligned(4096)));
static bool ended;

static int begin(void **state)
{
    world_begin(1);
    m = model_new();
    m->id.oncs = NVME_ONCS_COMPARE;
    m->id.mdts = 1; // 16 blocks
    dev = start(m);
    model_expect(dev->nsid, LBA * 512ull, data, sizeof(data));
    return 0;
}

static void done(struct block_req *req)
{
    ended = true;
}

static void compares(uint32_t blocks, enum block_status status)
{
    struct block_req req = {
        .dev = dev, .op = BLOCK_COMPARE, .lba = LBA, .blocks = blocks, .buffer = data, .done = done
    };
    ended = false;
    block_submit(&req);
    assert_true(world_run(&ended, 100));
    assert_int_equal(req.status, status);
}

static void equal_data(void **state)
{
    compares(1, BLOCK_OK);
    compares(BLOCKS, BLOCK_OK);
    assert_int_equal(m->compares, 1 + BLOCKS / 16);
}

static void other_data(void **state)
{
    static const uint32_t dnr[] = { 0, NVME_STATUS_DNR };
    for (size_t i = 0; i < ARRAY_SIZE(dnr); i++) {
        m->differs_status = NVME_STATUS(2, 0x85) | dnr[i];
        m->compares = 0;
        data[511] ^= 1;
        compares(1, BLOCK_DIFFERS);
        assert_int_equal(m->compares, 1); // not tried again
        data[511] ^= 1;
        data[40 * 512] ^= 1;
        compares(BLOCKS, BLOCK_DIFFERS);
        data[40 * 512] ^= 1;
        compares(BLOCKS, BLOCK_OK);
    }
    assert_int_equal(world_warnings() + world_errors(NULL), 0);
}

static void an_error_is_no_difference(void **state)
{
    m->error_lba = LBA + 20;
    m->error_status = NVME_STATUS(2, 0x81) | NVME_STATUS_DNR;
    compares(BLOCKS, BLOCK_ERROR);
    data[0] ^= 1; // ahead of it
    compares(BLOCKS, BLOCK_ERROR);
    m->error_lba = ~0ull;
    compares(BLOCKS, BLOCK_DIFFERS);
    data[0] ^= 1;
    assert_int_equal(world_warnings(), 2);
}

// The status means something else there.
static void of_comparisons_alone(void **state)
{
    struct world_read r;
    m->error_lba = 5;
    m->error_status = NVME_STATUS(2, 0x85) | NVME_STATUS_DNR;
    world_read_start(&r, dev, 0, 5, 1, 0);
    assert_true(world_run(&r.done, 50));
    ends(&r, BLOCK_ERROR);
}

#define compare_test(f) cmocka_unit_test_setup_teardown(f, begin, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        compare_test(equal_data),
        compare_test(other_data),
        compare_test(an_error_is_no_difference),
        compare_test(of_comparisons_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
