// SPDX-License-Identifier: BSD-2-Clause
// The path of one read: submit, doorbell, reap. What is rare is in request.c and watch.c.

#include "drivers/nvme/queue.h"

#include "drivers/nvme/ctrl.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "lib/mark.h"
#include "lib/mmio.h"
#include "lib/string.h"

// ---- submission ----

// The first command since the last flush; on an urgent queue, each.
static void mark_dirty(struct nvme_queue *q)
{
    if (q->urgent) {
        mmio_write32(q->sq_doorbell, q->sq_tail);
    } else {
        q->dirty = true;
        q->dirty_next = q->home->dirty;
        q->home->dirty = q;
    }
    if (!q->watched)
        nvme_watch_start(q);
}

static inline unsigned take_slot(struct nvme_queue *q, struct block_req *req)
{
    unsigned id = q->free;
    struct nvme_slot *slot = &q->slots[id];
    q->free = slot->next;
    slot->req = req;
    slot->epoch = q->epoch;
    return id;
}

// The fields that are not written here are zero in every entry since the queue was made.
static inline void write_read(struct nvme_queue *q, const struct nvme_ns *ns, unsigned id,
                              struct nvme_prp prp, uint64_t lba, uint32_t blocks)
{
    struct nvme_read_sqe *sqe = &q->sq[q->sq_tail];
    sqe->head = ns->head | field_put(NVME_SQE_CID, id);
    sqe->prp1 = prp.prp1;
    sqe->prp2 = prp.prp2;
    sqe->slba = lba;
    sqe->cdw12 = blocks - 1;
    q->sq_tail = (q->sq_tail + 1) & q->mask;
    if (unlikely(!q->dirty))
        mark_dirty(q);
}

void nvme_queue_issue(struct nvme_queue *q, const struct nvme_ns *ns, struct block_req *req,
                      uint64_t phys, uint64_t lba, uint32_t blocks)
{
    unsigned id = take_slot(q, req);
    uint64_t at = (uint64_t)id * q->list_bytes;
    struct nvme_prp prp = nvme_prp_build(phys, (uint64_t)blocks << ns->block_shift,
                                         q->lists + at / sizeof(uint64_t), q->lists_phys + at);
    write_read(q, ns, id, prp, lba, blocks);
}

void nvme_submit(struct block_req *req)
{
    MARK_BEGIN("submit");
    const struct nvme_ns *ns = req->dev->driver;
    unsigned cpu = cpu_index();
    struct nvme_queue *q = nvme_queue_for(ns, req, cpu);

    req->cpu = cpu;
    req->status = BLOCK_OK;
    if (unlikely(nvme_queue_owner(q) != cpu)) {
        MARK_END("submit");
        return nvme_request_forward(q, req);
    }
    uint64_t phys = mem_phys(req->buffer);
    uint64_t bytes = (uint64_t)req->blocks << ns->block_shift;
    if (unlikely(!nvme_queue_has_room(q) || phys % NVME_PAGE + bytes > NVME_PAGE)) {
        MARK_END("submit");
        return nvme_request_enqueue(q, ns, req);
    }
    req->pending = 1;
    write_read(q, ns, take_slot(q, req), (struct nvme_prp){ phys, 0 }, req->lba, req->blocks);
    MARK_END("submit");
}

bool nvme_queue_command(struct nvme_queue *q, struct nvme_sqe *sqe, struct block_req *req)
{
    if (!nvme_queue_has_room(q))
        return false;
    field_set(&sqe->head, NVME_SQE_CID, take_slot(q, req));
    memcpy(&q->sq[q->sq_tail], sqe, sizeof(*sqe));
    q->sq_tail = (q->sq_tail + 1) & q->mask;
    mmio_write32(q->sq_doorbell, q->sq_tail);
    return true;
}

void nvme_queue_flush(struct nvme_cpu *home)
{
    while (home->dirty) {
        struct nvme_queue *q = home->dirty;
        home->dirty = q->dirty_next;
        q->dirty = false;
        mmio_write32(q->sq_doorbell, q->sq_tail);
    }
}

// ---- completion ----

// Counted, said once for each queue, and otherwise ignored. An answer to a command that was given
// up is no surprise; its slot stays taken until the controller is reset.
static void unexpected(struct nvme_queue *q, uint64_t entry)
{
    unsigned id = (unsigned)field_get(NVME_CQE_CID, entry);
    if (!(entry & q->foreign) && q->slots[id].dead)
        return;
    if (q->bad++)
        return;
    entry ^= q->expect;
    error("nvme-bad-completion",
          "%s: queue %u: a completion that belongs to no command (id %u, SQID %llu, SQHD %llu, "
          "status %llxh) was ignored; further ones are only counted",
          q->ctrl->label, q->qid, id, (unsigned long long)field_get(NVME_CQE_SQID, entry),
          (unsigned long long)field_get(NVME_CQE_SQHD, entry),
          (unsigned long long)field_get(NVME_CQE_STATUS, entry));
}

// `entry` is a completion's second half, less what was expected: CID and SQHD, both within the
// queue, and zeros in SQID and P unless something is wrong.
static inline void complete(struct nvme_queue *q, uint64_t entry)
{
    uint32_t high = (uint32_t)(entry >> 32); // CID, and the status above it
    struct nvme_slot *slot = &q->slots[high & q->mask];
    struct block_req *req = slot->req;
    if (unlikely((entry & q->foreign) || !req))
        return unexpected(q, entry);

    q->sq_head = (uint16_t)entry;
    slot->req = NULL;
    slot->next = q->free;
    q->free = high & q->mask;
    if (unlikely(q->waiting))
        nvme_request_pump(q);
    if (unlikely(high > q->mask))
        nvme_request_failed(q, req, (uint32_t)field_get(NVME_CQE_STATUS, entry));
    if (unlikely(--req->pending))
        return;
    if (unlikely(req->cpu != q->cpu))
        return nvme_request_return(req);
    MARK_BEGIN("callback");
    req->done(req);
    MARK_END("callback");
}

// One load takes phase tag, status and ids together: none can be older than the tag (3.3.3.2).
// Acquire: what the controller wrote before it, dword 0 and the data, is read after it.
static inline uint64_t next_entry(const struct nvme_queue *q)
{
    return __atomic_load_n(&q->cq[q->cq_head & q->mask].tail, __ATOMIC_ACQUIRE) ^ q->expect;
}

bool nvme_queue_ready(const struct nvme_queue *q)
{
    return !(next_entry(q) & NVME_CQE_P);
}

// The queue's state is in memory again before each done(), which may submit.
static inline unsigned reap(struct nvme_queue *q, unsigned most)
{
    unsigned count = 0;
    for (; count < most; count++) {
        uint64_t entry = next_entry(q);
        if (entry & NVME_CQE_P)
            break;
        if (unlikely(!(++q->cq_head & q->mask)))
            q->expect ^= NVME_CQE_P;
        complete(q, entry);
    }
    if (count)
        mmio_write32(q->cq_doorbell, q->cq_head & q->mask);
    return count;
}

// More than a full queue can't be new at once: the limit is for controllers that lie.
unsigned nvme_queue_reap(struct nvme_queue *q)
{
    return reap(q, q->mask + 1u);
}

void nvme_queue_interrupt(void *arg)
{
    struct nvme_queue *q = arg;
    if (unlikely(nvme_queue_owner(q) != cpu_index()))
        return;
    MARK_BEGIN("reap");
    if (unlikely(reap(q, NVME_REAP_BUDGET) == NVME_REAP_BUDGET) && nvme_queue_ready(q))
        irq_again(q->irq);
    MARK_END("reap");
}

// ---- creation ----

static void link_slots(struct nvme_queue *q)
{
    for (unsigned i = 0; i < q->mask; i++)
        q->slots[i].next = i + 1 < q->mask ? (uint16_t)(i + 1) : (uint16_t)NVME_NO_SLOT;
    q->free = 0;
}

static void make_lists(struct nvme_queue *q, uint64_t max_transfer, unsigned node)
{
    uint64_t bytes = MAX(nvme_prp_list_entries(max_transfer) * sizeof(uint64_t), 16ull);
    q->list_bytes = (uint32_t)bytes;
    q->lists = mem_alloc(bytes * q->mask, NVME_PAGE, node);
    q->lists_phys = mem_phys(q->lists);
}

struct nvme_queue *nvme_queue_create(const struct nvme_queue_config *config)
{
    struct nvme_queue *q = mem_alloc(sizeof(*q), CACHE_LINE, config->node);
    unsigned entries = config->entries;

    q->ctrl = config->ctrl;
    q->home = config->home;
    q->qid = (uint16_t)config->qid;
    q->cpu = config->cpu;
    q->urgent = config->urgent;
    q->mask = (uint16_t)(entries - 1);
    q->sq_doorbell = config->doorbell;
    q->cq_doorbell = mmio_at(config->doorbell, config->stride);
    q->sq = mem_alloc(entries * sizeof(*q->sq), NVME_PAGE, config->dma_node);
    q->cq = mem_alloc(entries * sizeof(*q->cq), NVME_PAGE, config->dma_node);
    q->slots = mem_alloc(entries * sizeof(*q->slots), CACHE_LINE, config->node);
    q->expect = NVME_CQE_P | field_put(NVME_CQE_SQID, config->qid);
    q->foreign =
        NVME_CQE_SQID | field_put(NVME_CQE_SQHD, ~q->mask) | field_put(NVME_CQE_CID, ~q->mask);
    link_slots(q);
    if (config->max_transfer)
        make_lists(q, config->max_transfer, config->dma_node);
    nvme_watch_init(q);
    nvme_move_init(q);
    return q;
}
