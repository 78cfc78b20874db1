// SPDX-License-Identifier: BSD-2-Clause
// The registry of block devices, and the check that stands before every request.

#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/run/block.h"
#include "kernel/run/loop.h"

#include "lib/string.h"

static struct {
    struct block_dev *first, **end;
} block = { .end = &block.first };

void block_add(struct block_dev *dev)
{
    dev->next = NULL;
    *block.end = dev;
    block.end = &dev->next;
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

static void refused(struct cpu_msg *msg)
{
    struct block_req *req = container_of(msg, struct block_req, msg);
    req->done(req);
}

// Later, as for any other request: done() must not run within block_submit(). Out of line, which
// keeps block_submit() free of a stack frame for it.
static __attribute__((noinline)) void refuse(struct block_req *req)
{
    req->status = BLOCK_ERROR;
    req->detail = BLOCK_DETAIL_RANGE;
    req->msg.fn = refused;
    cpu_post(cpu_index(), &req->msg);
}

// No blocks at all wrap to the largest number, and thus are out of range.
void block_submit(struct block_req *req)
{
    struct block_dev *dev = req->dev;
    if (unlikely(req->lba >= dev->blocks || (uint64_t)req->blocks - 1 >= dev->blocks - req->lba ||
                 (uintptr_t)req->buffer % 4))
        return refuse(req);
    dev->submit(req);
}
