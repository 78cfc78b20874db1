// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/give.h"

#include "drivers/nvme/admin.h"
#include "drivers/nvme/give_check.h"
#include "drivers/nvme/give_set_up.h"
#include "drivers/nvme/nvme.h"
#include "drivers/nvme/recover.h"
#include "drivers/nvme/setup.h"
#include "kernel/base/report.h"
#include "kernel/irq/irq.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/pci_regs.h"
#include "kernel/x86/time.h"

#define RETURN_NS                                                                                  \
    (10 * NS_PER_S) // for its namespaces to be known again; without them it is the kernel's, too

enum state {
    KERNELS,
    ENDING,   // the kernel's requests are
    STOPPING, // CC.EN is 0, CSTS.RDY is not yet
    IDLE,     // nobody's
    GOING,    // it is being set up
    GIVEN,
    SILENCING, // as STOPPING; and its CPUs are to take its interrupts
    STUCK,     // for good
    RETURNING,
};

struct nvme_give {
    struct domain_device device;
    struct nvme_ctrl *ctrl;
    enum state state;
    bool was_given;  // since it was shut down in order
    bool is_master;  // it can't be told not to be one
    bool removed;    // from its slot, and so from the domain, which goes on
    uint64_t end_ns; // of the wait for what it doesn't do itself
    struct nvme_given given;
};

static struct nvme_give *give_of(const struct domain_device *d)
{
    return container_of(d, struct nvme_give, device);
}

static enum domain_step is_stuck(const struct nvme_give *g, struct problem *p)
{
    problem_set(p, "domain-disk", "%s: it hasn't stopped", g->ctrl->label);
    return DOMAIN_FAILED;
}

// ---- stopping ----

static void disable(struct nvme_ctrl *c)
{
    nvme_ctrl_disable(c);
    c->written_ns = time_ns();
    c->settled_ns = c->written_ns + nvme_ctrl_settle_ns(c);
}

static enum domain_step has_stopped(struct nvme_ctrl *c, struct problem *p)
{
    if (nvme_ctrl_waits(c, 0))
        return DOMAIN_WAITS;
    return nvme_ctrl_wait(c, 0, p) ? DOMAIN_DONE : DOMAIN_FAILED;
}

static enum domain_step enter(struct nvme_give *g, enum state state, enum domain_step step)
{
    g->state = state;
    return step;
}

// ---- away from the kernel ----

static enum domain_step begin_withdrawal(struct nvme_give *g)
{
    g->ctrl->given = true;
    return enter(g, ENDING, DOMAIN_WAITS);
}

// What is under way with it, a reset for one, comes first.
static enum domain_step end_all(struct nvme_give *g)
{
    nvme_recover_remove(g->ctrl);
    if (!nvme_recover_is_over(g->ctrl))
        return DOMAIN_WAITS;
    nvme_queues_stop(g->ctrl);
    disable(g->ctrl);
    return enter(g, STOPPING, DOMAIN_WAITS);
}

// A device that writes an interrupt's message itself, as data, bears the right id for all of its entries: those of
// the kernel's queues lead to the kernel's CPUs.
static bool shut_irqs(const struct nvme_ctrl *c, bool shut, struct problem *p)
{
    for (unsigned i = 0; c->irqs && i < c->queues_count; i++)
        if (c->irqs[i] && !irq_set_shut(c->irqs[i], shut, p))
            return false;
    return true;
}

static enum domain_step stop(struct nvme_give *g, struct problem *p)
{
    enum domain_step step = has_stopped(g->ctrl, p);
    if (step == DOMAIN_WAITS)
        return step;
    if (step == DOMAIN_DONE && !shut_irqs(g->ctrl, true, p))
        step = DOMAIN_FAILED;
    return enter(g, step == DOMAIN_DONE ? IDLE : STUCK, step);
}

static enum domain_step withdraw(struct domain_device *d, struct problem *p)
{
    struct nvme_give *g = give_of(d);
    switch (g->state) {
    case KERNELS:
        return begin_withdrawal(g);
    case ENDING:
        return end_all(g);
    case STOPPING:
        return stop(g, p);
    case STUCK:
        return is_stuck(g, p);
    default:
        return DOMAIN_DONE;
    }
}

// ---- to a domain ----

static enum domain_step set_up(struct domain_device *d, struct domain_grant *grant,
                               struct problem *p)
{
    struct nvme_give *g = give_of(d);
    enum domain_step step = DOMAIN_FAILED;
    if (g->removed) {
        problem_set(p, "domain-disk", "%s was taken out of its slot", g->ctrl->label);
        return step;
    }
    if (g->state == IDLE && !nvme_given_begin(&g->given, grant, p))
        return enter(g, GOING, DOMAIN_FAILED);
    if (g->state == IDLE) {
        g->was_given = true;
        return enter(g, GOING, DOMAIN_WAITS);
    }
    if (g->state == GOING)
        step = nvme_given_go_on(&g->given, grant, p);
    else
        problem_set(p, "domain-disk", "%s can't be set up: it hasn't stopped", g->ctrl->label);
    if (step == DOMAIN_DONE)
        g->state = GIVEN;
    return step;
}

// ---- and from it ----

#define DRAIN_NS NS_PER_S // as long as the loops of its CPUs may take to come round

static void begin_silence(struct nvme_give *g)
{
    g->is_master = !pci_stop_bus_master(g->ctrl->dev) || g->ctrl->dev->unsure;
    nvme_given_drain(&g->given);
    disable(g->ctrl);
    g->end_ns = time_ns() + DRAIN_NS;
}

static enum domain_step is_drained(struct nvme_give *g, struct problem *p)
{
    if (!nvme_given_is_drained(&g->given)) {
        if (time_ns() < g->end_ns)
            return DOMAIN_WAITS;
        problem_set(p, "domain-drain",
                    "%s: a CPU has not taken its interrupts within %llu ms: the loop there hangs",
                    g->ctrl->label, DRAIN_NS / NS_PER_MS);
        return DOMAIN_FAILED;
    }
    return DOMAIN_DONE;
}

// What comes back in its place has been reset (PCIe Base 6.0, 2.9.1), and reaches nothing.
static bool is_absent(const struct nvme_ctrl *c)
{
    return pci_read16(c->dev, PCI_COMMAND) == 0xffff;
}

static enum domain_step is_silent(struct nvme_give *g, struct problem *p)
{
    enum domain_step stopped = is_absent(g->ctrl) ? DOMAIN_DONE : has_stopped(g->ctrl, p);
    if (stopped != DOMAIN_DONE)
        return stopped;
    if (g->is_master) {
        problem_set(p, "domain-master",
                    "%s: it can't be kept from memory: its bus mastering stays on", g->ctrl->label);
        return DOMAIN_FAILED;
    }
    return is_drained(g, p);
}

static enum domain_step silence(struct domain_device *d, struct problem *p)
{
    struct nvme_give *g = give_of(d);
    if (g->state == GOING || g->state == GIVEN) {
        begin_silence(g);
        return enter(g, SILENCING, DOMAIN_WAITS);
    }
    if (g->state == STUCK)
        return is_stuck(g, p);
    if (g->state != SILENCING)
        return DOMAIN_DONE;
    enum domain_step step = is_silent(g, p);
    if (step == DOMAIN_WAITS)
        return step;
    nvme_given_end(&g->given);
    return enter(g, step == DOMAIN_DONE ? IDLE : STUCK, step);
}

// Its program finds out by requests that nobody answers. The doorbells stay where the domain has them, so that
// nothing else may be put in its place until the domain has ended.
static void begin_removal(struct nvme_give *g)
{
    warn(
        "nvme-removed",
        "%s: it leaves its slot: the domain that has it goes on without it, and its requests there "
        "end as failed; the slot is used again when that domain has ended",
        g->ctrl->label);
    g->removed = true;
    g->was_given = false;
    begin_silence(g);
    g->state = SILENCING;
}

void nvme_give_remove(struct nvme_ctrl *c)
{
    struct problem p;
    struct nvme_give *g = c->give;
    if (g->state == GIVEN)
        begin_removal(g);
    else if (g->removed)
        (void)silence(&g->device, &p); // what has come of it is told at the domain's end
}

bool nvme_give_is_lost(const struct nvme_ctrl *c)
{
    uint32_t csts;
    return c->give->state == GIVEN && !nvme_ctrl_alive(c, &csts);
}

bool nvme_give_is_removed(const struct nvme_ctrl *c)
{
    const struct nvme_give *g = c->give;
    return g->removed && g->state != SILENCING;
}

// ---- back to the kernel ----

static bool take_over(struct nvme_give *g, struct problem *p)
{
    struct nvme_ctrl *c = g->ctrl;
    if (!pci_set_space(c->dev, NULL))
        return problem_set(p, "domain-disk", "%s: it may still reach the domain's memory",
                           c->label);
    c->cmb.off = false;
    return shut_irqs(c, false, p);
}

static void begin_return(struct nvme_give *g)
{
    nvme_recover_return(g->ctrl);
    g->end_ns = time_ns() + RETURN_NS;
}

// The kernel's, as any that was taken out of its slot.
static enum domain_step keep_away(struct nvme_give *g)
{
    g->removed = g->ctrl->given = false;
    return enter(g, KERNELS, DOMAIN_DONE);
}

static bool are_known(const struct nvme_ctrl *c)
{
    const struct nvme_ns *ns = c->namespaces;
    while (ns && ns->known)
        ns = ns->next;
    return !ns;
}

static enum domain_step has_returned(struct nvme_give *g, struct problem *p)
{
    struct nvme_ctrl *c = g->ctrl;
    if (nvme_recover_returns(c))
        return DOMAIN_WAITS;
    if (!c->gone && !are_known(c) && time_ns() < g->end_ns)
        return DOMAIN_WAITS;
    c->given = false;
    g->was_given = false;
    if (!c->gone)
        return enter(g, KERNELS, DOMAIN_DONE);
    problem_set(p, "domain-disk", "%s: the kernel can't use it again", c->label);
    return enter(g, STUCK, DOMAIN_FAILED);
}

static enum domain_step give_back(struct domain_device *d, struct problem *p)
{
    struct nvme_give *g = give_of(d);
    if (g->state == RETURNING)
        return has_returned(g, p);
    if (g->state == KERNELS)
        return DOMAIN_DONE;
    if (g->state != IDLE)
        return is_stuck(g, p);
    if (!take_over(g, p))
        return DOMAIN_FAILED;
    if (g->removed)
        return keep_away(g);
    begin_return(g);
    return enter(g, RETURNING, DOMAIN_WAITS);
}

// ---- what there is to give ----

static const char *disk(const struct domain_device *d, unsigned i)
{
    const struct nvme_ns *ns = give_of(d)->ctrl->namespaces;
    while (ns && i--)
        ns = ns->next;
    return ns ? ns->dev.name : NULL;
}

static bool check(const struct domain_device *d, const struct domain_words *words,
                  struct problem *p)
{
    return nvme_give_check(give_of(d)->ctrl, words, p);
}

static struct domain_registers registers(const struct domain_device *d, unsigned cpus)
{
    const struct nvme_ctrl *c = give_of(d)->ctrl;
    return (struct domain_registers){
        .phys = c->dev->bars[0].base + nvme_give_first_page(c),
        .bytes = nvme_give_pages_bytes(c, nvme_give_queues(c, cpus)),
    };
}

static const struct domain_device_ops ops = {
    .disk = disk,
    .check = check,
    .registers = registers,
    .withdraw = withdraw,
    .set_up = set_up,
    .silence = silence,
    .give_back = give_back,
};

void nvme_give_add(struct nvme_ctrl *c)
{
    struct nvme_give *g = mem_alloc(sizeof(*g), CACHE_LINE, c->dev->node);
    g->ctrl = g->given.ctrl = c;
    g->device = (struct domain_device){ .ops = &ops, .dev = c->dev, .name = c->name };
    c->give = g;
    c->shut_down = nvme_give_shut_down;
    domain_device_add(&g->device);
}

void nvme_give_start(void)
{
    for (struct nvme_ctrl *c = nvme_first(); c; c = c->next)
        if (c->running)
            nvme_give_add(c);
}

// ---- the end of a run ----

// Whoever has it has lost it: nobody waits for CPUs, which may have ended their loops.
static bool stops(struct nvme_give *g, struct problem *p)
{
    struct nvme_ctrl *c = g->ctrl;
    bool stopped = pci_stop_bus_master(c->dev);
    disable(c);
    return nvme_ctrl_wait(c, 0, p) && stopped && pci_set_space(c->dev, NULL);
}

bool nvme_give_shut_down(struct nvme_ctrl *c)
{
    struct problem p;
    struct nvme_give *g = c->give;
    if (!g || !c->given || g->state == KERNELS || g->state == ENDING)
        return false;
    if (g->was_given && g->state != STUCK) {
        if (stops(g, &p) && nvme_ctrl_restart(c, &p))
            nvme_ctrl_shutdown(c);
        else
            warn("nvme-shutdown",
                 "%s: what a domain has written may not be durable: it can't be "
                 "shut down in order",
                 c->label);
    }
    nvme_given_end(&g->given);
    pci_stop_bus_master(c->dev);
    return true;
}
