// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/generator.h"

#include "drivers/nvme/admin.h"
#include "drivers/nvme/nvme_identify_regs.h"
#include "kernel/irq/generator.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"

// How long a completion is left in its queue: a controller that finds the queue empty again when it comes
// to signalling need not (NVMe Base 2.0, 3.3.3.1).
#define LEAVE_NS (20 * NS_PER_US)

struct generator {
    struct irq_generator g;
    struct nvme_ctrl *ctrl;
    struct nvme_admin_command command; // the controller's as long as it gives no answer
};

static bool has_ended(struct generator *g)
{
    nvme_admin_poll(g->ctrl);
    return g->command.ended;
}

static bool run(struct generator *g, struct nvme_sqe *sqe, struct problem *p)
{
    struct nvme_ctrl *c = g->ctrl;
    bool able = c->running && !c->resetting && !atomic_load(&c->gone) && !g->command.lost;
    if (!able || !nvme_admin_send(c, sqe, &g->command))
        return problem_set(p, "generator-busy", "%s: takes no admin command now", c->label);
    if (poll_until(nvme_qpair_ready(c->admin), nvme_admin_deadline_ns()))
        time_delay_ns(LEAVE_NS);
    g->command.lost = !poll_until(has_ended(g), nvme_admin_deadline_ns());
    return !g->command.lost ||
           problem_set(p, "generator-silent", "%s: an admin command got no answer", c->label);
}

static bool send(struct irq_generator *generator, struct problem *p)
{
    struct nvme_sqe sqe = {
        .head = NVME_ADMIN_GET_FEATURES,
        .cdw10 = NVME_FEATURE_QUEUES,
    };
    return run(container_of(generator, struct generator, g), &sqe, p);
}

static bool write_page(struct irq_generator *generator, uint64_t address, struct problem *p)
{
    struct nvme_sqe sqe = {
        .head = NVME_ADMIN_IDENTIFY,
        .prp1 = address,
        .cdw10 = NVME_CNS_CONTROLLER,
    };
    return run(container_of(generator, struct generator, g), &sqe, p);
}

void nvme_generator_add(struct nvme_ctrl *c)
{
    struct generator *g = mem_alloc(sizeof(*g), CACHE_LINE, c->dev->node);
    *g = (struct generator){
        .g = { .name = c->name, .dev = c->dev, .send = send, .write_page = write_page },
        .ctrl = c,
    };
    irq_generator_add(&g->g);
}
