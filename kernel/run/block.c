// SPDX-License-Identifier: BSD-2-Clause
// The registry of block devices, and the check that stands before every request.

#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/cpu/msg.h"
#include "kernel/mem/dma.h"
#include "kernel/run/allow_write.h"
#include "kernel/run/block.h"
#include "kernel/run/loop.h"

#include "lib/string.h"

static struct {
    struct block_dev *first, **end;
    const char *writable; // allow-write=
    size_t writable_length;
} block = { .end = &block.first };

void block_allow_writes(const char *serials, size_t length)
{
    block.writable = serials;
    block.writable_length = length;
}

bool block_allows(const char *serial)
{
    return allow_write_has(block.writable, block.writable_length, serial);
}

void block_add(struct block_dev *dev)
{
    dev->writable = block_allows(dev->serial);
    __atomic_store_n(&dev->gone, false, __ATOMIC_RELAXED);
    dev->next = NULL;
    *block.end = dev;
    block.end = &dev->next;
}

// Who walks the list and stands at this one goes on to the next.
void block_remove(struct block_dev *dev)
{
    struct block_dev **link = &block.first;
    while (*link && *link != dev)
        link = &(*link)->next;
    if (*link)
        *link = dev->next;
    if (block.end == &dev->next)
        block.end = link;
    __atomic_store_n(&dev->gone, true, __ATOMIC_RELAXED);
}

struct block_dev *block_first(void)
{
    return block.first;
}

struct block_dev *block_find(const char *name, size_t length)
{
    for (struct block_dev *dev = block.first; dev; dev = dev->next)
        if (strlen(dev->name) == length && !memcmp(dev->name, name, length))
            return dev;
    return NULL;
}

// ---- the check before every request ----

static void ended(struct cpu_msg *msg)
{
    struct block_req *req = container_of(msg, struct block_req, msg);
    req->done(req);
}

static void end_later(struct block_req *req, enum block_status status)
{
    req->status = status;
    req->msg.fn = ended;
    cpu_post(cpu_index(), &req->msg);
}

void block_refuse(struct block_req *req, uint32_t detail)
{
    req->detail = detail;
    end_later(req, BLOCK_ERROR);
}

static void refuse_again(struct block_port *port, struct block_req *req)
{
    block_refuse(req, req->detail);
}

static void end_as_gone(struct block_port *port, struct block_req *req)
{
    end_later(req, BLOCK_GONE);
}

static struct block_port refusing = { .submit = refuse_again };
static struct block_port gone = { .submit = end_as_gone };

static bool moves_data(enum block_op op)
{
    return op == BLOCK_READ || op == BLOCK_WRITE || op == BLOCK_COMPARE ||
           op == BLOCK_ZONE_REPORT || op == BLOCK_ZONE_APPEND;
}

static bool writes(enum block_op op)
{
    return op == BLOCK_WRITE || op == BLOCK_WRITE_ZEROES || op == BLOCK_DEALLOCATE ||
           op == BLOCK_COPY || op == BLOCK_ZONE_APPEND || op == BLOCK_ZONE_FINISH ||
           op == BLOCK_ZONE_RESET;
}

// Operations on zones are not split. A report's blocks are only those of its buffer.
static uint64_t most_blocks(const struct block_dev *dev, enum block_op op)
{
    switch (op) {
    case BLOCK_ZONE_REPORT:
        return dev->max_transfer / dev->block_size;
    case BLOCK_ZONE_APPEND:
        return MIN(dev->limits.max_append / dev->block_size, dev->blocks);
    case BLOCK_ZONE_FINISH:
    case BLOCK_ZONE_RESET:
        return MIN(dev->blocks, 1ull);
    default:
        return dev->blocks;
    }
}

static bool is_good(const void *at)
{
    return at && (uintptr_t)at % 4 == 0;
}

// Operations on zones take no pieces of memory.
static bool has_memory(const struct block_req *req)
{
    uint64_t blocks = 0;
    if (req->buffer || !req->pieces)
        return is_good(req->buffer);
    if (req->op != BLOCK_READ && req->op != BLOCK_WRITE && req->op != BLOCK_COMPARE)
        return false;
    for (const struct block_piece *piece = req->pieces; blocks < req->blocks; piece++) {
        if (!is_good(piece->at) || !piece->blocks)
            return false;
        blocks += piece->blocks;
    }
    return blocks == req->blocks;
}

// Devices are kept from all other memory (kernel/mem/dma.h); told once, since it is the app's error.
static bool is_dma(const void *at, uint64_t bytes)
{
    static bool told;
    if (mem_is_dma(at, bytes))
        return true;
    if (!__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
        error("block-memory",
              "a request's buffer at %p, %llu bytes, is not from mem_alloc_dma(), the only memory "
              "that devices may reach: refused, as others will be",
              at, (unsigned long long)bytes);
    return false;
}

// has_memory() is so.
static bool is_reachable(const struct block_req *req)
{
    uint64_t bytes = req->dev->block_size, blocks = 0;
    if (req->buffer || !req->pieces)
        return is_dma(req->buffer, req->blocks * bytes);
    for (const struct block_piece *piece = req->pieces; blocks < req->blocks; piece++) {
        if (!is_dma(piece->at, piece->blocks * bytes))
            return false;
        blocks += piece->blocks;
    }
    return true;
}

// All of them on the device.
static bool has_sources(const struct block_req *req)
{
    uint64_t copied = 0, end = req->dev->blocks;
    const struct block_source *source = req->sources;
    for (; source && copied < req->blocks; source++) {
        if (!source->blocks || source->blocks > end || source->lba > end - source->blocks)
            return false;
        copied += source->blocks;
    }
    return copied == req->blocks;
}

// 0: nothing is wrong. No blocks at all wrap to the largest number, and thus are too many.
static uint32_t find_fault(const struct block_req *req)
{
    const struct block_dev *dev = req->dev;
    if (req->op >= BLOCK_OPS || !(dev->ops & 1u << req->op))
        return BLOCK_DETAIL_UNSUPPORTED;
    if (writes(req->op) && !dev->writable)
        return BLOCK_DETAIL_PROTECTED;
    if (req->op == BLOCK_FLUSH)
        return req->blocks ? BLOCK_DETAIL_RANGE : 0;
    if ((uint64_t)req->blocks - 1 >= most_blocks(dev, req->op))
        return BLOCK_DETAIL_RANGE;
    if (moves_data(req->op) && !has_memory(req))
        return BLOCK_DETAIL_BUFFER;
    if (moves_data(req->op) && !is_reachable(req))
        return BLOCK_DETAIL_MEMORY;
    if (req->op == BLOCK_COPY && !has_sources(req))
        return BLOCK_DETAIL_RANGE;
    return 0;
}

static uint64_t lba_most(const struct block_req *req)
{
    if (req->op == BLOCK_FLUSH)
        return 0;
    return req->dev->blocks - (req->op == BLOCK_ZONE_REPORT ? 1 : req->blocks);
}

bool block_prepare(struct block_req *req)
{
    uint32_t fault = find_fault(req);
    req->cpu = cpu_index();
    req->end = req->done;
    req->lba_most = UINT64_MAX;
    req->port = &refusing;
    req->detail = fault;
    if (block_is_gone(req->dev)) {
        req->port = &gone;
        return false;
    }
    if (fault)
        return false;
    req->lba_most = lba_most(req);
    req->dev->prepare(req);
    return true;
}

bool block_open_stream(struct block_req *req, struct block_stream *stream)
{
    return req->dev->open_stream && req->dev->open_stream(req, stream);
}

void block_close_stream(struct block_req *req)
{
    req->dev->close_stream(req);
}
