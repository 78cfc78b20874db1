// SPDX-License-Identifier: BSD-2-Clause
// Admin commands: one at a time, polled, each with a deadline. The admin completion queue always
// uses interrupt vector 0 (3.1.3.10); nobody waits for that interrupt.

#include "drivers/nvme/ctrl.h"
#include "drivers/nvme/status.h"
#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/mmio.h"
#include "lib/string.h"

#define ADMIN_ENTRIES 16
#define ADMIN_LEAST_MS 5000ull // even if reads are to be given up sooner

static uint64_t deadline_ms(void)
{
    return MAX(nvme_watch_timeout_ms(), ADMIN_LEAST_MS);
}

// The entry that completed it is the last one reaped.
static void admin_done(struct block_req *req)
{
    struct nvme_admin_command *command = container_of(req, struct nvme_admin_command, req);
    const struct nvme_queue *q = command->req.arg;
    command->result = q->cq[(q->cq_head - 1) & q->mask].dw0;
    command->ended = true;
}

void nvme_admin_start(struct nvme_ctrl *c)
{
    c->admin = nvme_queue_create(&(struct nvme_queue_config){
        .ctrl = c,
        .home = &c->cpus[cpu_index()],
        .cpu = cpu_index(),
        .entries = ADMIN_ENTRIES,
        .stride = c->limits.stride,
        .node = c->dev->node,
        .dma_node = c->dev->node,
        .doorbell = mmio_at(c->regs, NVME_DOORBELLS),
    });
    c->page = mem_alloc(NVME_PAGE, NVME_PAGE, c->dev->node);
}

static bool submit(struct nvme_ctrl *c, struct nvme_sqe *sqe)
{
    struct nvme_admin_command *command = &c->command;
    if (command->lost)
        return false;
    *command = (struct nvme_admin_command){
        .req = { .done = admin_done, .arg = c->admin, .cpu = cpu_index(), .pending = 1 },
    };
    return nvme_queue_command(c->admin, sqe, &command->req);
}

static bool ended(struct nvme_ctrl *c)
{
    nvme_queue_reap(c->admin);
    return c->command.ended;
}

static bool settled(struct nvme_ctrl *c, bool *alive)
{
    uint32_t csts;
    return ended(c) || !(*alive = nvme_ctrl_alive(c, &csts));
}

static bool lost(struct nvme_ctrl *c, const char *what, bool alive, struct problem *p)
{
    c->command.lost = true;
    if (!alive)
        return problem_set(p, "nvme-fatal", "%s: the controller failed during %s: CSTS is 0x%08x",
                           c->label, what, mmio_read32(mmio_at(c->regs, NVME_CSTS)));
    return problem_set(p, "nvme-admin-timeout", "%s: no answer to %s within %llu ms", c->label,
                       what, (unsigned long long)deadline_ms());
}

bool nvme_admin(struct nvme_ctrl *c, struct nvme_sqe *sqe, const char *what, uint32_t *result,
                struct problem *p)
{
    char words[80];
    bool alive = true;

    if (!submit(c, sqe))
        return problem_set(p, "nvme-admin-timeout",
                           "%s: %s was not tried: an earlier admin command got no answer", c->label,
                           what);
    if (!poll_until(settled(c, &alive), deadline_ms() * NS_PER_MS) || !alive)
        return lost(c, what, alive, p);
    if (c->command.req.status != BLOCK_OK)
        return problem_set(p, "nvme-admin-failed", "%s: %s failed: %s", c->label, what,
                           nvme_status_text(c->command.req.detail, words, sizeof(words)));
    if (result)
        *result = c->command.result;
    return true;
}

bool nvme_identify(struct nvme_ctrl *c, unsigned cns, uint32_t nsid, const char *what,
                   struct problem *p)
{
    struct nvme_sqe sqe = {
        .head = NVME_ADMIN_IDENTIFY | field_put(NVME_SQE_NSID, nsid),
        .prp1 = mem_phys(c->page),
        .cdw10 = cns,
    };
    memset(c->page, 0, NVME_PAGE);
    return nvme_admin(c, &sqe, what, NULL, p);
}
