// SPDX-License-Identifier: BSD-2-Clause
// Commands that fail and may be tried again: as often as there is hope, as late as the controller
// asks for, and never where it says that it is no use.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"
#include "tests/host/nvme_world.h"

#define BAD_LBA 100

static struct model *m;
static struct block_dev *dev;

static int begin(void **state)
{
    world_begin(1);
    m = model_new();
    m->id.crdt1 = 1; // 100 ms
    m->id.crdt2 = 20;
    m->id.crdt3 = 300;
    m->id.mdts = 1; // 8 KiB
    m->error_lba = BAD_LBA;
    dev = start(m);
    world_set_clock_step(0);
    return 0;
}

static void fail_with(unsigned status, unsigned times)
{
    m->error_status = status;
    m->errors_left = times;
}

static unsigned retry_after(unsigned crd)
{
    return NVME_STATUS(2, 0x81) | (unsigned)field_put(NVME_STATUS_CRD, crd);
}

static void read_at(struct world_read *r, uint64_t lba, uint32_t blocks)
{
    world_read_start(r, dev, 0, lba, blocks, 0);
}

static void tries_again(void **state)
{
    struct world_read r;
    fail_with(retry_after(0), 2);
    read_at(&r, BAD_LBA, 1);
    finish_within(&r, 10);
    assert_int_equal(m->commands, 3);
    assert_int_equal(world_warnings() + world_errors(NULL), 0);
}

// Each submission has as many tries.
static void tries_only_so_often(void **state)
{
    for (unsigned i = 0; i < 3; i++) {
        struct world_read r;
        unsigned before = m->commands;
        fail_with(retry_after(0), ~0u);
        read_at(&r, BAD_LBA, 1);
        assert_true(world_run(&r.done, 50));
        assert_int_equal(r.req.detail, NVME_STATUS(2, 0x81));
        ends(&r, BLOCK_ERROR);
        assert_int_equal(m->commands - before, 1 + NVME_TRIES_MOST);
    }
    assert_int_equal(world_warnings(), 3);
}

static struct {
    unsigned left;
    bool done;
} again;

static void read_again(struct block_req *req)
{
    assert_int_equal(req->status, BLOCK_OK);
    m->errors_left = NVME_TRIES_MOST;
    if (again.left--)
        block_resubmit(req);
    else
        again.done = true;
}

static void submit_five_times(uint32_t blocks, size_t misalign, unsigned commands)
{
    struct world_read r;
    unsigned before = m->commands;
    fail_with(retry_after(0), NVME_TRIES_MOST);
    again.left = 4;
    again.done = false;
    world_read_start_for(&r, dev, 0, BAD_LBA, blocks, misalign, read_again);
    assert_true(world_run(&again.done, 200));
    assert_int_equal(m->commands - before, 5 * (1 + NVME_TRIES_MOST) * commands);
    world_read_free(&r);
}

// Those, too, that are one command with a list of pages, or several.
static void a_request_that_is_submitted_again_has_new_tries(void **state)
{
    submit_five_times(1, 0, 1);
    submit_five_times(16, 512, 1);
    submit_five_times(40, 0, 3);
}

static void not_where_it_is_no_use(void **state)
{
    struct world_read r;
    fail_with(NVME_STATUS(2, 0x81) | NVME_STATUS_DNR, ~0u);
    read_at(&r, BAD_LBA, 1);
    assert_true(world_run(&r.done, 10));
    ends(&r, BLOCK_ERROR);
    assert_int_equal(m->commands, 1);
}

static void waits_as_it_is_told(void **state)
{
    static const uint64_t ms[] = { 0, 100, 2000, 30000 };
    for (unsigned crd = 1; crd <= 3; crd++) {
        struct world_read r;
        unsigned before = m->commands;
        fail_with(retry_after(crd), 1);
        read_at(&r, BAD_LBA, 1);
        world_round();
        world_round();
        assert_int_equal(m->commands - before, 1);
        world_skip(ms[crd] * NS_PER_MS - 4000);
        world_round();
        assert_int_equal(m->commands - before, 1);
        world_skip(4000);
        finish_within(&r, 10);
        assert_int_equal(m->commands - before, 2);
    }
}

// Each at its own time, whichever failed first.
static void waits_for_each(void **state)
{
    struct world_read slow, fast;
    fail_with(retry_after(2), 1);
    read_at(&slow, BAD_LBA, 1);
    world_round();
    world_round();
    fail_with(retry_after(1), 1);
    read_at(&fast, BAD_LBA, 2);
    world_round();
    world_round();
    world_skip(100 * NS_PER_MS);
    finish_within(&fast, 10);
    assert_false(slow.done);
    world_skip(1900 * NS_PER_MS);
    finish_within(&slow, 10);
}

// The host says that it heeds delays, at the start and after a reset.
static bool has_said_so(void)
{
    bool said = m->features[NVME_FEATURE_EVENTS];
    for (unsigned i = 0; i < m->admin_count && i < ARRAY_SIZE(m->admin_log); i++) {
        const struct nvme_sqe *sqe = &m->admin_log[i];
        if (field_get(NVME_SQE_OPC, sqe->head) == NVME_ADMIN_SET_FEATURES &&
            sqe->cdw10 == NVME_FEATURE_HOST_BEHAVIOR)
            return said && *(const uint8_t *)model_memory(m, sqe->prp1) == 1;
    }
    return false;
}

static void says_that_it_heeds_them(void **state)
{
    assert_true(has_said_so());
    m->admin_count = 0;
    nvme_recover_reset(world_ctrl(m));
    world_set_clock_step(1000);
    world_pass(NS_PER_S);
    assert_true(has_said_so());
}

// One of its commands fails: all of it is read again, once all have ended.
static void a_long_read_is_read_again(void **state)
{
    struct world_read r;
    fail_with(retry_after(1), 1);
    m->order = MODEL_LIFO;
    read_at(&r, BAD_LBA - 50, 200);
    world_round();
    world_round();
    assert_int_equal(m->commands, 13);
    world_skip(100 * NS_PER_MS);
    finish_within(&r, 10);
    assert_int_equal(m->commands, 26);
}

static void a_long_read_fails_once(void **state)
{
    struct world_read r;
    fail_with(retry_after(0), ~0u);
    read_at(&r, BAD_LBA - 50, 200);
    assert_true(world_run(&r.done, 50));
    ends(&r, BLOCK_ERROR);
    assert_int_equal(m->commands, 13 * (1 + NVME_TRIES_MOST));
    assert_int_equal(world_warnings(), 1);
}

// Its queue is elsewhere by then; its end is where it was submitted.
static void a_queue_takes_it_along(void **state)
{
    world_end();
    world_begin(2);
    m = model_new();
    m->id.crdt1 = 1;
    m->error_lba = BAD_LBA;
    dev = start(m);
    struct world_read r;
    fail_with(retry_after(1), 1);
    read_at(&r, BAD_LBA, 1);
    world_round();
    world_round();
    move_now(m, 0, 1);
    world_pass(200 * NS_PER_MS);
    ends_well(&r);
}

static void a_reset_does_not_lose_it(void **state)
{
    struct world_read r;
    fail_with(retry_after(2), 1);
    read_at(&r, BAD_LBA, 1);
    world_round();
    world_round();
    world_set_clock_step(1000);
    nvme_recover_reset(world_ctrl(m));
    m->ready_delay_ns = 3 * NS_PER_S;
    world_pass(5 * NS_PER_S);
    assert_false(r.done);
    world_pass(3 * NS_PER_S);
    ends_well(&r);
}

static void ends_with_its_controller(void **state)
{
    struct world_read r, split;
    fail_with(retry_after(3), 2);
    read_at(&r, BAD_LBA, 1);
    read_at(&split, BAD_LBA - 50, 200);
    world_round();
    world_round();
    world_set_clock_step(1000);
    is_given_up(m);
    world_pass(NS_PER_MS);
    ends(&r, BLOCK_GONE);
    ends(&split, BLOCK_GONE);
    world_pass(40 * NS_PER_S);
    assert_int_equal(world_errors(NULL), 1);
}

#define retry_test(f) cmocka_unit_test_setup_teardown(f, begin, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        retry_test(tries_again),
        retry_test(tries_only_so_often),
        retry_test(a_request_that_is_submitted_again_has_new_tries),
        retry_test(not_where_it_is_no_use),
        retry_test(waits_as_it_is_told),
        retry_test(waits_for_each),
        retry_test(says_that_it_heeds_them),
        retry_test(a_long_read_is_read_again),
        retry_test(a_long_read_fails_once),
        retry_test(a_queue_takes_it_along),
        retry_test(a_reset_does_not_lose_it),
        retry_test(ends_with_its_controller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
