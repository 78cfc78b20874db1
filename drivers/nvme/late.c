// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/late.h"

#include "drivers/nvme/request.h"
#include "kernel/base/report.h"
#include "kernel/x86/time.h"

// An interrupt may be under way for a while after its completion, but not so long.
#define INTERRUPT_LOST_NS (100 * NS_PER_MS)

// ---- the tick ----

static bool is_busy(const struct nvme_queue *q)
{
    return q->waiting || nvme_qpair_in_flight(&q->qp);
}

void nvme_late_tick(struct cpu_timer *watch, void (*look)(struct nvme_queue *q))
{
    struct nvme_queue *q = container_of(watch, struct nvme_queue, qp.watch);
    q->qp.watched = false;
    if (q->quiet || !is_busy(q))
        return;
    look(q);
    if (!q->qp.watched && is_busy(q))
        nvme_qpair_watch(&q->qp);
}

// ---- interrupts ----

// A completion was there at the last tick and nobody has reaped anything since, though the CPU's
// loop went around: its interrupt never came. A bug to be seen; the requests are served nonetheless.
void nvme_late_interrupt(struct nvme_queue *q)
{
    uint64_t age = time_ns() - q->qp.watch_since_ns;
    if (!q->qp.watch_ready || q->qp.watch_head != q->qp.cq_head || age < INTERRUPT_LOST_NS)
        return;
    if (!q->watch.lost_interrupts++)
        error("nvme-lost-interrupt",
              "%s: queue %u on CPU %u: completions lay unseen for %llu ms without an interrupt; "
              "their requests are completed now; further ones are only counted",
              q->ctrl->label, q->qp.qid, q->qp.cpu, (unsigned long long)(age / NS_PER_MS));
    nvme_queue_reap(q);
}

// ---- time-outs ----

static bool has_late(const struct nvme_queue *q)
{
    for (unsigned i = 0; i < q->qp.mask; i++)
        if (nvme_slot_is_late(&q->qp.slots[i]))
            return true;
    return false;
}

void nvme_late_count(struct nvme_queue *q)
{
    if (has_late(q)) // only then, or a lost interrupt would go unseen
        nvme_queue_reap(q);
    q->watch.progress = q->qp.cq_head; // which a reset sets to 0
    q->watch.late = 0;
    for (unsigned i = 0; i < q->qp.mask; i++)
        if (nvme_slot_is_late(&q->qp.slots[i]) && !q->watch.late++)
            q->watch.late_id = i;
}

static bool has_just_expired(const struct nvme_slot *slot)
{
    return slot->command && slot->age == NVME_WATCH_TICKS + 1;
}

// The first of those whose time was up at this tick, or NULL.
static const struct block_req *find_expired(const struct nvme_queue *q, unsigned *count)
{
    const struct block_req *first = NULL;
    *count = 0;
    for (unsigned i = 0; i < q->qp.mask; i++)
        if (has_just_expired(&q->qp.slots[i]) && !(*count)++)
            first = q->qp.slots[i].command;
    return first;
}

void nvme_late_tell(const struct nvme_queue *q, const char *follows)
{
    unsigned count;
    const struct block_req *first = find_expired(q, &count);
    if (first)
        error("nvme-timeout",
              "%s: no answer within %llu ms to %u commands of queue %u, the first a %s (opcode "
              "%02xh) of %u blocks at LBA %llu; %s",
              first->dev->name, (unsigned long long)nvme_qpair_timeout_ms(), count, q->qp.qid,
              nvme_ops[first->op].words, (unsigned)field_get(NVME_SQE_OPC, first->command),
              first->blocks, (unsigned long long)first->lba, follows);
}
