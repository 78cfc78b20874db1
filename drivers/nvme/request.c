// SPDX-License-Identifier: BSD-2-Clause
// Requests off the straight path: those that are cut, wait for a slot, go to another CPU, fail, are
// tried again, or end for good.

#include "drivers/nvme/request.h"

#include "drivers/nvme/status.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/string.h"

#define FAILURES_SHOWN 8 // for each queue; the submitter counts them all

// ---- ends ----

static void submit_again(struct block_req *req);
static void forward(struct nvme_queue *q, struct block_req *req);

static void done_message(struct cpu_msg *msg)
{
    struct block_req *req = container_of(msg, struct block_req, msg);
    cpu_begin_batch();
    req->done(req);
}

// Also the `end` of a straight request that another CPU than its submitter ends.
static void send_back(struct block_req *req)
{
    if (req->end == send_back)
        req->end = req->done;
    req->msg.fn = done_message;
    cpu_post(req->cpu, &req->msg);
}

static void end_here_or_there(struct block_req *req)
{
    if (req->cpu != cpu_index())
        return send_back(req);
    req->done(req);
}

// The `end` of a request that is not straight.
void nvme_request_part_ended(struct block_req *req)
{
    if (--req->pending)
        return;
    if (req->again && req->status == BLOCK_OK)
        return submit_again(req);
    end_here_or_there(req);
}

// The `end` of a straight request that was tried before.
static void retried(struct block_req *req)
{
    req->tries = 0;
    req->end = req->done;
    end_here_or_there(req);
}

static void tell_failure(struct nvme_queue *q, const struct block_req *req, uint32_t status)
{
    char words[80];
    if (q->failures == FAILURES_SHOWN)
        return;
    q->failures++;
    warn(req->op == BLOCK_READ ? "nvme-read" : "nvme-io",
         "%s: a %s of %u blocks at LBA %llu failed: %s%s", req->dev->name, nvme_ops[req->op].words,
         req->blocks, (unsigned long long)req->lba, nvme_status_text(status, words, sizeof(words)),
         q->failures == FAILURES_SHOWN ? "; further failures on this queue are not shown" : "");
}

// A time-out of another of its commands says more.
static void request_failed(struct nvme_queue *q, struct block_req *req, uint32_t status)
{
    if (req->status == BLOCK_OK || req->status == BLOCK_DIFFERS)
        req->status = BLOCK_ERROR;
    req->detail = status;
    tell_failure(q, req, status);
}

void nvme_request_give_up(struct block_req *req, enum block_status status)
{
    req->status = status;
    req->end(req);
}

// ---- the detour: what waits for a slot ----

static void append(struct nvme_queue *q, struct block_req *req)
{
    req->next = NULL;
    if (q->waiting)
        q->waiting_last->next = req;
    else
        q->waiting = req;
    q->waiting_last = req;
    nvme_qpair_look_at_all(&q->qp, true);
}

static struct block_req *pop(struct nvme_queue *q)
{
    struct block_req *req = q->waiting;
    q->waiting = req->next;
    nvme_qpair_look_at_all(&q->qp, q->waiting || q->zoned);
    return req;
}

// The next command of a request. There must be room.
static void issue(struct nvme_queue *q, const struct nvme_ns *ns, struct block_req *req,
                  uint32_t first, uint32_t blocks)
{
    unsigned id = q->qp.free, tail = q->qp.sq_tail;
    struct nvme_io_sqe sqe = nvme_command(q, ns, req, id, first, blocks);
    nvme_qpair_take(&q->qp, id, req);
    nvme_qpair_write(&q->qp, tail, &sqe);
    if (nvme_qpair_push(&q->qp, tail))
        nvme_qpair_mark(&q->qp);
}

void nvme_request_pump(struct nvme_queue *q)
{
    while (q->waiting && nvme_qpair_has_room(&q->qp)) {
        struct block_req *req = q->waiting;
        const struct nvme_ns *ns = req->dev->driver;
        uint32_t first = req->issued;
        uint32_t blocks = nvme_command_blocks(q, ns, req, first);

        req->issued += blocks;
        if (req->issued == req->blocks)
            pop(q);
        else
            req->pending++;
        issue(q, ns, req, first, blocks);
    }
}

void nvme_request_enqueue(struct nvme_queue *q, struct block_req *req)
{
    if (q->gone) {
        req->status = BLOCK_GONE;
        return send_back(req);
    }
    if (nvme_queue_stands_in(q))
        return forward(nvme_queue_stands_in(q), req);
    req->issued = 0;
    req->pending = 1;
    req->again = false;
    append(q, req);
    nvme_request_pump(q);
}

// ---- trying again ----
//
// A request is tried again as a whole, once all its commands have ended: which of them are whose is
// not remembered, and to read or write blocks twice does no harm.

void nvme_request_retry_due(struct cpu_timer *timer)
{
    struct nvme_queue *q = container_of(timer, struct nvme_queue, retry);
    while (q->later && q->later->due_ns <= time_ns()) {
        struct block_req *req = q->later;
        q->later = req->next;
        nvme_request_enqueue(q, req);
    }
    if (q->later)
        cpu_timer_start(&q->retry, q->later->due_ns);
}

static void enqueue_later(struct nvme_queue *q, struct block_req *req)
{
    struct block_req **link = &q->later;
    while (*link && (*link)->due_ns <= req->due_ns)
        link = &(*link)->next;
    req->next = *link;
    *link = req;
    req->pending = 1; // as those have that wait for a slot
    cpu_timer_start(&q->retry, q->later->due_ns);
}

// The queue of a request that was prepared a while ago.
static struct nvme_queue *queue_of(const struct block_req *req)
{
    struct nvme_queue *q = nvme_queue_for(req->dev->driver, req, req->cpu);
    struct nvme_queue *instead = nvme_queue_stands_in(q);
    return instead ? instead : q;
}

// What another queue had, when this one wasn't there, doesn't wait for its time.
static void submit_again(struct block_req *req)
{
    struct nvme_queue *q = queue_of(req);
    if (nvme_qpair_owner(&q->qp) != cpu_index())
        forward(q, req);
    else if (req->due_ns > time_ns() && !q->gone)
        enqueue_later(q, req);
    else
        nvme_request_enqueue(q, req);
}

// An append that was carried out and isn't answered would be carried out twice.
static bool is_repeatable(const struct block_req *req)
{
    return req->op != BLOCK_ZONE_APPEND;
}

void nvme_request_again(struct block_req *req, uint64_t due_ns)
{
    if (!is_repeatable(req))
        return nvme_request_give_up(req, BLOCK_TIMEOUT);
    req->due_ns = due_ns;
    if (req->end != nvme_request_part_ended) {
        req->end = retried;
        return submit_again(req);
    }
    req->again = true;
    nvme_request_part_ended(req);
}

static bool is_status(uint32_t status, uint32_t which)
{
    return (status & (NVME_STATUS_SCT | NVME_STATUS_SC)) == which;
}

static bool is_abort(uint32_t status)
{
    return is_status(status, NVME_STATUS_ABORT_REQUESTED);
}

// That a comparison finds a difference is its answer, and no failure.
static bool is_difference(const struct block_req *req, uint32_t status)
{
    return req->op == BLOCK_COMPARE && is_status(status, NVME_STATUS_COMPARE_FAILURE);
}

static void differs(struct block_req *req)
{
    if (req->status == BLOCK_OK)
        req->status = BLOCK_DIFFERS;
    req->end(req);
}

// What was aborted and wasn't late had the misfortune to get the id of another that had just ended.
static bool may_retry(const struct block_req *req, uint32_t status)
{
    return req->status == BLOCK_OK && is_repeatable(req) &&
           nvme_may_retry(is_abort(status) ? status & ~NVME_STATUS_DNR : status, req->tries);
}

static void command_failed(struct nvme_queue *q, struct block_req *req, uint32_t status, bool late)
{
    if (late && is_abort(status))
        return nvme_request_give_up(req, BLOCK_TIMEOUT);
    if (block_is_gone(req->dev)) // its namespace was detached, and the host was told
        return nvme_request_give_up(req, BLOCK_GONE);
    if (is_difference(req, status))
        return differs(req);
    if (may_retry(req, status)) {
        req->tries++;
        q->retries++;
        return nvme_request_again(
            req, time_ns() + nvme_retry_delay_ns(status, q->ctrl->abilities.retry_ms));
    }
    request_failed(q, req, status);
    req->end(req);
}

// ---- a queue that another CPU owns: there are fewer than CPUs, or it has moved ----

bool nvme_queue_pass_on(const struct nvme_queue *q, struct cpu_msg *msg)
{
    unsigned owner = nvme_qpair_owner(&q->qp);
    if (owner == cpu_index())
        return false;
    cpu_post(owner, msg);
    return true;
}

static void forward_message(struct cpu_msg *msg)
{
    struct block_req *req = container_of(msg, struct block_req, msg);
    struct nvme_queue *q = queue_of(req);
    if (!nvme_queue_pass_on(q, msg))
        nvme_request_enqueue(q, req);
}

static void end_elsewhere(struct block_req *req)
{
    if (req->end == req->done)
        req->end = send_back;
}

static void forward(struct nvme_queue *q, struct block_req *req)
{
    end_elsewhere(req);
    req->msg.fn = forward_message;
    cpu_post(nvme_qpair_owner(&q->qp), &req->msg);
}

void nvme_queue_send_back(struct nvme_queue *q)
{
    for (unsigned i = 0; i < q->qp.mask; i++)
        if (q->qp.slots[i].command)
            end_elsewhere(q->qp.slots[i].command);
    for (struct block_req *req = q->waiting; req; req = req->next)
        end_elsewhere(req);
}

// ---- submission ----

RARE void nvme_request_detour(struct nvme_queue *q, struct block_req *req)
{
    req->status = BLOCK_OK;
    req->tries = 0;
    if (nvme_qpair_owner(&q->qp) != cpu_index())
        return forward(q, req);
    nvme_request_enqueue(q, req);
}

// What is one command goes out at once.
void nvme_request_in_full(struct nvme_queue *q, struct block_req *req)
{
    const struct nvme_ns *ns = req->dev->driver;
    if (nvme_qpair_owner(&q->qp) != cpu_index() || !nvme_qpair_has_room(&q->qp) ||
        nvme_command_blocks(q, ns, req, 0) < req->blocks)
        return nvme_request_detour(q, req);
    req->status = BLOCK_OK;
    req->tries = 0;
    req->again = false;
    req->issued = req->blocks;
    req->pending = 1;
    issue(q, ns, req, 0, req->blocks);
}

// ---- completion ----

static bool is_late(const struct nvme_qpair *qp, unsigned id)
{
    return id < qp->mask && nvme_slot_is_late(&qp->slots[id]);
}

// What waits is ahead of what the end submits.
RARE void nvme_request_look(struct nvme_qpair *qp, uint64_t tail, const struct nvme_cqe *entry)
{
    struct nvme_queue *q = container_of(qp, struct nvme_queue, qp);
    uint32_t status;
    bool late = is_late(qp, (unsigned)field_get(NVME_CQE_CID, tail));
    struct block_req *req = nvme_qpair_look(qp, tail, &status);
    nvme_request_pump(q);
    if (!req)
        return;
    if (status)
        return command_failed(q, req, status, late);
    if (req->op == BLOCK_ZONE_APPEND) // ZNS 3.4.1.1
        req->lba = entry->dw0 | (uint64_t)entry->dw1 << 32;
    nvme_request_end(qp, req, entry);
}
