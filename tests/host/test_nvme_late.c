// SPDX-License-Identifier: BSD-2-Clause
// Namespaces that are attached while the controller runs, and whose commands need more than those of
// plain blocks: none of the commands around them may keep a field of theirs, nor they lack one.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/cpus.h"
#include "tests/host/nvme_fixture.h"
#include "tests/host/nvme_world.h"

#define CPUS 2
#define BLOCKS 100000ull
#define READS 20 // of the load, on each CPU
#define LATE 2   // the namespace

static struct model *m;
static struct block_dev *dev; // plain, and there from the start
static struct world_read load[CPUS * READS];
static bool load_stops;
static unsigned load_ended;

static int begin(void **state)
{
    world_begin(CPUS);
    m = model_new();
    m->grants = CPUS;
    m->id.aerl = 3;
    m->id.oaes = NVME_AEN_NAMESPACES;
    m->cap |= NVME_CAP_CSS_ALL;
    m->tells_more = true;
    field_set(&m->cap, NVME_CAP_MQES, 7); // so that entries are soon used again
    dev = start(m);
    return 0;
}

static void load_done(struct block_req *req)
{
    struct world_read *r = container_of(req, struct world_read, req);
    assert_int_equal(req->status, BLOCK_OK);
    assert_true(model_holds(1, req->lba * 512, req->buffer, req->blocks * 512ull));
    load_ended++;
    if (load_stops)
        return world_read_done(req);
    r->req.lba = (uint64_t)rand() % 90000;
    block_resubmit(req);
}

static void start_load(void)
{
    load_stops = false;
    load_ended = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(load); i++)
        world_read_start_for(&load[i], dev, i % CPUS, i, i % 4 ? 1 : 20, 0, load_done);
}

static void stop_load(void)
{
    load_stops = true;
    for (unsigned i = 0; i < ARRAY_SIZE(load); i++) {
        assert_true(world_run(&load[i].done, 1000));
        world_read_free(&load[i]);
    }
}

enum kind { PROTECTED, WITH_METADATA, ZONED, KINDS };

static void attach(enum kind kind)
{
    assert_true(model_attach(m, LATE, 9, BLOCKS));
    struct model_namespace *ns = model_find_namespace(m, LATE);
    ns->data.mc = NVME_MC_SEPARATE;
    ns->data.dpc = NVME_DPC_TYPES;
    if (kind == ZONED) {
        ns->csi = NVME_CSI_ZONED;
        ns->zoned.mar = ns->zoned.mor = ~0u;
        ns->zoned.lbafe[0].zsze = 1000;
    } else {
        ns->data.lbaf[0] |= kind == PROTECTED ? 8 : 64;
        ns->data.dps = kind == PROTECTED;
    }
}

static struct block_dev *wait_for_it(void)
{
    for (unsigned i = 0; i < 5000 && !world_disk(m, LATE); i++) {
        world_skip(NS_PER_MS);
        world_round();
    }
    assert_non_null(world_disk(m, LATE));
    return world_disk(m, LATE);
}

static void all_read(struct block_dev *late)
{
    struct world_read reads[12];
    for (unsigned turn = 0; turn < 50; turn++) {
        for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
            world_read_start(&reads[i], i % 3 ? late : dev, i % CPUS, (uint64_t)rand() % 90000,
                             1 + (uint32_t)rand() % 16, 0);
        for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
            finish_within(&reads[i], 20000);
    }
}

static void serves_it_under_load(void **state)
{
    for (enum kind kind = 0; kind < KINDS; kind++) {
        begin(state);
        start_load();
        attach(kind);
        struct block_dev *late = wait_for_it();
        assert_non_null(strstr(world_infos(), "n2: it was attached"));
        unsigned before = load_ended;
        all_read(late);
        assert_true(load_ended > before);
        stop_load();
        assert_int_equal(world_errors(NULL) + world_warnings(), 0);
        world_end();
    }
}

// Zones: where the data of an append went is in its completion.
static struct block_req append;
static bool appended;

static void append_done(struct block_req *req)
{
    appended = true;
}

static void appends_to_its_zones(void **state)
{
    static uint8_t bytes[512] __attribute__((aligned(512)));
    start_load();
    attach(ZONED);
    struct block_dev *late = wait_for_it();
    late->writable = true;
    for (unsigned i = 0; i < 3; i++) {
        append = (struct block_req){
            .dev = late,
            .op = BLOCK_ZONE_APPEND,
            .lba = 3000,
            .blocks = 1,
            .buffer = bytes,
            .done = append_done,
        };
        appended = false;
        block_submit(&append);
        assert_true(world_run(&appended, 1000));
        assert_int_equal(append.status, BLOCK_OK);
        assert_int_equal(append.lba, 3000 + i);
    }
    stop_load();
}

// Nobody knows it before each queue's owner has been told, wherever that is by then.
static void is_known_once_all_queues_are_ready(void **state)
{
    attach(PROTECTED);
    world_skip(2 * NS_PER_S);
    for (unsigned i = 0; i < 20; i++) {
        world_turn(0, WORLD_TIMERS);
        model_work(m);
        world_skip(2 * NS_PER_MS);
        world_turn(0, WORLD_MESSAGES);
    }
    assert_null(world_disk(m, LATE));
    assert_true(world_ctrl(m)->queues[0]->in_full);
    assert_false(world_ctrl(m)->queues[1]->in_full);
    move_now(m, 1, 0); // the message goes after it
    world_turn(1, WORLD_MESSAGES);
    assert_false(world_ctrl(m)->queues[1]->in_full);
    all_read(wait_for_it());
    assert_true(world_ctrl(m)->queues[1]->in_full);
}

// It is gone before all queues are ready.
static void goes_before_it_has_come(void **state)
{
    attach(PROTECTED);
    world_skip(2 * NS_PER_S);
    for (unsigned i = 0; i < 20; i++) {
        world_turn(0, WORLD_TIMERS);
        model_work(m);
        world_skip(2 * NS_PER_MS);
    }
    model_detach(m, LATE);
    world_skip(2 * NS_PER_S);
    for (unsigned i = 0; i < 20; i++) {
        world_turn(0, WORLD_TIMERS);
        model_work(m);
        world_skip(2 * NS_PER_MS);
    }
    world_pass(NS_PER_S);
    assert_null(world_disk(m, LATE));
    attach(WITH_METADATA);
    all_read(wait_for_it());
}

// A second one finds the queues ready, and comes the same way.
static void a_second_one(void **state)
{
    attach(WITH_METADATA);
    all_read(wait_for_it());
    assert_true(model_attach(m, 3, 12, 1000));
    model_find_namespace(m, 3)->data.lbaf[0] |= 16;
    world_pass(3 * NS_PER_S);
    struct block_dev *second = world_disk(m, 3);
    assert_non_null(second);
    struct world_read r;
    world_read_start(&r, second, 1, 5, 3, 0);
    finish(&r);
}

#define late_test(f) cmocka_unit_test_setup_teardown(f, begin, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_it_under_load),
        late_test(appends_to_its_zones),
        late_test(is_known_once_all_queues_are_ready),
        late_test(goes_before_it_has_come),
        late_test(a_second_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
