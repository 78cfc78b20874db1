// SPDX-License-Identifier: BSD-2-Clause
// A queue changes its owner, under load: it follows its interrupt.
//
// The old owner lets go of all that is tied to it (its doorbell list, its timer) and then names the
// new one; the queue's state is handed over with that one store. What completed in between had its
// interrupt on one of the two, where it may have been passed over: so the new owner reaps once, in
// any case, by a message. All else that is under way to the old owner goes after the queue.

#include "drivers/nvme/disk.h"
#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"

// The watch goes on where it stopped: moves don't put a time-out off.
static void adopt(struct cpu_msg *msg)
{
    struct nvme_queue *q = container_of(msg, struct nvme_queue, adopt);
    if (nvme_queue_pass_on(q, msg))
        return;
    q->adopting = false;
    if (q->qp.watched)
        cpu_timer_start(&q->qp.watch, q->qp.watch.due_ns);
    if (q->later)
        cpu_timer_start(&q->retry, q->later->due_ns);
    nvme_queue_reap(q);
}

// It may leave again before it was adopted: the message that is still under way then follows it, and
// adopts it where it catches up with it.
void nvme_queue_moved(void *arg, unsigned cpu)
{
    struct nvme_queue *q = arg;
    bool adopting = q->adopting;
    nvme_qpair_flush(q->qp.home);
    cpu_timer_stop(&q->qp.watch);
    cpu_timer_stop(&q->retry);
    nvme_queue_send_back(q);
    q->qp.home = &q->ctrl->homes[cpu];
    q->adopting = true;
    __atomic_store_n(&q->qp.cpu, cpu, __ATOMIC_RELEASE); // not ours from here on
    if (!adopting)
        cpu_post(cpu, &q->adopt);
}

void nvme_move_init(struct nvme_queue *q)
{
    q->adopt.fn = adopt;
}
