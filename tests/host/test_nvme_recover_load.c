// SPDX-License-Identifier: BSD-2-Clause
// Recovery while others work: their disks keep their speed, and under load what goes in comes out, once.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/cpus.h"
#include "tests/host/nvme_fixture.h"

// ---- other disks ----

static unsigned served;

static void serve_again(struct block_req *req)
{
    assert_int_equal(req->status, BLOCK_OK);
    served++;
    if (served < 5000)
        block_resubmit(req);
    else
        container_of(req, struct world_read, req)->done = true;
}

// Nobody waits for a reset: not even for the 2.5 s that this one's registers mustn't be read.
static void other_disks_are_served_meanwhile(void **state)
{
    struct model *slow = model_new(), *other = model_new();
    slow->pci.vendor = 0x144d;
    slow->pci.device = 0xa821;
    slow->ready_delay_ns = 3 * NS_PER_S;
    start(slow);
    unsigned resets = slow->resets;
    struct world_read r;
    served = 0;
    world_read_start_for(&r, world_disk(other, 1), 0, 7, 8, 0, serve_again);
    model_fails(slow, FAILS_ASKED);
    uint64_t begun = world_now();
    while (served < 4000) {
        uint64_t before = world_now();
        world_round();
        assert_in_range(world_now() - before, 0, NS_PER_MS);
        world_skip(NS_PER_MS);
    }
    assert_in_range(world_now() - begun, 0, 7 * NS_PER_S);
    assert_int_equal(slow->resets - resets, 1);
    assert_true(world_run(&r.done, 3000));
    world_pass(5 * NS_PER_S);
    world_read_free(&r);
    reads_well(world_disk(slow, 1), 0);
}

// ---- under load ----

#define LOAD_CPUS 4
#define LOAD_DEPTH 256 // more than there are slots
#define LOAD_RESETS 100

static struct {
    struct block_req reqs[LOAD_CPUS][LOAD_DEPTH];
    uint32_t *data[LOAD_CPUS][LOAD_DEPTH];
    bool in_flight[LOAD_CPUS][LOAD_DEPTH];
    unsigned submitted, ended;
    bool stop;
} load;

static void load_submit(struct block_req *req, unsigned cpu, unsigned i)
{
    load.submitted++;
    load.in_flight[cpu][i] = true;
    req->lba = (uint64_t)rand() % (1 << 19);
    memset(load.data[cpu][i], 0, 512);
    block_resubmit(req);
}

static void load_ended(struct block_req *req)
{
    unsigned n = (unsigned)(req - load.reqs[0]), cpu = n / LOAD_DEPTH, i = n % LOAD_DEPTH;
    assert_int_equal(cpu_index(), cpu);
    assert_true(load.in_flight[cpu][i]);
    assert_int_equal(req->status, BLOCK_OK);
    assert_true(model_holds(1, req->lba * 512, load.data[cpu][i], 512));
    load.in_flight[cpu][i] = false;
    load.ended++;
    if (!load.stop)
        load_submit(req, cpu, i);
}

static void load_start(struct block_dev *dev)
{
    load.submitted = load.ended = 0;
    load.stop = false;
    for (unsigned n = 0; n < LOAD_CPUS * LOAD_DEPTH; n++) {
        unsigned cpu = n / LOAD_DEPTH, i = n % LOAD_DEPTH;
        load.data[cpu][i] = aligned_alloc(512, i % 7 ? 512 : 20 * 512);
        load.reqs[cpu][i] = (struct block_req){
            .dev = dev,
            .blocks = i % 7 ? 1 : 20,
            .buffer = load.data[cpu][i],
            .done = load_ended,
        };
        world_use_cpu(cpu);
        assert_true(block_prepare(&load.reqs[cpu][i]));
        load_submit(&load.reqs[cpu][i], cpu, i);
    }
    world_use_cpu(0);
}

static void load_end(void)
{
    load.stop = true;
    for (unsigned i = 0; load.ended < load.submitted; i++) {
        assert_true(i < 1000);
        world_pass(100 * NS_PER_MS);
    }
    assert_int_equal(load.ended, load.submitted);
    for (unsigned n = 0; n < LOAD_CPUS * LOAD_DEPTH; n++) {
        assert_false(load.in_flight[n / LOAD_DEPTH][n % LOAD_DEPTH]);
        free(load.data[n / LOAD_DEPTH][n % LOAD_DEPTH]);
    }
}

static void move_about(struct model *m)
{
    world_move(m, (unsigned)rand() % 3, (unsigned)rand() % LOAD_CPUS);
    world_skip(50 * NS_PER_MS);
    world_round();
}

// 1000 requests at a time on queues that move about: what went in comes out, once.
static void resets_under_load(void **state)
{
    world_begin(LOAD_CPUS);
    struct model *m = model_new();
    m->grants = 3;
    m->id.mdts = 1;
    m->order = MODEL_RANDOM;
    struct block_dev *dev = start(m);
    load_start(dev);
    for (unsigned i = 0; i < LOAD_RESETS; i++) {
        unsigned before = m->starts;
        for (unsigned n = (unsigned)rand() % 20; n; n--)
            world_turn_any();
        model_fails(m, (enum failure)(i % FAILURES));
        while (m->starts == before)
            move_about(m);
        for (unsigned ended = load.ended; load.ended < ended + 100;)
            move_about(m);
    }
    load_end();
    assert_true(m->starts > LOAD_RESETS);
    assert_int_equal(world_errors(NULL), 0);
    for (unsigned cpu = 0; cpu < LOAD_CPUS; cpu++)
        reads_well(dev, cpu);
}

static void gone_under_load_ends_all_once(void **state)
{
    world_begin(LOAD_CPUS);
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    struct world_read reads[100];
    m->hold = true;
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        world_read_start(&reads[i], dev, i % LOAD_CPUS, i, i % 5 ? 1 : 3000, 0);
    world_round();
    model_fails(m, FAILS_ASKED);
    world_pass(NS_PER_MS);
    m->removed = true;
    world_pass(20 * NS_PER_S);
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++) {
        assert_int_equal(reads[i].done_cpu, i % LOAD_CPUS);
        ends(&reads[i], BLOCK_GONE);
    }
}

#define load_test(f) cmocka_unit_test_setup_teardown(f, begin_one, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        load_test(other_disks_are_served_meanwhile),
        load_test(resets_under_load),
        load_test(gone_under_load_ends_all_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
