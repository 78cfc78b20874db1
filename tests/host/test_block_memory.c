// SPDX-License-Identifier: BSD-2-Clause
// A request's memory is memory for devices, all of it, or the request is refused.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/cpu/msg.h"
#include "kernel/mem/dma.h"
#include "kernel/run/block.h"

#undef fail // ours is a function, and cmocka's a macro
#include <cmocka.h>

#define BLOCK 512u
#define ARENA_BLOCKS 4u

static _Alignas(8) uint8_t ram[6 * BLOCK]; // the arena has its second to fifth block
static unsigned errors, dones;
static struct cpu_msg *posted;
static const struct block_req *submitted;

bool mem_is_dma(const volatile void *virt, uint64_t bytes)
{
    uint64_t at = (uint64_t)virt - (uint64_t)(ram + BLOCK);
    return at < ARENA_BLOCKS * BLOCK && bytes <= ARENA_BLOCKS * BLOCK - at;
}

void error(const char *what, const char *fmt, ...)
{
    assert_string_equal(what, "block-memory");
    errors++;
}

unsigned cpu_index(void)
{
    return 0;
}

void cpu_post(unsigned cpu, struct cpu_msg *msg)
{
    posted = msg;
}

static void done(struct block_req *req)
{
    dones++;
}

static void submit(struct block_port *port, struct block_req *req)
{
    submitted = req;
}

static struct block_port port = { .submit = submit };

static void prepare(struct block_req *req)
{
    req->port = &port;
}

static struct block_dev disk = {
    .name = "nvme0n1",
    .serial = "S1",
    .blocks = 100,
    .block_size = BLOCK,
    .max_transfer = 8 * BLOCK,
    .limits = { .max_append = 8 * BLOCK },
    .ops = (1u << BLOCK_OPS) - 1,
    .prepare = prepare,
};

static void is_taken(struct block_req *req, bool taken)
{
    submitted = NULL;
    posted = NULL;
    dones = 0;
    block_submit(req);
    assert_ptr_equal(submitted, taken ? req : NULL);
    assert_int_equal(posted != NULL, !taken);
    if (taken)
        return;
    posted->fn(posted);
    assert_int_equal(dones, 1);
    assert_int_equal(req->status, BLOCK_ERROR);
    assert_int_equal(req->detail, BLOCK_DETAIL_MEMORY);
}

static void at(size_t block, uint32_t blocks, enum block_op op, bool taken)
{
    struct block_req req = {
        .dev = &disk, .op = op, .blocks = blocks, .buffer = ram + BLOCK * block, .done = done
    };
    is_taken(&req, taken);
}

// As many bytes as the blocks have; told once in all.
static void other_memory_is_refused(void **state)
{
    static const enum block_op moving[] = { BLOCK_READ, BLOCK_WRITE, BLOCK_COMPARE,
                                            BLOCK_ZONE_APPEND, BLOCK_ZONE_REPORT };
    for (size_t i = 0; i < ARRAY_SIZE(moving); i++) {
        at(1, 4, moving[i], true);
        at(4, 1, moving[i], true);
        assert_int_equal(errors, i > 0);
        at(0, 1, moving[i], false);
        at(0, 4, moving[i], false);
        at(2, 4, moving[i], false);
        at(5, 1, moving[i], false);
        assert_int_equal(errors, 1);
    }
}

static void what_moves_no_data_needs_none(void **state)
{
    at(0, 1, BLOCK_VERIFY, true);
    at(0, 1, BLOCK_WRITE_ZEROES, true);
    at(0, 1, BLOCK_DEALLOCATE, true);
    at(0, 0, BLOCK_FLUSH, true);
}

// One that lies elsewhere is enough, or one that is too long.
static void each_piece_is_memory_for_devices(void **state)
{
    static const struct {
        struct block_piece pieces[3];
        bool good;
    } lists[] = {
        { { { ram + BLOCK, 1 }, { ram + 2 * BLOCK, 2 }, { ram + 4 * BLOCK, 1 } }, true },
        { { { ram, 1 }, { ram + 2 * BLOCK, 2 }, { ram + 4 * BLOCK, 1 } }, false },
        { { { ram + BLOCK, 1 }, { ram + 4 * BLOCK, 2 }, { ram + BLOCK, 1 } }, false },
        { { { ram + BLOCK, 1 }, { ram + 2 * BLOCK, 2 }, { ram + 5 * BLOCK, 1 } }, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        struct block_req req = {
            .dev = &disk, .op = BLOCK_READ, .blocks = 4, .pieces = lists[i].pieces, .done = done
        };
        is_taken(&req, lists[i].good);
    }
}

static int add_disk(void **state)
{
    block_allow_writes("S1", 2);
    block_add(&disk);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_memory_is_refused),
        cmocka_unit_test(what_moves_no_data_needs_none),
        cmocka_unit_test(each_piece_is_memory_for_devices),
    };
    return cmocka_run_group_tests(tests, add_disk, NULL);
}
