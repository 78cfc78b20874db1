// SPDX-License-Identifier: BSD-2-Clause
// What a controller tells of its own accord: its health, its namespaces, its firmware.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/events.h"
#include "kernel/base/cpus.h"
#include "tests/host/nvme_fixture.h"
#include "tests/host/nvme_world.h"

static struct model *m;
static struct block_dev *dev;

static int begin(void **state)
{
    world_begin(1);
    m = model_new();
    m->id.aerl = 3;
    m->id.oaes = BIT32(8 + NVME_NOTICE_NAMESPACES) | BIT32(8 + NVME_NOTICE_FIRMWARE);
    m->id.mtfa = 100; // 10 s
    dev = start(m);
    return 0;
}

static void listens(void **state)
{
    assert_int_equal(m->listeners_count, 4);
    assert_int_equal(m->features[NVME_FEATURE_EVENTS], m->id.oaes | 0x1f);
    nvme_recover_reset(world_ctrl(m));
    world_pass(NS_PER_S);
    assert_int_equal(m->listeners_count, 4);
    assert_int_equal(m->features[NVME_FEATURE_EVENTS], m->id.oaes | 0x1f);
}

// Told anew after a reset; the count is 0-based, and the time in steps, neither past its field.
static void coalesces_as(unsigned count, uint64_t us, uint32_t value)
{
    world_end();
    world_begin(1);
    nvme_set_coalescing(count, us);
    m = model_new();
    m->features[NVME_FEATURE_COALESCING] = 0x5555;
    dev = start(m);
    assert_int_equal(m->features[NVME_FEATURE_COALESCING], value);
    nvme_recover_reset(world_ctrl(m));
    world_pass(5 * NS_PER_S);
    assert_int_equal(m->features[NVME_FEATURE_COALESCING], value == 0x5555 ? 0 : value);
    nvme_set_coalescing(0, 0);
}

static void coalesces(void **state)
{
    coalesces_as(0, 100, 0x5555); // not asked for
    coalesces_as(1, 100, 0x0100);
    coalesces_as(8, 150, 0x0207);
    coalesces_as(256, 25500, 0xffff);
    coalesces_as(300, 99999, 0xffff);
}

static void refuses_to_coalesce(void **state)
{
    world_end();
    world_begin(1);
    nvme_set_coalescing(8, 100);
    m = model_new();
    m->fail_opcode = NVME_ADMIN_SET_FEATURES;
    m->fail_cns = NVME_FEATURE_COALESCING; // CDW10
    dev = start(m);
    reads_well(dev, 0);
    assert_int_equal(world_warnings(), 1);
    assert_string_equal(world_last_warning_what(), "nvme-coalescing");
    nvme_set_coalescing(0, 0);
}

static void listens_to_no_more_than_it_may(void **state)
{
    world_end();
    world_begin(1);
    m = model_new();
    m->id.aerl = 0;
    start(m);
    world_pass(3 * NS_PER_S);
    assert_int_equal(m->listeners_count, 1);
    assert_int_equal(world_errors(NULL), 0);
}

static void a_controller_without_events_is_as_good(void **state)
{
    world_end();
    world_begin(1);
    m = model_new();
    m->fail_opcode = NVME_ADMIN_ASYNC_EVENT;
    dev = start(m);
    world_pass(3 * NS_PER_S);
    reads_well(dev, 0);
    assert_int_equal(world_errors(NULL), 0);
}

// ---- health ----

static void sends_warning(uint8_t warning)
{
    m->smart[0] = warning;
    m->smart[1] = (273 + 85) % 256;
    m->smart[2] = (273 + 85) / 256;
    assert_true(model_event(m, MODEL_EVENT_TEMPERATURE));
    world_pass(3 * NS_PER_S);
}

static void tells_what_its_health_is(void **state)
{
    sends_warning(NVME_SMART_TEMPERATURE);
    assert_int_equal(world_warnings(), 1);
    assert_non_null(strstr(world_last_warning(), "the temperature is past a threshold (85 C)"));
    sends_warning(NVME_SMART_TEMPERATURE); // no news
    assert_int_equal(world_warnings(), 1);
    sends_warning(NVME_SMART_TEMPERATURE | NVME_SMART_SPARE);
    assert_int_equal(world_warnings(), 2);
    assert_non_null(strstr(world_last_warning(), "spare blocks run short"));
    assert_int_equal(m->logs_read, 3);
    assert_int_equal(m->listeners_count, 4);
}

// ---- namespaces ----

static void takes_a_new_namespace(void **state)
{
    assert_true(model_attach(m, 3, 12, 10000));
    world_pass(3 * NS_PER_S);
    struct block_dev *new = world_disk(m, 3);
    assert_non_null(new);
    assert_int_equal(new->blocks, 10000);
    assert_int_equal(new->block_size, 4096);
    reads_well(new, 0);
}

static void follows_a_new_size(void **state)
{
    struct world_read r;
    uint64_t blocks = dev->blocks;
    model_resize(m, 1, blocks + 100);
    world_pass(3 * NS_PER_S);
    assert_int_equal(dev->blocks, blocks + 100);
    world_read_start(&r, dev, 0, blocks + 99, 1, 0);
    finish(&r);
    model_resize(m, 1, 100);
    world_pass(3 * NS_PER_S);
    assert_int_equal(dev->blocks, 100);
    world_read_start(&r, dev, 0, 99, 2, 0);
    assert_true(world_run(&r.done, 10));
    assert_int_equal(r.req.detail, BLOCK_DETAIL_RANGE);
    ends(&r, BLOCK_ERROR);
    assert_non_null(strstr(world_last_warning(), "it has 100 blocks now, and had 1048676"));
}

// Another one has its number, or its format.
static void notices_another_one(void **state)
{
    for (unsigned i = 0; i < 4; i++) {
        world_end();
        begin(state);
        struct nvme_identify_namespace *data = &m->namespaces[0].data;
        if (i == 0)
            data->nguid[15] = 1;
        if (i == 1)
            data->eui64[0] = 1;
        if (i == 2)
            data->lbaf[0] |= 8, data->mc = NVME_MC_SEPARATE;
        if (i == 3)
            data->lbaf[0] = 12 << 16;
        model_resize(m, 1, dev->blocks + 1);
        world_pass(3 * NS_PER_S);
        assert_true(dev->gone);
        assert_true(world_disk(m, 1) && world_disk(m, 1) != dev);
        assert_string_equal(world_last_warning_what(), "nvme-ns-gone");
    }
}

// Who knows it may go on, with what it has prepared and with more; there is only nothing to be had.
static void notices_that_one_is_gone(void **state)
{
    struct world_read before, after;
    world_read_start(&before, dev, 0, 5, 1, 0);
    assert_true(world_run(&before.done, 10));
    model_detach(m, 1);
    world_pass(3 * NS_PER_S);
    assert_null(world_disk(m, 1));
    assert_null(world_ctrl(m)->namespaces);
    assert_int_equal(dev->blocks, 1 << 20);
    assert_non_null(strstr(world_last_warning(), "it is gone"));
    world_read_start(&after, dev, 0, 5, 1, 0);
    assert_true(world_run(&after.done, 10));
    ends(&after, BLOCK_GONE);
    before.done = false;
    block_resubmit(&before.req);
    assert_true(world_run(&before.done, 10));
    ends(&before, BLOCK_GONE);
    assert_int_equal(world_ctrl(m)->queues[0]->retries, 0);
    assert_int_equal(world_warnings(), 1);
}

// The same number is another disk then.
static void one_comes_back(void **state)
{
    assert_true(model_attach(m, 3, 9, 5000));
    world_pass(3 * NS_PER_S);
    for (unsigned i = 0; i < 3; i++) {
        struct block_dev *old = world_disk(m, 1);
        model_detach(m, 1);
        world_pass(3 * NS_PER_S);
        assert_null(world_disk(m, 1));
        assert_true(model_attach(m, 1, i ? 12 : 9, 10000 + i));
        world_pass(3 * NS_PER_S);
        assert_true(old->gone && world_disk(m, 1) != old);
        assert_int_equal(world_disk(m, 1)->blocks, 10000 + i);
        reads_well(world_disk(m, 1), 0);
        assert_int_equal(block_first() == old, false);
    }
    reads_well(world_disk(m, 3), 0);
    model_detach(m, 1); // the last of the list, and the first that comes after it
    world_pass(3 * NS_PER_S);
    assert_true(model_attach(m, 4, 9, 5000));
    world_pass(3 * NS_PER_S);
    reads_well(world_disk(m, 4), 0);
}

// Of a list that grows while it is read.
static void takes_many_changes(void **state)
{
    for (uint32_t nsid = 2; nsid <= MODEL_NAMESPACES; nsid++)
        model_attach(m, nsid, 9, 1000 * nsid);
    world_pass(2 * NS_PER_S);
    model_resize(m, 4, 44);
    model_detach(m, 5);
    world_pass(5 * NS_PER_S);
    for (uint32_t nsid = 2; nsid <= MODEL_NAMESPACES; nsid++)
        if (nsid != 5)
            assert_int_equal(world_disk(m, nsid)->blocks, nsid == 4 ? 44 : 1000 * nsid);
    assert_null(world_disk(m, 5));
    assert_int_equal(m->told_types, 0);
}

// ---- no answer ----

// The page that an event names never comes: a reset, and events are heard again.
static void a_page_that_never_comes(void **state)
{
    unsigned resets = m->resets;
    m->ignore_opcode = NVME_ADMIN_GET_LOG_PAGE;
    m->smart[0] = NVME_SMART_SPARE;
    assert_true(model_event(m, MODEL_EVENT_RELIABILITY));
    world_pass(25 * NS_PER_S);
    assert_int_equal(m->resets, resets);
    world_pass(10 * NS_PER_S);
    assert_int_equal(m->resets, resets + 1);
    assert_non_null(strstr(world_last_warning(), "is reset: it doesn't answer"));
    m->ignore_opcode = -1;
    sends_warning(NVME_SMART_SPARE);
    assert_non_null(strstr(world_last_warning(), "spare blocks run short"));
    world_pass(100 * NS_PER_S); // the requests that wait for events may wait
    assert_int_equal(m->resets, resets + 1);
    reads_well(dev, 0);
}

// ---- firmware ----

static void activation_stops_the_clock(void **state)
{
    struct world_read r;
    nvme_set_timeout(1000);
    assert_true(model_event(m, MODEL_EVENT_ACTIVATION));
    model_pause(m, true);
    world_read_start(&r, dev, 0, 5, 1, 0);
    world_pass(9 * NS_PER_S);
    assert_false(r.done);
    model_pause(m, false);
    world_pass(NS_PER_S / 2);
    ends_well(&r);
    assert_int_equal(world_errors(NULL), 0);
    assert_int_equal(world_warnings(), 1);
    assert_non_null(strstr(world_last_warning(), "new firmware is being activated: commands wait "
                                                 "for up to 10000 ms"));
}

static void but_not_for_ever(void **state)
{
    struct world_read r;
    nvme_set_timeout(1000);
    model_pause(m, true);
    world_read_start(&r, dev, 0, 5, 1, 0);
    world_pass(25 * NS_PER_S);
    assert_true(r.done);
    ends(&r, BLOCK_TIMEOUT);
}

#define events_test(f) cmocka_unit_test_setup_teardown(f, begin, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        events_test(listens),
        events_test(coalesces),
        events_test(refuses_to_coalesce),
        events_test(listens_to_no_more_than_it_may),
        events_test(a_controller_without_events_is_as_good),
        events_test(tells_what_its_health_is),
        events_test(takes_a_new_namespace),
        events_test(follows_a_new_size),
        events_test(notices_another_one),
        events_test(notices_that_one_is_gone),
        events_test(one_comes_back),
        events_test(takes_many_changes),
        events_test(a_page_that_never_comes),
        events_test(activation_stops_the_clock),
        events_test(but_not_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
