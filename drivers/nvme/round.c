// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/round.h"

#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"

struct nvme_round_stop {
    struct cpu_msg msg;
    struct nvme_round *round;
    struct nvme_queue *q;
};

static void came_back(struct cpu_msg *msg)
{
    struct nvme_round *round = container_of(msg, struct nvme_round_stop, msg)->round;
    if (!--round->out)
        round->done(round);
}

static void at_owner(struct cpu_msg *msg)
{
    struct nvme_round_stop *stop = container_of(msg, struct nvme_round_stop, msg);
    if (nvme_queue_pass_on(stop->q, msg))
        return;
    stop->round->work(stop->q);
    msg->fn = came_back;
    cpu_post(stop->round->home, msg);
}

void nvme_round_init(struct nvme_round *round, struct nvme_ctrl *c)
{
    round->ctrl = c;
    round->stops = mem_alloc(c->queues_count * sizeof(*round->stops), CACHE_LINE, c->dev->node);
    for (unsigned i = 0; i < c->queues_count; i++) {
        round->stops[i].round = round;
        round->stops[i].q = c->queues[i];
    }
}

void nvme_round_go(struct nvme_round *round, void (*work)(struct nvme_queue *q),
                   void (*done)(struct nvme_round *round))
{
    round->work = work;
    round->done = done;
    round->home = cpu_index();
    round->out = round->ctrl->queues_count;
    for (unsigned i = 0; i < round->ctrl->queues_count; i++) {
        struct nvme_round_stop *stop = &round->stops[i];
        stop->msg.fn = at_owner;
        cpu_post(nvme_qpair_owner(&stop->q->qp), &stop->msg);
    }
}
