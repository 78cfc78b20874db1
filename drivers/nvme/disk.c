// SPDX-License-Identifier: BSD-2-Clause
// The straight path of a block request: prepare, submit, reap.

#include "drivers/nvme/disk.h"

#include "drivers/nvme/prp.h"
#include "drivers/nvme/request.h"
#include "kernel/base/cpus.h"
#include "kernel/irq/irq.h"
#include "kernel/mem/mem.h"
#include "lib/mark.h"

// ---- submission ----

static void submit_lengthy(struct block_port *port, struct block_req *req)
{
    nvme_request_in_full(container_of(port, struct nvme_queue, lengthy), req);
}

static void submit_straight_in_full(struct block_port *port, struct block_req *req)
{
    nvme_request_in_full(container_of(port, struct nvme_queue, straight), req);
}

void nvme_queue_write_in_full(struct nvme_queue *q)
{
    q->in_full = true;
    __atomic_store_n(&q->straight.submit, submit_straight_in_full, __ATOMIC_RELAXED);
}

void nvme_queue_serve_zones(struct nvme_queue *q)
{
    nvme_queue_write_in_full(q);
    q->zoned = true;
    nvme_qpair_look_at_all(&q->qp, true);
}

// A free slot is the only test of room; whoever waits leaves none.
static void submit_straight(struct block_port *port, struct block_req *req)
{
    MARK_BEGIN("submit");
    struct nvme_queue *q = container_of(port, struct nvme_queue, straight);
    unsigned id = q->qp.free;
    if (unlikely(nvme_qpair_owner(&q->qp) != cpu_index()) || unlikely(id == NVME_NO_SLOT)) {
        MARK_END("submit");
        return nvme_request_detour(q, req);
    }
    nvme_qpair_take(&q->qp, id, req);
    req->status = BLOCK_OK;
    unsigned tail = q->qp.sq_tail;
    struct nvme_io_sqe *sqe = &q->qp.sq[tail];
    sqe->head = req->command | (uint64_t)id << 16;
    sqe->data[0] = req->data[0];
    sqe->data[1] = req->data[1];
    sqe->slba = req->lba;
    sqe->cdw12 = req->length;
    bool ring = nvme_qpair_push(&q->qp, tail);
    MARK_END("submit");
    if (unlikely(ring))
        nvme_qpair_mark(&q->qp);
}
static_assert(NVME_SQE_CID == BITS64(31, 16), "a shift, without a mask");

// Straight, unless a command for this LBA would cross a boundary.
static void submit_bounded(struct block_port *port, struct block_req *req)
{
    struct nvme_queue *q = container_of(port, struct nvme_queue, bounded);
    const struct nvme_ns *ns = req->dev->driver;
    req->end = req->done;
    if (likely(nvme_piece(&ns->forms[req->op].cuts, req->lba, req->blocks) == req->blocks))
        return q->straight.submit(&q->straight, req);
    req->end = nvme_request_part_ended;
    nvme_request_detour(q, req);
}

// One command, for some LBA at least.
static bool may_be_straight(const struct nvme_ns *ns, struct block_req *req)
{
    if (req->op == BLOCK_DEALLOCATE || req->op == BLOCK_COPY || nvme_is_scattered(req) ||
        req->blocks > ns->forms[req->op].cuts.most)
        return false;
    req->data[0] = req->data[1] = 0;
    return !nvme_ops[req->op].moves_data ||
           nvme_point(ns->ctrl->abilities.sgl, mem_phys(req->buffer),
                      (uint64_t)req->blocks << ns->block_shift, &req->command, req->data);
}

void nvme_prepare(struct block_req *req)
{
    const struct nvme_ns *ns = req->dev->driver;
    const struct nvme_form *form = &ns->forms[req->op];
    struct nvme_queue *q = nvme_queue_for(ns, req, cpu_index());

    req->command = ns->head | nvme_ops[req->op].opcode;
    req->length = (uint32_t)((req->fua ? NVME_IO_FUA : 0) | form->control |
                             field_put(NVME_IO_NLB, req->blocks ? req->blocks - 1 : 0));
    if (!may_be_straight(ns, req)) {
        req->port = &q->lengthy;
        req->end = nvme_request_part_ended;
    } else if (form->cuts.boundary || form->cuts.zone) {
        req->port = &q->bounded;
    } else {
        req->port = &q->straight;
    }
}

// ---- completion ----

// More than a full queue can't be new at once: the limit is for controllers that lie.
unsigned nvme_queue_reap(struct nvme_queue *q)
{
    unsigned total = 0, count;
    cpu_begin_batch();
    do {
        count =
            nvme_qpair_reap(&q->qp, q->qp.mask + 1u - total, nvme_request_end, nvme_request_look);
        total += count;
    } while (count && total <= q->qp.mask);
    return total;
}

void nvme_queue_quiet(struct nvme_queue *q)
{
    if (q->quiet)
        return;
    nvme_queue_reap(q);
    q->quiet = true;
    nvme_qpair_quiet(&q->qp);
    cpu_timer_stop(&q->qp.watch);
    q->qp.watched = false;
}

static RARE void interrupt_again(struct nvme_queue *q)
{
    if (nvme_qpair_ready(&q->qp))
        irq_again(q->irq);
}

void nvme_queue_interrupt(void *arg)
{
    struct nvme_queue *q = arg;
    unsigned count;
    if (unlikely(nvme_qpair_owner(&q->qp) != cpu_index()))
        return;
    MARK_BEGIN("reap");
    cpu_begin_batch();
    if (q->stream && !q->in_full)
        count = nvme_stream_reap(q);
    else
        count = nvme_qpair_reap(&q->qp, NVME_REAP_BUDGET, nvme_request_end, nvme_request_look);
    MARK_END("reap");
    if (unlikely(count == NVME_REAP_BUDGET) || unlikely(nvme_qpair_at_start(&q->qp)))
        interrupt_again(q);
}

// ---- creation ----

struct nvme_queue *nvme_queue_create(struct nvme_ctrl *c, const struct nvme_qpair_config *config,
                                     uint64_t max_transfer)
{
    struct nvme_queue *q = mem_alloc(sizeof(*q), CACHE_LINE, config->node);
    nvme_qpair_init(&q->qp, config);
    q->ctrl = c;
    q->straight.submit = submit_straight;
    q->bounded.submit = submit_bounded;
    q->lengthy.submit = submit_lengthy;
    q->list_bytes =
        (uint32_t)MAX(nvme_prp_list_entries(max_transfer) * sizeof(uint64_t), CACHE_LINE + 0ull);
    q->lists = mem_alloc(config->entries * sizeof(*q->lists), CACHE_LINE, config->node);
    q->dma_node = config->dma_node;
    q->retry.fn = nvme_request_retry_due;
    return q;
}
