// SPDX-License-Identifier: BSD-2-Clause
// All that a controller can do wrong, at random and all at once, under load: each request ends exactly
// once, reads that end well have the right data, writes that end well are on the disk, and where the
// controller is not given up, it works again once it behaves.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/cpus.h"
#include "tests/host/nvme_fixture.h"
#include "tests/host/nvme_world.h"

#define CPUS 3
#define DEPTH 60 // on each CPU
#define BLOCKS 20
#define SEEDS 100
#define STEPS 400
#define PATIENCE 6 // steps for each misbehaviour
#define NSID 1

// Each has a place of the disk to itself.
struct item {
    struct block_req req;
    unsigned cpu;
    uint64_t lba;
    uint8_t *buffer;
    uint8_t held;          // what is in its place: the byte that was written last
    bool written, unknown; // ever; a write has failed
    bool in_flight;
};

static struct item items[CPUS * DEPTH];
static struct model *m;
static unsigned submitted, ended, by_status[4];
static bool stop;
static unsigned queues; // at the start

static void fill(struct item *it)
{
    it->req.op = rand() % 2 ? BLOCK_READ : BLOCK_WRITE;
    it->req.blocks = rand() % 3 ? 1 : BLOCKS;
    it->req.lba = it->lba;
    memset(it->buffer, it->req.op == BLOCK_WRITE ? rand() : 0xee, BLOCKS * 512);
}

static void submit(struct item *it)
{
    fill(it);
    it->in_flight = true;
    submitted++;
    block_submit(&it->req);
}

// Of a write only the first block counts: it may be shorter than the one before.
static void check_read(const struct item *it)
{
    if (it->unknown)
        return;
    if (!it->written) {
        assert_true(model_holds(NSID, it->lba * 512, it->buffer, 512));
        return;
    }
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(it->buffer[i], it->held);
}

static void check_write(struct item *it)
{
    uint8_t on_disk[512];
    model_disk_read(m, NSID, it->lba * 512, on_disk, sizeof(on_disk));
    assert_memory_equal(on_disk, it->buffer, sizeof(on_disk));
    it->held = it->buffer[0];
    it->written = true;
    it->unknown = false;
}

static void done(struct block_req *req)
{
    struct item *it = container_of(req, struct item, req);
    assert_true(it->in_flight);
    assert_int_equal(cpu_index(), it->cpu);
    it->in_flight = false;
    ended++;
    by_status[req->status]++;
    if (req->status == BLOCK_OK && req->op == BLOCK_READ)
        check_read(it);
    else if (req->status == BLOCK_OK)
        check_write(it);
    else if (req->op == BLOCK_WRITE)
        it->unknown = true;
    if (!stop && req->status != BLOCK_GONE)
        submit(it);
}

static void start_load(struct block_dev *dev)
{
    submitted = ended = 0;
    stop = false;
    memset(by_status, 0, sizeof(by_status));
    for (unsigned n = 0; n < ARRAY_SIZE(items); n++) {
        struct item *it = &items[n];
        uint8_t *buffer = it->buffer ? it->buffer : aligned_alloc(512, BLOCKS * 512);
        *it = (struct item){ .cpu = n % CPUS, .lba = 64ull * n, .buffer = buffer };
        it->req = (struct block_req){ .dev = dev, .buffer = buffer, .done = done };
        world_use_cpu(it->cpu);
        submit(it);
    }
    world_use_cpu(0);
}

// What would soon be the end of it if it stayed.
static void relent(void)
{
    m->hold = false;
    m->fail_opcode = -1;
    m->drop_commands = 0;
    if (m->csts & NVME_CSTS_PP)
        model_pause(m, false);
}

static void misbehave(void)
{
    relent();
    switch (rand() % 14) {
    case 0:
        m->drop_commands += (unsigned)rand() % 12;
        break;
    case 1:
        m->abort = (enum model_abort)(rand() % (ABORT_SILENT + 1));
        break;
    case 2:
        m->csts |= m->csts & NVME_CSTS_RDY ? NVME_CSTS_CFS : 0;
        break;
    case 3:
        m->forgets = rand() % 2;
        model_go_away(m, (uint64_t)rand() % (NS_PER_S / 2));
        break;
    case 4:
        nvme_recover_reset(world_ctrl(m));
        break;
    case 5:
        m->hold = true;
        break;
    case 6:
        m->error_lba = 64ull * ((unsigned)rand() % ARRAY_SIZE(items));
        m->errors_left = (unsigned)rand() % 9;
        m->error_status = NVME_STATUS(2, 0x81) | (uint32_t)(rand() % 4) << 11 |
                          (rand() % 3 ? 0 : NVME_STATUS_DNR);
        break;
    case 7:
        m->drop_interrupts = (unsigned)rand() % 3;
        break;
    case 8:
        if (m->csts & NVME_CSTS_RDY)
            model_pause(m, true);
        break;
    case 9:
        m->odd_sqid = !m->odd_sqid;
        break;
    case 10:
        m->ready_delay_ns = (uint64_t)rand() % NS_PER_S;
        break;
    case 11:
        m->fail_opcode = rand() % 4 ? -1 : NVME_ADMIN_CREATE_SQ;
        m->fail_qid = rand() % 2 ? ~0u : 1 + (unsigned)rand() % queues;
        m->grants = 1 + (unsigned)rand() % queues;
        break;
    case 12:
        if (model_runs(m) && m->queues[1].cq)
            model_answer_lost(m, rand() % 2 ? 0 : NVME_STATUS(0, 6));
        break;
    default:
        world_move(m, (unsigned)rand() % queues, (unsigned)rand() % CPUS);
    }
}

static void behave(void)
{
    relent();
    m->drop_interrupts = 0;
    m->abort = ABORT_WORKS;
    m->odd_sqid = false;
    m->errors_left = 0;
    m->ready_delay_ns = 0;
}

static void live(unsigned seed)
{
    static const unsigned entries[] = { 2, 4, 16, 256 };
    world_begin(CPUS);
    srand(seed);
    nvme_set_timeout(1000);
    m = model_new();
    m->grants = queues = 1 + seed % CPUS;
    field_set(&m->cap, NVME_CAP_MQES, entries[seed % ARRAY_SIZE(entries)] - 1);
    m->id.mdts = 1;
    m->id.aerl = 3;
    m->id.mtfa = 20;
    m->id.crdt1 = 1;
    m->id.crdt2 = 5;
    m->id.crdt3 = 10;
    m->order = MODEL_RANDOM;
    struct block_dev *dev = start(m);
    dev->writable = true;
    start_load(dev);
    for (unsigned i = 0; i < STEPS; i++) {
        if (rand() % PATIENCE == 0)
            misbehave();
        for (unsigned n = (unsigned)rand() % 100; n; n--)
            world_turn_any();
        world_skip((uint64_t)rand() % (200 * NS_PER_MS));
        world_round();
    }
}

static void settle(void)
{
    behave();
    stop = true;
    for (unsigned i = 0; ended < submitted; i++) {
        assert_true(i < 100);
        world_pass(NS_PER_S);
    }
    assert_int_equal(ended, submitted);
    for (unsigned n = 0; n < ARRAY_SIZE(items); n++)
        assert_false(items[n].in_flight);
}

static void anything_may_happen(void **state)
{
    unsigned survivors = 0, seen[4] = { 0 };
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        live(seed);
        settle();
        for (unsigned i = 0; i < 4; i++)
            seen[i] += by_status[i];
        if (!world_ctrl(m)->gone) {
            survivors++;
            for (unsigned cpu = 0; cpu < CPUS; cpu++) {
                struct world_read r;
                world_read_start(&r, world_disk(m, NSID), cpu, 1 << 19, 9, 512);
                finish_within(&r, 1000000);
            }
        }
        world_end();
    }
    assert_in_range(survivors, SEEDS / 4, SEEDS - 1);
    for (unsigned i = 0; i < 4; i++)
        assert_int_not_equal(seen[i], 0);
    for (unsigned n = 0; n < ARRAY_SIZE(items); n++)
        free(items[n].buffer);
    world_begin(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(anything_may_happen) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
