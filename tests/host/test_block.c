// SPDX-License-Identifier: BSD-2-Clause
// Block devices: found by name, and asked for nothing that they don't have.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/run/block.h"

#define ALL ((1u << BLOCK_OPS) - 1)
#define READS (1u << BLOCK_READ)

static unsigned current;       // the CPU that runs
static struct cpu_msg *posted; // the last message
static unsigned posted_to;
static const struct block_req *submitted; // to a driver
static unsigned dones;

unsigned cpu_index(void)
{
    return current;
}

void cpu_post(unsigned cpu, struct cpu_msg *msg)
{
    assert_null(posted);
    posted = msg;
    posted_to = cpu;
}

static void done(struct block_req *req)
{
    dones++;
}

static void submit(struct block_port *to, struct block_req *req)
{
    assert_ptr_equal(to, req->port);
    submitted = req;
}

static struct block_port port = { .submit = submit };

static void prepare(struct block_req *req)
{
    assert_int_equal(req->cpu, current);
    assert_ptr_equal(req->end, done);
    req->port = &port;
}

static struct block_dev disks[3] = {
    // What a driver thinks of it doesn't count.
    { .name = "nvme0n1",
      .serial = "S1",
      .blocks = 100,
      .block_size = 512,
      .max_transfer = 8 * 512,
      .limits = { .max_append = 4 * 512 },
      .ops = ALL,
      .prepare = prepare,
      .writable = true },
    { .name = "nvme0n12",
      .serial = "S2",
      .blocks = 1,
      .block_size = 512,
      .max_transfer = 8 * 512,
      .limits = { .max_append = 4 * 512 },
      .ops = ALL,
      .prepare = prepare },
    { .name = "nvme1n1", .blocks = UINT64_MAX, .ops = READS, .prepare = prepare },
};

static int add_disks(void **state)
{
    assert_null(block_first());
    assert_null(block_find("nvme0n1", 7));
    block_allow_writes("S22:S2:S1", 6); // the third one belongs to the next word
    for (size_t i = 0; i < ARRAY_SIZE(disks); i++) {
        disks[i].next = &disks[0]; // whatever stood there
        block_add(&disks[i]);
    }
    return 0;
}

// ---- by name ----

static void they_are_kept_in_order(void **state)
{
    struct block_dev *dev = block_first();
    for (size_t i = 0; i < ARRAY_SIZE(disks); i++, dev = dev->next)
        assert_ptr_equal(dev, &disks[i]);
    assert_null(dev);
}

static void names_are_whole(void **state)
{
    assert_ptr_equal(block_find("nvme0n1", 7), &disks[0]);
    assert_ptr_equal(block_find("nvme0n12", 8), &disks[1]);
    assert_ptr_equal(block_find("nvme0n12", 7), &disks[0]); // as far as it was told
    assert_ptr_equal(block_find("nvme1n1:nvme0n1", 7), &disks[2]);
    assert_null(block_find("nvme0n", 6));
    assert_null(block_find("nvme0n123", 9));
    assert_null(block_find("nvme2n1", 7));
    assert_null(block_find("", 0));
}

// ---- ranges ----

static _Alignas(8) uint8_t buffer[16];

static const struct block_source first_block = { 0, 1 };

static void ask(struct block_req *req, struct block_dev *dev, uint64_t lba, uint32_t blocks)
{
    *req = (struct block_req){
        .dev = dev,
        .lba = lba,
        .blocks = blocks,
        .buffer = buffer,
        .sources = &first_block,
        .done = done,
        .detail = 7,
    };
    submitted = NULL;
    posted = NULL;
    dones = 0;
}

static void takes(struct block_dev *dev, uint64_t lba, uint32_t blocks)
{
    struct block_req req;
    ask(&req, dev, lba, blocks);
    block_submit(&req);
    assert_ptr_equal(submitted, &req);
    assert_null(posted);
}

// Later, on the CPU that asked.
static void refuses_now(struct block_req *req, uint32_t detail)
{
    for (current = 0; current < 3; current++) {
        posted = NULL;
        dones = 0;
        block_submit(req);
        assert_null(submitted);
        assert_int_equal(dones, 0);
        assert_non_null(posted);
        assert_int_equal(posted_to, current);
        posted->fn(posted);
        assert_int_equal(dones, 1);
        assert_int_equal(req->status, BLOCK_ERROR);
        assert_int_equal(req->detail, detail);
    }
    current = 0;
}

static void refuses(struct block_dev *dev, uint64_t lba, uint32_t blocks)
{
    struct block_req req;
    ask(&req, dev, lba, blocks);
    refuses_now(&req, BLOCK_DETAIL_RANGE);
}

static void what_lies_within_is_taken(void **state)
{
    takes(&disks[0], 0, 1);
    takes(&disks[0], 0, 100);
    takes(&disks[0], 99, 1);
    takes(&disks[1], 0, 1);
    takes(&disks[2], UINT64_MAX - 1, 1);
    takes(&disks[2], UINT64_MAX - UINT32_MAX, UINT32_MAX);
}

static void what_lies_outside_is_refused(void **state)
{
    refuses(&disks[0], 0, 101);
    refuses(&disks[0], 1, 100);
    refuses(&disks[0], 99, 2);
    refuses(&disks[0], 100, 1);
    refuses(&disks[0], 101, 1);
    refuses(&disks[0], UINT64_MAX, 2); // wraps
    refuses(&disks[2], UINT64_MAX, 1);
    refuses(&disks[2], UINT64_MAX - 1, 2);
    refuses(&disks[0], 0, 0); // no block at all
    refuses(&disks[0], 100, 0);
}

static void buffers_are_of_dwords(void **state)
{
    struct block_req req;
    for (unsigned misalign = 1; misalign < 4; misalign++) {
        ask(&req, &disks[0], 0, 1);
        req.buffer = buffer + misalign;
        refuses_now(&req, BLOCK_DETAIL_BUFFER);
    }
    ask(&req, &disks[0], 0, 1);
    req.buffer = NULL;
    refuses_now(&req, BLOCK_DETAIL_BUFFER);
    ask(&req, &disks[0], 0, 1);
    req.buffer = buffer + 4;
    block_submit(&req);
    assert_ptr_equal(submitted, &req);
}

// ---- disks that are gone ----

static void names_are(const char *const *names, size_t count)
{
    struct block_dev *dev = block_first();
    for (size_t i = 0; i < count; i++, dev = dev->next)
        assert_string_equal(dev->name, names[i]);
    assert_null(dev);
}

// Whoever stands at one goes on; what comes later is found by all.
static void gone_ones_are_not_found(void **state)
{
    static struct block_dev more[] = {
        { .name = "a" }, { .name = "b" }, { .name = "c" }, { .name = "d" }
    };
    static const char *const all[] = { "nvme0n1", "nvme0n12", "nvme1n1", "a", "c" };
    for (size_t i = 0; i < 3; i++)
        block_add(&more[i]);
    block_remove(&more[1]);
    names_are(all, 5);
    assert_ptr_equal(more[1].next, &more[2]);
    assert_null(block_find("b", 1));
    block_remove(&more[2]);
    block_remove(&more[2]); // is gone already
    names_are(all, 4);
    block_add(&more[3]);
    assert_ptr_equal(block_find("d", 1), &more[3]);
    block_remove(&more[0]);
    block_remove(&more[3]);
    names_are(all, 3);
}

static void gone_ones_take_nothing(void **state)
{
    static struct block_dev dev = { .name = "d", .blocks = 10, .ops = READS, .prepare = prepare };
    struct block_req req;
    ask(&req, &dev, 5, 1);
    block_remove(&dev);
    assert_false(block_prepare(&req));
    block_resubmit(&req);
    assert_null(submitted);
    assert_int_equal(dones, 0);
    posted->fn(posted);
    assert_int_equal(dones, 1);
    assert_int_equal(req.status, BLOCK_GONE);
    ask(&req, &dev, 10, 1); // whatever else is wrong
    block_submit(&req);
    posted->fn(posted);
    assert_int_equal(req.status, BLOCK_GONE);
}

// ---- what is there to be done ----

static void refuses_op(struct block_dev *dev, enum block_op op, uint32_t blocks, uint32_t detail)
{
    struct block_req req;
    ask(&req, dev, 0, blocks);
    req.op = op;
    assert_false(block_prepare(&req));
    refuses_now(&req, detail);
}

static void takes_op(struct block_dev *dev, enum block_op op)
{
    struct block_req req;
    ask(&req, dev, 0, op == BLOCK_FLUSH ? 0 : 1);
    req.op = op;
    assert_true(block_prepare(&req));
    block_resubmit(&req);
    assert_ptr_equal(submitted, &req);
    assert_null(posted);
}

static void disks_that_are_not_named_are_not_changed(void **state)
{
    for (enum block_op op = 0; op < BLOCK_OPS; op++) {
        takes_op(&disks[1], op);
        if (op == BLOCK_WRITE || op == BLOCK_WRITE_ZEROES || op == BLOCK_DEALLOCATE ||
            op == BLOCK_COPY || op == BLOCK_ZONE_APPEND || op == BLOCK_ZONE_FINISH ||
            op == BLOCK_ZONE_RESET)
            refuses_op(&disks[0], op, 1, BLOCK_DETAIL_PROTECTED);
        else
            takes_op(&disks[0], op);
    }
}

static void only_what_the_disk_has_is_asked_of_it(void **state)
{
    for (enum block_op op = BLOCK_READ + 1; op < BLOCK_OPS; op++)
        refuses_op(&disks[2], op, op != BLOCK_FLUSH, BLOCK_DETAIL_UNSUPPORTED);
    refuses_op(&disks[0], BLOCK_OPS, 1, BLOCK_DETAIL_UNSUPPORTED);
    refuses_op(&disks[0], (enum block_op)32, 1, BLOCK_DETAIL_UNSUPPORTED);
}

static void what_moves_data_has_a_buffer(void **state)
{
    static const enum block_op with[] = { BLOCK_READ, BLOCK_WRITE, BLOCK_COMPARE };
    static const enum block_op without[] = { BLOCK_WRITE_ZEROES, BLOCK_DEALLOCATE, BLOCK_VERIFY };
    struct block_req req;
    for (size_t i = 0; i < ARRAY_SIZE(with); i++) {
        ask(&req, &disks[1], 0, 1);
        req.op = with[i];
        req.buffer = NULL;
        refuses_now(&req, BLOCK_DETAIL_BUFFER);
    }
    for (size_t i = 0; i < ARRAY_SIZE(without); i++) {
        ask(&req, &disks[1], 0, 1);
        req.op = without[i];
        req.buffer = NULL;
        block_submit(&req);
        assert_ptr_equal(submitted, &req);
    }
}

// All of them on the disk, none empty, and no more or fewer blocks than are copied.
static void sources_of_a_copy(void **state)
{
    enum { END = 100 };
    const struct {
        struct block_source sources[3];
        uint32_t blocks;
        bool good;
    } copies[] = {
        { { { 3, 1 } }, 1, true },
        { { { 5, 2 }, { 0, 1 }, { END - 1, 1 } }, 4, true },
        { { { END - 1, 2 } }, 2, false },
        { { { END, 1 } }, 1, false },
        { { { UINT64_MAX, 1 } }, 1, false },
        { { { 0, 1 }, { 1, 0 }, { 2, 1 } }, 2, false },
        { { { 0, 2 }, { 4, 2 } }, 3, false },
        { { { 0, UINT32_MAX }, { 0, 4 } }, 3, false },
        { { { 0, 1 } }, 0, false },
    };
    struct block_dev disk = disks[1];
    struct block_req req;
    disk.blocks = END;
    for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
        ask(&req, &disk, 0, copies[i].blocks);
        req.op = BLOCK_COPY;
        req.buffer = NULL;
        req.sources = copies[i].sources;
        if (!copies[i].good) {
            refuses_now(&req, BLOCK_DETAIL_RANGE);
            continue;
        }
        block_submit(&req);
        assert_ptr_equal(submitted, &req);
    }
    ask(&req, &disk, 0, 1);
    req.op = BLOCK_COPY;
    req.sources = NULL;
    refuses_now(&req, BLOCK_DETAIL_RANGE);
}

// Whatever else is wrong with it: a range can be mended by another LBA, and this can't.
static void what_can_t_be_is_told_wherever_it_is(void **state)
{
    struct block_req req;
    ask(&req, &disks[0], 1000, 1);
    req.op = BLOCK_WRITE;
    refuses_now(&req, BLOCK_DETAIL_PROTECTED);
    ask(&req, &disks[0], 1000, 1);
    req.buffer = NULL;
    refuses_now(&req, BLOCK_DETAIL_BUFFER);
}

static void what_was_good_once_may_not_be_now(void **state)
{
    struct block_req req;
    ask(&req, &disks[0], 0, 1);
    block_submit(&req);
    assert_ptr_equal(submitted, &req);
    submitted = NULL;
    req.op = BLOCK_WRITE;
    refuses_now(&req, BLOCK_DETAIL_PROTECTED);
}

static void within(struct block_dev *dev, enum block_op op, uint64_t lba, uint32_t blocks,
                   bool good)
{
    struct block_req req;
    ask(&req, dev, lba, blocks);
    req.op = op;
    req.buffer = buffer;
    bool is_good = block_prepare(&req) && lba <= req.lba_most;
    assert_int_equal(is_good, good);
}

// A report's blocks are its buffer's; what changes a zone names it by one block.
static void operations_on_zones(void **state)
{
    struct block_dev zoned = disks[0], *dev = &zoned;
    zoned.writable = true;
    within(dev, BLOCK_ZONE_REPORT, dev->blocks - 1, 8, true);
    within(dev, BLOCK_ZONE_REPORT, dev->blocks, 1, false);
    within(dev, BLOCK_ZONE_REPORT, 0, 9, false);
    within(dev, BLOCK_ZONE_REPORT, 0, 0, false);
    within(dev, BLOCK_ZONE_APPEND, 0, 4, true);
    within(dev, BLOCK_ZONE_APPEND, 0, 5, false);
    within(dev, BLOCK_ZONE_APPEND, dev->blocks - 3, 4, false);
    within(dev, BLOCK_ZONE_RESET, dev->blocks - 1, 1, true);
    within(dev, BLOCK_ZONE_RESET, 0, 2, false);
    within(dev, BLOCK_ZONE_FINISH, 0, 0, false);
}

static void a_flush_has_no_blocks(void **state)
{
    refuses_op(&disks[0], BLOCK_FLUSH, 1, BLOCK_DETAIL_RANGE);
    within(&disks[0], BLOCK_FLUSH, 0, 0, true);
    within(&disks[0], BLOCK_FLUSH, 1, 0, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_kept_in_order),
        cmocka_unit_test(names_are_whole),
        cmocka_unit_test(gone_ones_are_not_found),
        cmocka_unit_test(gone_ones_take_nothing),
        cmocka_unit_test(what_lies_within_is_taken),
        cmocka_unit_test(what_lies_outside_is_refused),
        cmocka_unit_test(buffers_are_of_dwords),
        cmocka_unit_test(disks_that_are_not_named_are_not_changed),
        cmocka_unit_test(only_what_the_disk_has_is_asked_of_it),
        cmocka_unit_test(what_moves_data_has_a_buffer),
        cmocka_unit_test(sources_of_a_copy),
        cmocka_unit_test(what_can_t_be_is_told_wherever_it_is),
        cmocka_unit_test(what_was_good_once_may_not_be_now),
        cmocka_unit_test(operations_on_zones),
        cmocka_unit_test(a_flush_has_no_blocks),
    };
    return cmocka_run_group_tests(tests, add_disks, NULL);
}
