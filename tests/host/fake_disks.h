// SPDX-License-Identifier: BSD-2-Clause
// Of fake_machine.h: disks, which keep what is in flight until the machine's loop has one of them end.
#pragma once

#include "tests/host/fake_kernel.h"

// ---- disks ----

struct block_dev *block_first(void)
{
    return fake.first_disk;
}

struct block_dev *block_find(const char *name, size_t length)
{
    for (struct block_dev *dev = fake.first_disk; dev; dev = dev->next)
        if (strlen(dev->name) == length && memcmp(dev->name, name, length) == 0)
            return dev;
    return NULL;
}

static void fake_count_msi(void)
{
    fake.stats[fake.current].msis++;
    fake.irqs[fake.current].counts[fake.current]++;
}

static void fake_check_overlap(const struct block_req *a, const struct block_req *b)
{
    assert_ptr_not_equal(a, b);
    if (a->op == BLOCK_FLUSH || b->op == BLOCK_FLUSH)
        return;
    const char *left = a->buffer, *right = b->buffer;
    assert_true(left + (size_t)a->blocks * a->dev->block_size <= right ||
                right + (size_t)b->blocks * b->dev->block_size <= left);
    if (fake.no_overlap && a->dev == b->dev)
        assert_true(a->lba + a->blocks <= b->lba || b->lba + b->blocks <= a->lba);
}

static void fake_check_data(const struct block_req *req)
{
    assert_true(req->blocks > 0);
    assert_true(req->lba < req->dev->blocks && req->blocks <= req->dev->blocks - req->lba);
    assert_int_equal(mem_node(req->buffer), FAKE_NODE(fake.current));
}

static void fake_submit(struct block_port *port, struct block_req *req)
{
    struct fake_disk *disk = (struct fake_disk *)req->dev;
    assert_true(req->op == BLOCK_READ || req->dev->writable || req->op == BLOCK_FLUSH);
    if (req->op != BLOCK_FLUSH)
        fake_check_data(req);
    for (size_t i = 0; i < fake.in_flight_count; i++)
        fake_check_overlap(fake.in_flight[i], req);
    assert_true(fake.in_flight_count < FAKE_IN_FLIGHT);
    assert_int_equal(req->cpu, fake.current);
    req->status = BLOCK_OK;
    fake.in_flight[fake.in_flight_count++] = req;
    fake.submitted++;
    fake.urgent += req->channel == BLOCK_URGENT;
    disk->in_flight++;
    disk->most_in_flight = MAX(disk->most_in_flight, disk->in_flight);
    if (req->op == BLOCK_READ)
        memset(req->buffer, 0xee, (size_t)req->blocks * req->dev->block_size);
    if (fake.msis_at_once)
        fake_count_msi();
    if (fake.on_read)
        fake.on_read(req);
}

static struct block_port fake_port = { .submit = fake_submit };

bool block_prepare(struct block_req *req)
{
    req->cpu = fake.current;
    req->port = &fake_port;
    req->lba_most = req->op == BLOCK_FLUSH ? 0 : req->dev->blocks - req->blocks;
    return true;
}

bool block_open_stream(struct block_req *req, struct block_stream *stream)
{
    struct fake_disk *disk = (struct fake_disk *)req->dev;
    if (!fake.has_streams || disk->stream)
        return false;
    disk->stream = stream;
    return true;
}

void block_close_stream(struct block_req *req)
{
    ((struct fake_disk *)req->dev)->stream = NULL;
}

void block_refuse(struct block_req *req, uint32_t detail)
{
    fail_msg("LBA %lu, %u blocks: refused (%x)", req->lba, req->blocks, detail);
}

static void fake_fill(struct fake_disk *disk, struct block_req *req)
{
    uint32_t size = disk->dev.block_size;
    for (uint32_t i = 0; i < req->blocks; i++) {
        uint8_t *block = (uint8_t *)req->buffer + (size_t)i * size;
        if (disk->data)
            memcpy(block, disk->data + (req->lba + i) * size, size);
        else
            stamp_fill(block, size, stamp_tag(disk->dev.serial, disk->dev.nsid), req->lba + i);
        if (req->lba + i == disk->damaged_lba)
            block[size - 1] ^= 1;
        disk->reads[req->lba + i]++;
    }
}

// A write that is lost, torn or misplaced is one like any other to whom submitted it.
static void fake_store(struct fake_disk *disk, const struct block_req *req)
{
    uint32_t size = disk->dev.block_size;
    for (uint32_t i = 0; i < req->blocks; i++) {
        uint64_t lba = req->lba + i;
        bool second = disk->writes[lba]++ > 0;
        if (second && lba == disk->lost_lba)
            continue;
        bool torn = second && lba == disk->torn_lba, there = second && lba == disk->misplaced_lba;
        memcpy(disk->data + (lba + there) * size, (uint8_t *)req->buffer + (size_t)i * size,
               torn ? size / 2 : size);
    }
}

static void fake_carry_out(struct fake_disk *disk, struct block_req *req)
{
    switch (req->op) {
    case BLOCK_READ:
        return fake_fill(disk, req);
    case BLOCK_WRITE:
        return fake_store(disk, req);
    case BLOCK_DEALLOCATE:
        for (uint32_t i = 0; i < req->blocks; i++)
            disk->trims[req->lba + i]++;
        break;
    case BLOCK_FLUSH:
        disk->flushes++;
        break;
    default:
        if (!fake.on_other)
            fail_msg("operation %d", req->op);
        fake.on_other(req);
    }
}

static bool fake_is_bad(const struct fake_disk *disk, const struct block_req *req)
{
    return disk->bad_status != BLOCK_OK && req->op == disk->bad_op &&
           (req->op == BLOCK_FLUSH ||
            (disk->bad_lba >= req->lba && disk->bad_lba - req->lba < req->blocks));
}

static void fake_take_turn(struct fake_disk *disk, struct block_req *req)
{
    struct block_turn *turns = disk->turns;
    turns[disk->turns_count++].req = req;
    if (disk->turns_count < fake.turn && disk->in_flight)
        return;
    unsigned count = disk->turns_count;
    disk->turns_count = 0;
    if (fake.turn > 1)
        cpu_begin_batch();
    bool all = disk->stream->turn(disk->stream, turns, count);
    fake.turns += count;
    for (unsigned i = 0; i < count; i++) {
        assert_true(turns[i].req || !all);
        if (turns[i].req)
            block_resubmit(turns[i].req);
    }
}

static void fake_complete_one(void)
{
    size_t i = fake_random((uint32_t)fake.in_flight_count);
    struct block_req *req = fake.in_flight[i];
    struct fake_disk *disk = (struct fake_disk *)req->dev;
    bool bad = fake_is_bad(disk, req);
    fake.in_flight[i] = fake.in_flight[--fake.in_flight_count];
    disk->in_flight--;
    fake.tsc += fake.service_tsc;
    fake.current = req->cpu;
    fake.stats[req->cpu].idle_tsc += 10;
    if (fake_random(2))
        fake.stats[req->cpu].notifications++;
    if (!fake.msis_at_once)
        fake_count_msi();
    if (fake.batch <= 1 || fake.completed % fake.batch == 0)
        cpu_begin_batch();
    fake.completed++;
    req->status = bad ? disk->bad_status : BLOCK_OK;
    req->detail = bad ? 0x281 : 0;
    if (!bad)
        fake_carry_out(disk, req);
    if (!bad && disk->stream && disk->stream->done == req->done)
        fake_take_turn(disk, req);
    else
        req->done(req);
}
