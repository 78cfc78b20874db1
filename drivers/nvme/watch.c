// SPDX-License-Identifier: BSD-2-Clause
// The watch over each queue with commands in flight: a coarse tick that finds commands without an
// answer, completions without an interrupt, and controllers that are gone. What ends, ends with a
// sentence that says why; a command that is given up keeps its slot, since the controller may still
// write to its buffer.

#include "drivers/nvme/ctrl.h"
#include "drivers/nvme/queue.h"
#include "kernel/base/report.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/x86/time.h"

// An interrupt may be under way for a while after its completion, but not so long.
#define INTERRUPT_LOST_NS (100 * NS_PER_MS)

static uint64_t timeout_ms = 30000;

void nvme_watch_set_timeout(uint64_t ms)
{
    timeout_ms = MAX(ms, 1ull);
}

uint64_t nvme_watch_timeout_ms(void)
{
    return timeout_ms;
}

// Since when the same completion has been lying there.
static void note_completion(struct nvme_queue *q)
{
    bool ready = nvme_queue_ready(q);
    if (!ready || !q->watch_ready || q->watch_head != q->cq_head)
        q->watch_since_ns = time_ns();
    q->watch_ready = ready;
    q->watch_head = q->cq_head;
}

void nvme_watch_start(struct nvme_queue *q)
{
    q->watched = true;
    note_completion(q);
    cpu_timer_start(&q->watch, time_ns() + timeout_ms * NS_PER_MS / NVME_WATCH_TICKS);
}

// Commands in flight.
static bool in_flight(const struct nvme_queue *q)
{
    for (unsigned i = 0; i < q->mask; i++)
        if (q->slots[i].req)
            return true;
    return false;
}

// A completion was there at the last tick and nobody has reaped anything since, though the CPU's
// loop went around: its interrupt never came. A bug to be seen; the reads are served nonetheless.
static void check_interrupt(struct nvme_queue *q)
{
    uint64_t age = time_ns() - q->watch_since_ns;
    if (!q->watch_ready || q->watch_head != q->cq_head || age < INTERRUPT_LOST_NS)
        return;
    error("nvme-lost-interrupt",
          "%s: queue %u on CPU %u: completions lay unseen for %llu ms without an interrupt; their "
          "reads are completed now",
          q->ctrl->label, q->qid, q->cpu, (unsigned long long)(age / NS_PER_MS));
    nvme_queue_reap(q);
}

static bool expired(const struct nvme_queue *q, const struct nvme_slot *slot)
{
    return slot->req && (uint16_t)(q->epoch - slot->epoch) > NVME_WATCH_TICKS;
}

// The first command that is late, or NULL.
static const struct block_req *find_expired(const struct nvme_queue *q, unsigned *count)
{
    const struct block_req *first = NULL;
    *count = 0;
    for (unsigned i = 0; i < q->mask; i++)
        if (expired(q, &q->slots[i]) && !(*count)++)
            first = q->slots[i].req;
    return first;
}

static void report_expired(const struct nvme_queue *q)
{
    unsigned count;
    const struct block_req *first = find_expired(q, &count);
    if (first)
        error("nvme-timeout",
              "%s: no answer within %llu ms to %u commands of queue %u, the first a read (opcode "
              "%02xh) of %u blocks at LBA %llu; they end as failed, and their slots stay taken",
              first->dev->name, (unsigned long long)timeout_ms, count, q->qid, NVME_CMD_READ,
              first->blocks, (unsigned long long)first->lba);
}

static void give_up_slot(struct nvme_queue *q, struct nvme_slot *slot, enum block_status status)
{
    struct block_req *req = slot->req;
    slot->req = NULL;
    slot->dead = true;
    nvme_request_give_up(q, req, 1, status);
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
    for (unsigned i = 0; i < q->mask; i++)
        if (expired(q, &q->slots[i]))
            give_up_slot(q, &q->slots[i], BLOCK_TIMEOUT);
}

// Nothing is in flight, and still there is no room: no completion will ever make some.
static void check_waiting(struct nvme_queue *q)
{
    if (!q->waiting || in_flight(q))
        return;
    error("nvme-timeout",
          "%s: queue %u: none of its %u slots will become free again: all reads that wait for one "
          "end as failed",
          q->ctrl->label, q->qid, q->mask);
    nvme_request_give_up_waiting(q, BLOCK_TIMEOUT);
}

static void tick(struct cpu_timer *timer)
{
    struct nvme_queue *q = container_of(timer, struct nvme_queue, watch);
    uint32_t csts;

    q->watched = false;
    q->epoch++;
    if (q->gone || (!q->waiting && !in_flight(q)))
        return;
    if (!nvme_ctrl_alive(q->ctrl, &csts))
        return nvme_ctrl_gone(q->ctrl, csts);
    check_interrupt(q);
    check_timeouts(q);
    check_waiting(q);
    if (!q->watched && (in_flight(q) || q->waiting))
        nvme_watch_start(q);
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
    q->free = NVME_NO_SLOT;
    for (unsigned i = 0; i < q->mask; i++)
        if (q->slots[i].req)
            give_up_slot(q, &q->slots[i], BLOCK_GONE);
    nvme_request_give_up_waiting(q, BLOCK_GONE);
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
        cpu_post(nvme_queue_owner(c->queues[i]), &c->queues[i]->end);
}

void nvme_watch_init(struct nvme_queue *q)
{
    q->watch.fn = tick;
    q->end.fn = end_queue;
}
