// SPDX-License-Identifier: BSD-2-Clause
// A test's begin and end, and reads that know what they should find.

#include "kernel/base/cpus.h"
#include "tests/host/nvme_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int begin_one(void **state)
{
    world_begin(1);
    return 0;
}

int begin_two(void **state)
{
    world_begin(2);
    return 0;
}

int end_world(void **state)
{
    world_end();
    return 0;
}

unsigned namespaces_of(const struct model *m)
{
    unsigned count = 0;
    for (const struct nvme_ns *ns = world_ctrl(m)->namespaces; ns; ns = ns->next)
        count++;
    return count;
}

struct block_dev *start(struct model *m)
{
    nvme_init();
    if (world_errors(NULL))
        fail_msg("%s", world_last_error());
    struct block_dev *dev = world_disk(m, 1);
    assert_non_null(dev);
    m->resets_at_start = m->resets;
    return dev;
}

unsigned resets_since_start(const struct model *m)
{
    return m->resets - m->resets_at_start;
}

void move_now(struct model *m, unsigned vector, unsigned to)
{
    unsigned from = m->irqs[vector]->cpu;
    assert_true(world_move(m, vector, to));
    world_turn(from, WORLD_FLUSH);
}

void is_given_up(struct model *m)
{
    m->removed = true;
    nvme_recover_reset(world_ctrl(m));
    while (!world_errors("nvme-gone")) {
        world_round();
        world_skip(100 * NS_PER_MS);
        world_turn(0, WORLD_TIMERS);
    }
}

void is_gone_for(struct model *m, struct block_dev *dev, const char *words)
{
    assert_int_equal(world_errors("nvme-gone"), 1);
    assert_non_null(strstr(world_last_error(), words));
    assert_false(m->pci_command & 4);
    uint32_t cc = m->cc;
    struct world_read r;
    world_read_start(&r, dev, 0, 5, 1, 0);
    assert_true(world_run(&r.done, 10));
    ends(&r, BLOCK_GONE);
    assert_null(world_disk(m, dev->nsid));
    world_pass(100 * NS_PER_S);
    assert_int_equal(m->cc, cc);
}

void model_fails(struct model *m, enum failure way)
{
    if (way == FAILS_FATAL)
        m->csts |= NVME_CSTS_CFS;
    else if (way == FAILS_NOT_READY)
        model_go_away(m, 0);
    else if (way == FAILS_AWAY)
        model_go_away(m, NS_PER_S / 2);
    else
        nvme_recover_reset(world_ctrl(m));
}

// ---- reads ----

#define GUARD 64
#define GUARD_BYTE 0xa5

void world_read_done(struct block_req *req)
{
    struct world_read *r = container_of(req, struct world_read, req);
    assert_false(r->done);
    r->done = true;
    r->done_cpu = cpu_index();
}

void world_read_start(struct world_read *r, struct block_dev *dev, unsigned cpu, uint64_t lba,
                      uint32_t blocks, size_t misalign)
{
    world_read_start_for(r, dev, cpu, lba, blocks, misalign, world_read_done);
}

void world_read_start_for(struct world_read *r, struct block_dev *dev, unsigned cpu, uint64_t lba,
                          uint32_t blocks, size_t misalign, void (*done)(struct block_req *req))
{
    size_t bytes = (size_t)blocks * dev->block_size;
    r->memory = aligned_alloc(NVME_PAGE, ALIGN_UP(bytes + misalign + 2 * NVME_PAGE, NVME_PAGE));
    assert_non_null(r->memory);
    uint8_t *buffer = r->memory + NVME_PAGE + misalign;
    memset(buffer - GUARD, GUARD_BYTE, bytes + 2 * GUARD);
    r->done = false;
    r->req = (struct block_req){
        .dev = dev,
        .op = BLOCK_READ,
        .lba = lba,
        .blocks = blocks,
        .buffer = buffer,
        .done = done,
        .status = BLOCK_ERROR,
    };
    world_use_cpu(cpu);
    block_submit(&r->req);
    assert_false(r->done);               // never from within
    r->req.arg = (void *)(uintptr_t)cpu; // NOLINT
    world_use_cpu(0);
}

void world_read_free(struct world_read *r)
{
    free(r->memory);
    r->memory = NULL;
}

void ends_well(struct world_read *r)
{
    const struct block_dev *dev = r->req.dev;
    const uint8_t *buffer = r->req.buffer;
    size_t bytes = (size_t)r->req.blocks * dev->block_size;

    assert_true(r->done);
    assert_int_equal(r->req.status, BLOCK_OK);
    assert_int_equal(r->done_cpu, (unsigned)(uintptr_t)r->req.arg);
    assert_true(model_holds(dev->nsid, r->req.lba * dev->block_size, buffer, bytes));
    for (size_t i = 1; i <= GUARD; i++) {
        assert_int_equal(buffer[-(ptrdiff_t)i], GUARD_BYTE);
        assert_int_equal(buffer[bytes + i - 1], GUARD_BYTE);
    }
    world_read_free(r);
}

void ends(struct world_read *r, enum block_status status)
{
    assert_true(r->done);
    assert_int_equal(r->req.status, status);
    world_read_free(r);
}

void finish_within(struct world_read *r, unsigned rounds)
{
    assert_true(world_run(&r->done, rounds));
    ends_well(r);
}

void finish(struct world_read *r)
{
    finish_within(r, 1000);
}

void starts(struct model *m)
{
    struct world_read r;
    world_read_start(&r, start(m), 1, 12, 64, 0);
    finish_within(&r, 100);
}

void reads_well(struct block_dev *dev, unsigned cpu)
{
    struct world_read r;
    world_read_start(&r, dev, cpu, 4711, 9, 512);
    finish(&r);
}

// ---- formats ----

struct model_namespace *add_formatted(struct model *m, uint32_t nsid, unsigned metadata,
                                      unsigned type)
{
    struct model_namespace *ns = model_add_namespace(m, nsid, 9, 100000);
    ns->data.lbaf[0] |= metadata;
    ns->data.mc = NVME_MC_SEPARATE | NVME_MC_EXTENDED;
    ns->data.dpc = NVME_DPC_TYPES;
    ns->data.dps = (uint8_t)type;
    return ns;
}

void read_some(struct block_dev *dev, unsigned count)
{
    struct world_read *reads = calloc(count, sizeof(*reads));
    assert_non_null(dev);
    for (unsigned i = 0; i < count; i++) {
        uint32_t blocks = 1 + (uint32_t)rand() % (i % 8 ? 20 : 3000);
        world_read_start(&reads[i], dev, i % 2, (uint64_t)rand() % (dev->blocks - blocks), blocks,
                         (size_t)rand() % 16 * 4);
    }
    for (unsigned i = 0; i < count; i++)
        finish_within(&reads[i], 20000);
    free(reads);
}

struct block_dev *start_unwarned(struct model *m, uint32_t nsid)
{
    nvme_init();
    assert_int_equal(world_errors(NULL) + world_warnings(), 0);
    struct block_dev *dev = world_disk(m, nsid);
    assert_non_null(dev);
    return dev;
}

void print_says(const char *line, const char *json)
{
    nvme_print();
    if (!strstr(world_infos(), line))
        fail_msg("\"%s\" doesn't say \"%s\"", world_infos(), line);
    if (!strstr(world_json(), json))
        fail_msg("\"%s\" doesn't say \"%s\"", world_json(), json);
}

void warned_once(const char *what, const char *text)
{
    assert_int_equal(world_warnings(), 1);
    assert_string_equal(world_last_warning_what(), what);
    if (!strstr(world_last_warning(), text))
        fail_msg("\"%s\" doesn't say \"%s\"", world_last_warning(), text);
}
