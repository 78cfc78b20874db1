// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/watch.h"

#include "drivers/nvme/late.h"
#include "kernel/cpu/timer.h"
#include "kernel/x86/time.h"

// Has recover.c look at the controller.
static void report(struct nvme_ctrl *c)
{
    if (!atomic_exchange(&c->reported, true))
        cpu_post(nvme_qpair_owner(c->admin), &c->report);
}

// ---- time-outs ----

static void check_timeouts(struct nvme_queue *q)
{
    nvme_qpair_age(&q->qp);
    nvme_late_count(q);
    nvme_late_tell(q, "they are aborted, or the controller is reset");
    if (q->watch.late)
        report(q->ctrl);
}

// ---- the tick ----

static void look(struct nvme_queue *q)
{
    uint64_t most_ns = q->ctrl->abilities.pause_ms * NS_PER_MS;
    uint32_t csts;
    if (!nvme_ctrl_alive(q->ctrl, &csts))
        return report(q->ctrl);
    if (nvme_pause_holds(&q->watch.pause, csts, time_ns(), most_ns))
        return;
    nvme_late_interrupt(q);
    check_timeouts(q);
}

static void tick(struct cpu_timer *watch)
{
    nvme_late_tick(watch, look);
}

void nvme_watch_start(struct nvme_ctrl *c)
{
    for (unsigned i = 0; i < c->queues_count; i++)
        c->queues[i]->qp.watch.fn = tick;
}
