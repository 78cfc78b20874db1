// SPDX-License-Identifier: BSD-2-Clause
// Reads of all shapes, against the model's view of the disk.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/cpus.h"
#include "kernel/run/loop.h"
#include "tests/host/nvme_fixture.h"

static void read_and_check(struct block_dev *dev, unsigned cpu, uint64_t lba, uint32_t blocks,
                           size_t misalign)
{
    struct world_read r;
    world_read_start(&r, dev, cpu, lba, blocks, misalign);
    finish_within(&r, 10000);
}

// Many at once; all are checked when all are done.
static void read_many(struct block_dev *dev, unsigned count, unsigned cpus, uint32_t most)
{
    struct world_read *reads = calloc(count, sizeof(*reads));
    for (unsigned i = 0; i < count; i++) {
        uint32_t blocks = 1 + (uint32_t)rand() % most;
        uint64_t lba = (uint64_t)rand() % (dev->blocks - blocks);
        world_read_start(&reads[i], dev, (unsigned)rand() % cpus, lba, blocks,
                         (size_t)rand() % 1024 * 4);
    }
    for (unsigned i = 0; i < count; i++)
        finish_within(&reads[i], 20000);
    free(reads);
}

static void sizes_and_alignments(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    static const uint32_t blocks[] = { 1, 2, 7, 8, 9, 15, 16, 17, 64, 1023, 1024, 1025, 5000 };
    static const size_t offsets[] = { 0, 4, 512, 2048, 3584, 4092 };

    for (size_t b = 0; b < ARRAY_SIZE(blocks); b++)
        for (size_t o = 0; o < ARRAY_SIZE(offsets); o++)
            read_and_check(dev, 0, 1000 * b + o, blocks[b], offsets[o]);
    assert_int_equal(m->longest, 512 * KIB);
}

static void first_and_last_block(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    read_and_check(dev, 0, 0, 1, 0);
    read_and_check(dev, 0, dev->blocks - 1, 1, 0);
    read_and_check(dev, 0, dev->blocks - 8, 8, 0);
}

// An LBA and an address past 32 bits, and a NSID that is not 1.
static void large_disk(void **state)
{
    struct model *m = model_new();
    model_add_namespace(m, 200, 12, 1ull << 40);
    nvme_init();
    struct block_dev *dev = world_disk(m, 200);
    assert_non_null(dev);
    assert_int_equal(dev->block_size, 4096);
    read_and_check(dev, 0, (1ull << 40) - 1, 1, 0);
    read_and_check(dev, 0, (1ull << 33) + 5, 300, 4);
}

static void refused_without_the_device(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    static const struct {
        uint64_t lba;
        uint32_t blocks;
        size_t misalign;
        uint32_t detail;
    } wrong[] = { { 0, 0, 0, BLOCK_DETAIL_RANGE },
                  { 1 << 20, 1, 0, BLOCK_DETAIL_RANGE },
                  { (1 << 20) - 1, 2, 0, BLOCK_DETAIL_RANGE },
                  { ~0ull, 2, 0, BLOCK_DETAIL_RANGE },
                  { 0, 0xffffffff, 0, BLOCK_DETAIL_RANGE },
                  { 0, 1, 2, BLOCK_DETAIL_BUFFER } };
    static uint8_t memory[4096] __attribute__((aligned(4096)));

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct world_read r;
        world_read_start(&r, dev, 0, 0, 1, 0);
        assert_true(world_run(&r.done, 100));
        r.done = false;
        r.req.lba = wrong[i].lba;
        r.req.blocks = wrong[i].blocks;
        r.req.buffer = memory + wrong[i].misalign;
        block_submit(&r.req);
        assert_false(r.done);
        assert_true(world_run(&r.done, 10));
        assert_int_equal(r.req.status, BLOCK_ERROR);
        assert_int_equal(r.req.detail, wrong[i].detail);
        world_read_free(&r);
    }
    assert_int_equal(m->reads, ARRAY_SIZE(wrong));
}

// A queue of two entries holds one command; everything else waits its turn.
static void smallest_queue(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 1);
    struct block_dev *dev = start(m);
    assert_int_equal(world_ctrl(m)->limits.queue_entries, 2);
    read_many(dev, 200, 1, 64);
}

static void four_entries(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 3);
    m->id.mdts = 1;
    struct block_dev *dev = start(m);
    assert_int_equal(dev->max_transfer, 8 * KIB);
    m->order = MODEL_RANDOM;
    read_many(dev, 300, 1, 200);
    assert_int_equal(m->longest, 8 * KIB);
}

static void queue_size_that_is_no_power_of_two(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 6); // seven entries: four are used
    struct block_dev *dev = start(m);
    assert_int_equal(world_ctrl(m)->limits.queue_entries, 4);
    read_many(dev, 100, 1, 8);
}

// What one look at the queue finds has one time stamp, taken before the first of it ends.
static uint64_t batches[4];
static unsigned batches_count;

static void note_batch(struct block_req *req)
{
    batches[batches_count++] = cpu_batch_tsc();
    world_skip(1000);
    world_read_done(req);
}

static void one_time_for_a_batch(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    struct world_read reads[4];
    batches_count = 0;
    m->hold = true;
    for (unsigned i = 0; i < 3; i++)
        world_read_start_for(&reads[i], dev, 0, i, 1, 0, note_batch);
    world_round();
    m->hold = false;
    for (unsigned i = 0; i < 3; i++)
        finish(&reads[i]);
    world_read_start_for(&reads[3], dev, 0, 9, 1, 0, note_batch);
    finish(&reads[3]);
    assert_int_equal(batches_count, 4);
    assert_true(batches[0] > 0 && batches[1] == batches[0] && batches[2] == batches[0]);
    assert_true(batches[3] >= batches[0] + 3000);
}

// Those that wait go out in the order in which they came.
static struct world_read ordered[40];
static unsigned ended;

static void in_order(struct block_req *req)
{
    struct world_read *r = container_of(req, struct world_read, req);
    assert_ptr_equal(r, &ordered[ended]);
    ended++;
    r->done = true;
}

static void waiting_keeps_its_order(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 3);
    struct block_dev *dev = start(m);
    ended = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(ordered); i++) {
        world_read_start_for(&ordered[i], dev, 0, i, i % 5 == 4 ? 3000 : 1, 0, in_order);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(ordered); i++) {
        assert_true(world_run(&ordered[i].done, 1000));
        world_read_free(&ordered[i]);
    }
}

// Each read is submitted again from its own done(), thousands of times: the queues wrap, the phase
// tag turns, and what was submitted equals what came back.
#define ROUNDS 3000
static struct {
    struct world_read reads[7];
    unsigned left, ok;
    bool stop;
} cycle;

static void again(struct block_req *req)
{
    cycle.ok += req->status == BLOCK_OK &&
                model_holds(1, req->lba * 512, req->buffer, req->blocks * 512ull);
    if (!cycle.left) {
        cycle.stop = ++cycle.reads[0].done_cpu == ARRAY_SIZE(cycle.reads);
        return;
    }
    cycle.left--;
    req->lba = (uint64_t)rand() % 100000;
    memset(req->buffer, 0, req->blocks * 512ull);
    block_submit(req);
}

static void run_cycle(struct model *m, struct block_dev *dev)
{
    memset(&cycle, 0, sizeof(cycle));
    cycle.left = ROUNDS;
    for (unsigned i = 0; i < ARRAY_SIZE(cycle.reads); i++) {
        world_read_start_for(&cycle.reads[i], dev, 0, i, 8, 0, again);
    }
    assert_true(world_run(&cycle.stop, 50000));
    assert_int_equal(cycle.ok, ROUNDS + ARRAY_SIZE(cycle.reads));
    assert_int_equal(m->reads, ROUNDS + ARRAY_SIZE(cycle.reads));
    for (unsigned i = 0; i < ARRAY_SIZE(cycle.reads); i++)
        world_read_free(&cycle.reads[i]);
}

static void wraps_in_order(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 7);
    run_cycle(m, start(m));
}

static void wraps_out_of_order(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 15);
    m->order = MODEL_RANDOM;
    run_cycle(m, start(m));
}

static void wraps_backwards_with_full_queue(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 3);
    m->order = MODEL_LIFO;
    run_cycle(m, start(m));
}

// A controller that fetches slowly: entries that it has not taken yet must not be overwritten.
static void slow_fetch(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 7);
    m->lazy_fetch = 1;
    m->order = MODEL_RANDOM;
    run_cycle(m, start(m));
}

// Stale entries with garbage in them are not looked at.
static void garbage_behind_the_phase(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_MQES, 15);
    m->stale_garbage = true;
    run_cycle(m, start(m));
    assert_int_equal(world_errors(NULL), 0);
}

// One doorbell for all that a round submits, one for all that a reap ends.
static void doorbells_are_batched(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    struct world_read reads[NVME_REAP_BUDGET];
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        world_read_start(&reads[i], dev, 0, i, 8, 0);
    assert_int_equal(m->queues[1].tail_writes, 0);
    loop_flush();
    assert_int_equal(m->queues[1].tail_writes, 1);
    loop_flush();
    assert_int_equal(m->queues[1].tail_writes, 1);
    assert_int_equal(m->pending_count, NVME_REAP_BUDGET);
    unsigned interrupts = m->interrupts;
    assert_true(world_run(&reads[NVME_REAP_BUDGET - 1].done, 10));
    assert_int_equal(m->queues[1].head_writes, 1);
    assert_int_equal(m->interrupts - interrupts, 1);
    for (unsigned i = 0; i < ARRAY_SIZE(reads); i++)
        ends_well(&reads[i]);
}

static void doorbell_stride(void **state)
{
    struct model *m = model_new();
    field_set(&m->cap, NVME_CAP_DSTRD, 5);
    m->pci.bars[0].bytes = 0x2000;
    read_many(start(m), 50, 1, 64);
}

// ---- several CPUs ----

static void check_shares(unsigned cpus, unsigned queues)
{
    static unsigned users[CPU_MAX];
    memset(users, 0, sizeof(users));
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        unsigned q = nvme_queue_for_cpu(cpu, cpus, queues);
        assert_true(q < queues);
        users[q]++;
    }
    for (unsigned q = 0; q < queues; q++) {
        unsigned owner = nvme_owner_of_queue(q, cpus, queues);
        assert_true(owner < cpus);
        assert_int_equal(nvme_queue_for_cpu(owner, cpus, queues), q);
        assert_in_range(users[q], cpus / queues, (cpus + queues - 1) / queues);
    }
}

static void shares_are_even(void **state)
{
    for (unsigned cpus = 1; cpus <= 40; cpus++)
        for (unsigned queues = 1; queues <= cpus; queues++)
            check_shares(cpus, queues);
    static const unsigned many[] = { 1, 2, 1000, CPU_MAX - 1, CPU_MAX };
    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        check_shares(CPU_MAX, many[i]);
}

static void cpus_share(unsigned cpus, unsigned grants, unsigned vectors, unsigned expected)
{
    world_begin(cpus);
    struct model *m = model_new();
    m->grants = grants;
    m->pci.msix.vectors = (uint16_t)vectors;
    m->order = MODEL_RANDOM;
    struct block_dev *dev = start(m);
    assert_int_equal(dev->queues, expected);
    read_many(dev, 400, cpus, 64);
    for (unsigned q = 1; q <= expected; q++) {
        assert_true(m->queues[q].tail_writes > 0);
        assert_int_equal(m->irqs[q - 1]->cpu, nvme_owner_of_queue(q - 1, cpus, expected));
    }
}

// A CPU without a queue of its own leaves the shared one alone: the owner gets a message.
static void no_touching(void **state)
{
    world_begin(2);
    struct model *m = model_new();
    m->grants = 1;
    struct block_dev *dev = start(m);
    const struct nvme_queue *q = world_ctrl(m)->queues[0];
    struct nvme_queue before = *q;
    struct world_read r;
    world_read_start(&r, dev, 1, 5, 1, 0);
    assert_memory_equal(q, &before, sizeof(before));
    finish_within(&r, 10);
}

static void a_queue_for_each_cpu(void **state)
{
    cpus_share(4, 64, 65, 4);
}

static void fewer_queues_granted(void **state)
{
    cpus_share(7, 3, 65, 3);
}

static void one_queue_for_all(void **state)
{
    cpus_share(4, 1, 65, 1);
}

static void two_vectors(void **state)
{
    cpus_share(4, 64, 2, 2);
}

static void one_vector(void **state)
{
    cpus_share(3, 64, 1, 1);
}

static void shared_and_full(void **state)
{
    world_begin(4);
    struct model *m = model_new();
    m->grants = 2;
    m->id.mdts = 1;
    field_set(&m->cap, NVME_CAP_MQES, 1);
    read_many(start(m), 200, 4, 100);
}

static void two_controllers(void **state)
{
    world_begin(2);
    struct model *a = model_new(), *b = model_new();
    struct block_dev *x = start(a), *y = world_disk(b, 1);
    assert_ptr_not_equal(x, y);
    read_many(x, 100, 2, 64);
    read_many(y, 100, 2, 64);
    assert_true(a->reads >= 100 && b->reads >= 100);
}

// ---- errors ----

static void error_in_one_piece(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    struct world_read bad, good;
    m->error_lba = 3000;
    world_read_start(&bad, dev, 0, 1000, 5000, 0);
    world_read_start(&good, dev, 0, 0, 1000, 0);
    assert_true(world_run(&bad.done, 100) && world_run(&good.done, 100));
    assert_int_equal(bad.req.status, BLOCK_ERROR);
    assert_int_equal(bad.req.detail, NVME_STATUS(2, 0x81));
    assert_string_equal(world_last_warning() + strlen(dev->name),
                        ": a read of 5000 blocks at LBA 1000 failed: unrecovered read error "
                        "(status type 2, code 81h)");
    ends_well(&good);
    world_read_free(&bad);
}

static void errors_are_not_all_shown(void **state)
{
    struct model *m = model_new();
    struct block_dev *dev = start(m);
    m->error_lba = 8;
    for (unsigned i = 0; i < 50; i++) {
        struct world_read r;
        world_read_start(&r, dev, 0, 8, 1, 0);
        assert_true(world_run(&r.done, 100));
        assert_int_equal(r.req.status, BLOCK_ERROR);
        world_read_free(&r);
    }
    assert_int_equal(world_warnings(), 8);
    read_many(dev, 20, 1, 8);
}

#define io_test(f) cmocka_unit_test_setup_teardown(f, begin_one, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        io_test(sizes_and_alignments),
        io_test(first_and_last_block),
        io_test(large_disk),
        io_test(refused_without_the_device),
        io_test(smallest_queue),
        io_test(four_entries),
        io_test(queue_size_that_is_no_power_of_two),
        io_test(one_time_for_a_batch),
        io_test(waiting_keeps_its_order),
        io_test(wraps_in_order),
        io_test(wraps_out_of_order),
        io_test(wraps_backwards_with_full_queue),
        io_test(slow_fetch),
        io_test(garbage_behind_the_phase),
        io_test(doorbells_are_batched),
        io_test(doorbell_stride),
        cmocka_unit_test(shares_are_even),
        io_test(a_queue_for_each_cpu),
        io_test(fewer_queues_granted),
        io_test(one_queue_for_all),
        io_test(two_vectors),
        io_test(one_vector),
        io_test(no_touching),
        io_test(shared_and_full),
        io_test(two_controllers),
        io_test(error_in_one_piece),
        io_test(errors_are_not_all_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
