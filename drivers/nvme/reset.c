// SPDX-License-Identifier: BSD-2-Clause
// What a controller's reset, or its end, does to a queue's requests.

#include "drivers/nvme/request.h"
#include "kernel/irq/irq.h"

void nvme_queue_take_back(struct nvme_queue *q)
{
    for (unsigned i = 0; i < q->qp.mask; i++) {
        struct nvme_slot *slot = &q->qp.slots[i];
        struct block_req *req = slot->command;
        bool late = nvme_slot_is_late(slot);
        slot->command = NULL;
        if (req && late)
            nvme_request_give_up(req, BLOCK_TIMEOUT);
        else if (req)
            nvme_request_again(req, 0);
    }
    nvme_qpair_clear(&q->qp);
}

// All of what waits is whole again: nothing of it is in flight.
static void hand_over(struct nvme_queue *q)
{
    struct block_req *req = q->waiting, *next;
    q->waiting = NULL;
    nvme_qpair_look_at_all(&q->qp, q->zoned);
    for (; req; req = next) {
        next = req->next;
        nvme_request_enqueue(q, req);
    }
}

void nvme_queue_open(struct nvme_queue *q)
{
    irq_rewrite(q->irq);
    irq_enable(q->irq); // unless it was a domain's, it is
    q->gone = false;
    if (nvme_queue_stands_in(q))
        return hand_over(q);
    q->quiet = false;
    nvme_qpair_open(&q->qp);
    nvme_request_pump(q);
}

static void give_up_all(struct block_req *req, enum block_status status)
{
    struct block_req *next;
    for (; req; req = next) {
        next = req->next;
        nvme_request_give_up(req, status);
    }
}

void nvme_queue_end(struct nvme_queue *q)
{
    struct block_req *waiting = q->waiting, *later = q->later; // what their ends submit ends anew
    q->gone = true;
    q->waiting = q->later = NULL;
    nvme_qpair_look_at_all(&q->qp, q->zoned);
    cpu_timer_stop(&q->retry);
    for (unsigned i = 0; i < q->qp.mask; i++) {
        struct block_req *req = q->qp.slots[i].command;
        q->qp.slots[i].command = NULL;
        if (req)
            nvme_request_give_up(req, BLOCK_GONE);
    }
    give_up_all(waiting, BLOCK_GONE);
    give_up_all(later, BLOCK_GONE);
}
