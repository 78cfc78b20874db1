// SPDX-License-Identifier: BSD-2-Clause
// Where each queue's shadow doorbells are.

#include "drivers/nvme/shadow.h"

#include "drivers/nvme/prp.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "lib/string.h"

// As far apart as the doorbells themselves are (figure 186).
static size_t place(const struct nvme_ctrl *c, unsigned qid, bool head)
{
    return (2ull * qid + head) * c->limits.stride;
}

static bool wanted;

void nvme_shadow_set(bool is_wanted)
{
    wanted = is_wanted;
}

bool nvme_shadow_offered(const struct nvme_ctrl *c)
{
    return wanted && c->abilities.shadow_doorbells &&
           place(c, c->queues_count + 1, false) <= NVME_PAGE;
}

struct nvme_sqe nvme_shadow_choice(struct nvme_ctrl *c)
{
    if (!c->shadows)
        c->shadows = mem_alloc_dma(2 * NVME_PAGE, NVME_PAGE, c->dev->node);
    memset(c->shadows, 0, 2 * NVME_PAGE);
    return (struct nvme_sqe){
        .head = NVME_ADMIN_DBBUF_CONFIG,
        .prp1 = mem_phys(c->shadows),
        .prp2 = mem_phys(c->shadows) + NVME_PAGE,
    };
}

static struct nvme_shadow shadow(const struct nvme_ctrl *c, unsigned qid, bool head)
{
    char *value = (char *)c->shadows + place(c, qid, head);
    return (struct nvme_shadow){ (uint32_t *)value, (uint32_t *)(value + NVME_PAGE) };
}

// From what the registers have by now.
static void give(const struct nvme_ctrl *c, struct nvme_qpair *q)
{
    struct nvme_shadow sq = shadow(c, q->qid, false), cq = shadow(c, q->qid, true);
    nvme_shadow_store(&sq, q->sq_tail);
    nvme_shadow_store(&cq, q->cq_head & q->mask);
    q->sq_shadow = sq;
    q->cq_shadow = cq;
}

// All queues there are, the admin queue's as well.
void nvme_shadow_answered(struct nvme_ctrl *c, bool taken)
{
    if (!taken)
        return;
    give(c, c->admin);
    for (unsigned i = 0; i < c->queues_count; i++)
        give(c, &c->queues[i]->qp);
}
