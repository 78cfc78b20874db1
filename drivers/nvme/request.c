// SPDX-License-Identifier: BSD-2-Clause
// Reads that leave the straight path: longer than a page or a command, waiting for a slot, on a
// queue that another CPU owns, or without success.

#include "drivers/nvme/ctrl.h"
#include "drivers/nvme/queue.h"
#include "drivers/nvme/status.h"
#include "kernel/base/report.h"
#include "kernel/cpu/msg.h"
#include "kernel/mem/mem.h"

#define FAILURES_SHOWN 8 // for each queue; the submitter counts them all

// ---- ends ----

static void done_message(struct cpu_msg *msg)
{
    struct block_req *req = container_of(msg, struct block_req, msg);
    req->done(req);
}

void nvme_request_return(struct block_req *req)
{
    req->msg.fn = done_message;
    cpu_post(req->cpu, &req->msg);
}

void nvme_request_failed(struct nvme_queue *q, struct block_req *req, uint32_t status)
{
    char words[80];
    if (req->status == BLOCK_OK) // a time-out of another of its commands says more
        req->status = BLOCK_ERROR;
    req->detail = status;
    if (!req->dev || q->failures == FAILURES_SHOWN)
        return;
    q->failures++;
    warn("nvme-read", "%s: a read of %u blocks at LBA %llu failed: %s%s", req->dev->name,
         req->blocks, (unsigned long long)req->lba, nvme_status_text(status, words, sizeof(words)),
         q->failures == FAILURES_SHOWN ? "; further failures on this queue are not shown" : "");
}

void nvme_request_give_up(struct nvme_queue *q, struct block_req *req, uint32_t commands,
                          enum block_status status)
{
    req->status = status;
    req->pending -= commands;
    if (req->pending)
        return;
    if (req->cpu != q->cpu)
        return nvme_request_return(req);
    req->done(req);
}

// ---- waiting ----

static uint32_t commands_for(const struct nvme_ns *ns, uint32_t blocks)
{
    return (uint32_t)((blocks + BIT64(ns->max_shift) - 1) >> ns->max_shift);
}

static void append(struct nvme_queue *q, struct block_req *req)
{
    req->next = NULL;
    if (q->waiting)
        q->waiting_last->next = req;
    else
        q->waiting = req;
    q->waiting_last = req;
}

static struct block_req *pop(struct nvme_queue *q)
{
    struct block_req *req = q->waiting;
    q->waiting = req->next;
    return req;
}

void nvme_request_pump(struct nvme_queue *q)
{
    while (q->waiting && nvme_queue_has_room(q)) {
        struct block_req *req = q->waiting;
        const struct nvme_ns *ns = req->dev->driver;
        uint32_t first = req->issued;
        uint32_t blocks = (uint32_t)MIN((uint64_t)(req->blocks - first), BIT64(ns->max_shift));
        uint64_t skip = (uint64_t)first << ns->block_shift;

        req->issued += blocks;
        if (req->issued == req->blocks)
            pop(q);
        nvme_queue_issue(q, ns, req, mem_phys(req->buffer) + skip, req->lba + first, blocks);
    }
}

void nvme_request_enqueue(struct nvme_queue *q, const struct nvme_ns *ns, struct block_req *req)
{
    if (q->gone) {
        req->status = BLOCK_GONE;
        return nvme_request_return(req);
    }
    req->issued = 0;
    req->pending = commands_for(ns, req->blocks);
    append(q, req);
    nvme_request_pump(q);
    if (!q->watched) // no slot may ever become free: the watch then ends the wait
        nvme_watch_start(q);
}

void nvme_request_give_up_waiting(struct nvme_queue *q, enum block_status status)
{
    while (q->waiting) {
        struct block_req *req = pop(q);
        const struct nvme_ns *ns = req->dev->driver;
        nvme_request_give_up(q, req, commands_for(ns, req->blocks - req->issued), status);
    }
}

// ---- a queue that another CPU owns: there are fewer than CPUs, or it has moved ----

static void forward_message(struct cpu_msg *msg)
{
    struct block_req *req = container_of(msg, struct block_req, msg);
    const struct nvme_ns *ns = req->dev->driver;
    struct nvme_queue *q = nvme_queue_for(ns, req, req->cpu);
    if (!nvme_queue_pass_on(q, msg))
        nvme_request_enqueue(q, ns, req);
}

void nvme_request_forward(struct nvme_queue *q, struct block_req *req)
{
    req->msg.fn = forward_message;
    cpu_post(nvme_queue_owner(q), &req->msg);
}
