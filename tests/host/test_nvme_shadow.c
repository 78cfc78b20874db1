// SPDX-License-Identifier: BSD-2-Clause
// Shadow doorbells: stores that reach the controller as well as doorbells do, registers written where
// it asks for that, and none of it where they are not wanted, not there, refused or reset.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/recover.h"
#include "drivers/nvme/shadow.h"
#include "tests/host/nvme_fixture.h"

static struct model *m;
static struct block_dev *dev;

static void begin_with(bool wanted, bool there, unsigned cpus)
{
    world_begin(cpus);
    nvme_shadow_set(wanted);
    m = model_new();
    m->id.oacs = there ? NVME_OACS_DBBUF : 0;
}

static void reads(unsigned count, unsigned cpus)
{
    for (unsigned i = 0; i < count; i++)
        reads_well(dev, i % cpus);
}

static int end_unwanted(void **state)
{
    nvme_shadow_set(false);
    return end_world(state);
}

// ---- the rule of B.5 ----

static bool store(uint32_t old, uint32_t new, uint32_t event)
{
    uint32_t value = old;
    struct nvme_shadow shadow = { &value, &event };
    bool told = nvme_shadow_store(&shadow, new);
    assert_int_equal(value, new);
    return told;
}

static void it_is_told_as_the_event_is_passed(void **state)
{
    assert_true(store(5, 6, 5));
    assert_true(store(5, 9, 5));
    assert_true(store(5, 9, 8));
    assert_false(store(5, 9, 9));
    assert_false(store(5, 9, 4));
    assert_false(store(5, 6, 6));
    assert_true(store(254, 1, 255)); // the ring's end: as if 65,280 entries were passed
    assert_true(store(65535, 2, 65535));
    assert_true(store(65535, 2, 0));
    assert_false(store(65535, 2, 3));
    assert_false(store(7, 7, 7));
}

// ---- with a controller ----

static void all_goes_by_memory(void **state)
{
    begin_with(true, true, 2);
    dev = start(m);
    assert_true(m->shadows && m->shadow_events);
    reads(4, 2); // now it has looked at all of them
    m->mute = true;
    reads(4, 2);
    unsigned before = m->doorbells;
    reads(700, 2); // over the ring's end, where more seems to have passed
    assert_in_range(m->doorbells - before, 0, 2 * 700 / 256 + 1);
    assert_true(m->queues[1].tail_writes + m->queues[2].tail_writes > 700);
    nvme_shutdown();
}

static void it_is_told_where_it_asks(void **state)
{
    begin_with(true, true, 1);
    dev = start(m);
    reads(300, 1);
    unsigned before = m->doorbells;
    reads(100, 1);
    assert_in_range(m->doorbells - before, 100, 200);
}

static void with_far_doorbells(void **state)
{
    begin_with(true, true, 4);
    field_set(&m->cap, NVME_CAP_DSTRD, 5);
    dev = start(m);
    assert_true(m->shadows);
    reads(40, 4);
}

static void not_with_too_many_queues(void **state)
{
    begin_with(true, true, 4);
    field_set(&m->cap, NVME_CAP_DSTRD, 8); // 1 KiB each: a page has two queues'
    dev = start(m);
    assert_int_equal(m->shadows, 0);
    reads(40, 4);
}

static void not_there(void **state)
{
    begin_with(true, false, 2);
    dev = start(m);
    assert_int_equal(m->shadows, 0);
    reads(40, 2);
}

static void not_wanted(void **state)
{
    begin_with(false, true, 2);
    dev = start(m);
    assert_int_equal(m->shadows, 0);
    reads(40, 2);
}

static void refused(void **state)
{
    begin_with(true, true, 2);
    m->fail_opcode = NVME_ADMIN_DBBUF_CONFIG;
    dev = start(m);
    assert_null(world_ctrl(m)->queues[0]->qp.sq_shadow.value);
    reads(40, 2);
    assert_int_equal(world_errors(NULL) + world_warnings(), 0);
}

// Registers until the controller has been told anew, which the model checks: a shadow is as its
// register, or there is none.
static void again_after_a_reset(void **state)
{
    begin_with(true, true, 2);
    dev = start(m);
    reads(301, 2);
    for (unsigned i = 1; i < 4; i++) {
        nvme_recover_reset(world_ctrl(m));
        world_pass(5 * NS_PER_S);
        assert_int_equal(m->starts, i + 1);
        assert_true(m->shadows);
        reads(301, 2);
    }
    m->fail_opcode = NVME_ADMIN_DBBUF_CONFIG;
    nvme_recover_reset(world_ctrl(m));
    world_pass(5 * NS_PER_S);
    assert_int_equal(m->shadows, 0);
    reads(301, 2);
    assert_int_equal(world_errors(NULL), 0);
}

#define shadow_test(f) cmocka_unit_test_teardown(f, end_unwanted)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_told_as_the_event_is_passed),
        shadow_test(all_goes_by_memory),
        shadow_test(it_is_told_where_it_asks),
        shadow_test(with_far_doorbells),
        shadow_test(not_with_too_many_queues),
        shadow_test(not_there),
        shadow_test(not_wanted),
        shadow_test(refused),
        shadow_test(again_after_a_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
