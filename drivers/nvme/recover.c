// SPDX-License-Identifier: BSD-2-Clause
// The watch over each queue with commands in flight: a coarse tick that finds commands without an
// answer, completions without an interrupt, and controllers that are gone. What ends, ends with a
// sentence that says why; a command that is given up keeps its slot, since the controller may still
// write to its buffer.

#include "drivers/nvme/recover.h"

#include "kernel/base/report.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/x86/time.h"

// An interrupt may be under way for a while after its completion, but not so long.
#define INTERRUPT_LOST_NS (100 * NS_PER_MS)

static void give_up_slot(struct nvme_slot *slot, enum block_status status)
{
    nvme_request_give_up(nvme_qpair_give_up(slot), status);
}

// ---- gone ----

// On the owner: what was answered is served, all else ends.
static void end_queue(struct cpu_msg *msg)
{
    struct nvme_queue *q = container_of(msg, struct nvme_queue, end);

    if (nvme_queue_pass_on(q, msg))
        return;
    nvme_queue_reap(q);
    q->gone = true;
    q->qp.free = NVME_NO_SLOT;
    for (unsigned i = 0; i < q->qp.mask; i++)
        if (q->qp.slots[i].command)
            give_up_slot(&q->qp.slots[i], BLOCK_GONE);
    nvme_queue_give_up_waiting(q, BLOCK_GONE);
}

static const char *gone_words(uint32_t csts)
{
    if (csts == NVME_ALL_ONES)
        return "its registers read all ones: it was removed or fell off the bus";
    if (csts & NVME_CSTS_CFS)
        return "it reports a fatal error (CSTS.CFS)";
    return "it is no longer ready (CSTS.RDY)";
}

void nvme_ctrl_gone(struct nvme_ctrl *c, uint32_t csts)
{
    if (atomic_exchange(&c->gone, true))
        return;
    error("nvme-gone", "%s: the controller is gone: %s; all its requests end as failed", c->label,
          gone_words(csts));
    pci_stop_bus_master(c->dev);
    for (unsigned i = 0; i < c->queues_count; i++)
        cpu_post(nvme_qpair_owner(&c->queues[i]->qp), &c->queues[i]->end);
}

// ---- the watch ----

// A completion was there at the last tick and nobody has reaped anything since, though the CPU's
// loop went around: its interrupt never came. A bug to be seen; the reads are served nonetheless.
static void check_interrupt(struct nvme_queue *q)
{
    uint64_t age = time_ns() - q->qp.watch_since_ns;
    if (!q->qp.watch_ready || q->qp.watch_head != q->qp.cq_head || age < INTERRUPT_LOST_NS)
        return;
    error("nvme-lost-interrupt",
          "%s: queue %u on CPU %u: completions lay unseen for %llu ms without an interrupt; their "
          "requests are completed now",
          q->ctrl->label, q->qp.qid, q->qp.cpu, (unsigned long long)(age / NS_PER_MS));
    nvme_queue_reap(q);
}

static void age_commands(struct nvme_queue *q)
{
    for (unsigned i = 0; i < q->qp.mask; i++)
        q->qp.slots[i].age++;
}

static bool expired(const struct nvme_slot *slot)
{
    return slot->command && slot->age > NVME_WATCH_TICKS;
}

// The first command that is late, or NULL.
static const struct block_req *find_expired(const struct nvme_queue *q, unsigned *count)
{
    const struct block_req *first = NULL;
    *count = 0;
    for (unsigned i = 0; i < q->qp.mask; i++)
        if (expired(&q->qp.slots[i]) && !(*count)++)
            first = q->qp.slots[i].command;
    return first;
}

static void report_expired(const struct nvme_queue *q)
{
    unsigned count;
    const struct block_req *first = find_expired(q, &count);
    if (first)
        error("nvme-timeout",
              "%s: no answer within %llu ms to %u commands of queue %u, the first a %s (opcode "
              "%02xh) of %u blocks at LBA %llu; they end as failed, and their slots stay taken "
              "until they are answered",
              first->dev->name, (unsigned long long)nvme_qpair_timeout_ms(), count, q->qp.qid,
              nvme_op_words(first->op), (unsigned)field_get(NVME_SQE_OPC, first->command),
              first->blocks, (unsigned long long)first->lba);
}

// What is answered by now is not late, so it is reaped first; only then, or a lost interrupt would
// go unseen.
static void check_timeouts(struct nvme_queue *q)
{
    unsigned count;
    if (!find_expired(q, &count))
        return;
    nvme_queue_reap(q);
    report_expired(q);
    for (unsigned i = 0; i < q->qp.mask; i++)
        if (expired(&q->qp.slots[i]))
            give_up_slot(&q->qp.slots[i], BLOCK_TIMEOUT);
}

// Nothing is in flight, and still there is no room: no completion will ever make some.
static void check_waiting(struct nvme_queue *q)
{
    if (!q->waiting || nvme_qpair_in_flight(&q->qp))
        return;
    error("nvme-timeout",
          "%s: queue %u: none of its %u slots will become free again: all requests that wait for "
          "one end as failed",
          q->ctrl->label, q->qp.qid, q->qp.mask);
    nvme_queue_give_up_waiting(q, BLOCK_TIMEOUT);
}

static bool is_busy(const struct nvme_queue *q)
{
    return q->waiting || nvme_qpair_in_flight(&q->qp);
}

static void tick(struct cpu_timer *timer)
{
    struct nvme_queue *q = container_of(timer, struct nvme_queue, qp.watch);
    uint32_t csts;

    q->qp.watched = false;
    age_commands(q);
    if (q->gone || !is_busy(q))
        return;
    if (!nvme_ctrl_alive(q->ctrl, &csts))
        return nvme_ctrl_gone(q->ctrl, csts);
    check_interrupt(q);
    check_timeouts(q);
    check_waiting(q);
    if (!q->qp.watched && is_busy(q))
        nvme_qpair_watch(&q->qp);
}

void nvme_recover_start(struct nvme_ctrl *c)
{
    for (unsigned i = 0; i < c->queues_count; i++) {
        c->queues[i]->qp.watch.fn = tick;
        c->queues[i]->end.fn = end_queue;
    }
}
