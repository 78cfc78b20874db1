// SPDX-License-Identifier: BSD-2-Clause
// Admin commands, polled, each with a deadline. The admin completion queue always uses interrupt
// vector 0 (3.1.3.10); nobody waits for that interrupt.

#include "drivers/nvme/admin.h"

#include "drivers/nvme/prp.h"
#include "drivers/nvme/quirks.h"
#include "drivers/nvme/status.h"
#include "kernel/base/cpus.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/mmio.h"
#include "lib/string.h"

#define ADMIN_ENTRIES 16
#define ADMIN_PAGE_ENTRIES (NVME_PAGE / sizeof(struct nvme_sqe)) // of controllers that insist
#define ADMIN_LEAST_MS 5000ull // even if reads are to be given up sooner

static uint64_t deadline_ms(void)
{
    return MAX(nvme_qpair_timeout_ms(), ADMIN_LEAST_MS);
}

void nvme_admin_start(struct nvme_ctrl *c)
{
    c->admin = mem_alloc(sizeof(*c->admin), CACHE_LINE, c->dev->node);
    nvme_qpair_init(c->admin, &(struct nvme_qpair_config){
                                  .label = c->label,
                                  .home = &c->homes[cpu_index()],
                                  .cpu = cpu_index(),
                                  .entries = c->quirks & NVME_QUIRK_ADMIN_PAGE ? ADMIN_PAGE_ENTRIES
                                                                               : ADMIN_ENTRIES,
                                  .stride = c->limits.stride,
                                  .node = c->dev->node,
                                  .dma_node = c->dev->node,
                                  .doorbell = mmio_at(c->regs, NVME_DOORBELLS),
                              });
    c->admin->watched = true; // by those who poll
    c->page = mem_alloc_dma(NVME_PAGE, NVME_PAGE, c->dev->node);
}

uint64_t nvme_admin_deadline_ns(void)
{
    return deadline_ms() * NS_PER_MS;
}

bool nvme_admin_send(struct nvme_ctrl *c, struct nvme_sqe *sqe, struct nvme_admin_command *command)
{
    *command = (struct nvme_admin_command){
        .done = command->done,
        .patient = command->patient,
        .sent_ns = time_ns(),
    };
    return nvme_qpair_command(c->admin, sqe, command);
}

bool nvme_admin_is_late(const struct nvme_ctrl *c)
{
    for (unsigned i = 0; i < ADMIN_ENTRIES; i++) {
        const struct nvme_admin_command *command = c->admin->slots[i].command;
        if (command && !command->patient && time_ns() - command->sent_ns > nvme_admin_deadline_ns())
            return true;
    }
    return c->command.lost;
}

static bool submit(struct nvme_ctrl *c, struct nvme_sqe *sqe)
{
    return !c->command.lost && nvme_admin_send(c, sqe, &c->command);
}

static void end(struct nvme_qpair *q, void *of, const struct nvme_cqe *entry)
{
    struct nvme_admin_command *command = of;
    command->result = entry->dw0;
    command->ended = true;
    if (command->done)
        command->done(command);
}

static void look(struct nvme_qpair *q, uint64_t tail, const struct nvme_cqe *entry)
{
    uint32_t status;
    struct nvme_admin_command *command = nvme_qpair_look(q, tail, &status);
    if (!command)
        return;
    command->status = status;
    end(q, command, entry);
}

// A reset takes its slot back.
static void ask_for_reset(struct nvme_ctrl *c)
{
    if (c->running && !atomic_exchange(&c->reported, true))
        cpu_post(nvme_qpair_owner(c->admin), &c->report);
}

// One by one: what an end sends may be answered before the next.
void nvme_admin_poll(struct nvme_ctrl *c)
{
    unsigned most = ADMIN_ENTRIES;
    while (most-- && nvme_qpair_reap(c->admin, 1, end, look))
        ;
}

static bool ended(struct nvme_ctrl *c)
{
    nvme_admin_poll(c);
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
    ask_for_reset(c);
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

    if (c->resetting)
        return problem_set(p, "nvme-resetting", "%s: %s was not tried: it is being reset", c->label,
                           what);
    if (!submit(c, sqe))
        return problem_set(p, "nvme-admin-timeout",
                           "%s: %s was not tried: an earlier admin command got no answer", c->label,
                           what);
    if (!poll_until(settled(c, &alive), deadline_ms() * NS_PER_MS) || !alive)
        return lost(c, what, alive, p);
    if (c->command.status)
        return problem_set(p, "nvme-admin-failed", "%s: %s failed: %s", c->label, what,
                           nvme_status_text(c->command.status, words, sizeof(words)));
    if (result)
        *result = c->command.result;
    return true;
}

void nvme_admin_reset(struct nvme_ctrl *c)
{
    nvme_qpair_quiet(c->admin);
    for (unsigned i = 0; i < ADMIN_ENTRIES; i++)
        c->admin->slots[i].command = NULL;
    nvme_qpair_clear(c->admin);
    nvme_qpair_open(c->admin);
    c->command.lost = false;
    c->sampling = false;
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
