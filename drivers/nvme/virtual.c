// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/virtual.h"

#include "drivers/nvme/admin.h"
#include "drivers/nvme/prp.h"
#include "drivers/nvme/virtual_disks.h"
#include "drivers/nvme/virtual_plan.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/string.h"

struct nvme_virtual {
    struct nvme_virtual_plan plan;
    bool had_more;                       // the primary, before,
    uint16_t before[NVME_VIRTUAL_KINDS]; // so many
    bool serves[NVME_SECONDARIES_MOST];
    uint32_t namespaces[NVME_SECONDARIES_MOST]; // that they were given
};

static struct {
    unsigned count;
    bool found; // a controller that can have some
} wanted;

void nvme_virtual_set(unsigned count)
{
    wanted.count = count;
    wanted.found = false;
}

// ---- commands ----

static struct nvme_sqe command(unsigned act, unsigned id, unsigned kind, unsigned count)
{
    return (struct nvme_sqe){
        .head = NVME_ADMIN_VIRTUAL,
        .cdw10 = (uint32_t)(field_put(NVME_VIRTUAL_ACT, act) | field_put(NVME_VIRTUAL_RT, kind) |
                            field_put(NVME_VIRTUAL_CNTLID, id)),
        .cdw11 = count,
    };
}

static bool send(struct nvme_ctrl *c, struct nvme_sqe sqe, struct problem *p)
{
    return nvme_admin(c, &sqe, "Virtualization Management", NULL, p);
}

static bool make_plan(struct nvme_ctrl *c, unsigned count, struct nvme_virtual_plan *plan,
                      struct problem *p)
{
    static struct nvme_primary primary;
    unsigned cpus = cpu_total();
    const unsigned each[] = { [NVME_VIRTUAL_QUEUES] = cpus + 1, [NVME_VIRTUAL_INTERRUPTS] = cpus };
    if (!nvme_identify(c, NVME_CNS_PRIMARY, 0, "Identify Primary Controller Capabilities", p))
        return false;
    memcpy(&primary, c->page, sizeof(primary));
    return nvme_identify(c, NVME_CNS_SECONDARIES, 0, "Identify Secondary Controller List", p) &&
           nvme_virtual_plan(c->label, &primary, c->page, count, each, plan, p);
}

// ---- what the primary gives up ----

static bool set_primary(struct nvme_ctrl *c, const uint16_t to[NVME_VIRTUAL_KINDS],
                        struct problem *p)
{
    const struct nvme_virtual_plan *plan = &c->virtual->plan;
    for (unsigned kind = 0; kind < NVME_VIRTUAL_KINDS; kind++)
        if (plan->primary[kind] != c->virtual->before[kind] &&
            !send(c, command(NVME_VIRTUAL_ACT_PRIMARY, c->abilities.id, kind, to[kind]), p))
            return false;
    return true;
}

// A reset of the function counts as one of the controller for each (3.7.2); CC.EN doesn't for some.
static bool reset(struct nvme_ctrl *c, struct problem *p)
{
    nvme_ctrl_disable(c);
    c->written_ns = time_ns();
    if (!nvme_ctrl_wait(c, 0, p))
        return false;
    if (!pci_stop_bus_master(c->dev))
        return problem_set(p, "pci-reset", "%s: its bus mastering stays on", c->label);
    if (!pci_reset(c->dev, time_delay_ns, p))
        return false;
    time_delay_ns(nvme_ctrl_settle_ns(c));
    return nvme_ctrl_restart(c, p);
}

static bool takes_no_more(const struct nvme_ctrl *c, struct problem *p)
{
    return !nvme_virtual_takes(&c->virtual->plan) ||
           problem_set(p, "nvme-vfs",
                       "%s: after its reset it still keeps what its virtual functions need: update "
                       "its firmware",
                       c->label);
}

// What it was to give up stays its own.
static void none(struct nvme_ctrl *c, const struct problem *why)
{
    struct problem ignored;
    warn(why->what, "%s; it has no virtual functions", why->message);
    if (c->virtual->had_more)
        (void)set_primary(c, c->virtual->before, &ignored);
    c->virtual = NULL;
}

bool nvme_virtual_prepare(struct nvme_ctrl *c, struct problem *p)
{
    unsigned count = wanted.count ? MIN(wanted.count, pci_virtual_most(c->dev)) : 0;
    if (!count || !c->abilities.manages_virtual)
        return true;
    wanted.found = true;
    struct nvme_virtual *v = c->virtual = mem_alloc(sizeof(*v), CACHE_LINE, c->dev->node);
    bool good = make_plan(c, count, &v->plan, p);
    memcpy(v->before, v->plan.now, sizeof(v->before));
    if (good && nvme_virtual_takes(&v->plan)) {
        v->had_more = true;
        good = set_primary(c, v->plan.primary, p);
        if (good && !reset(c, p))
            return false;
        good = good && make_plan(c, count, &v->plan, p) && takes_no_more(c, p);
    }
    if (!good)
        none(c, p);
    return !c->command.lost;
}

// ---- on ----

bool nvme_virtual_turn_on(struct nvme_ctrl *c)
{
    struct problem p;
    if (!c->virtual || !c->running)
        return false;
    if (!pci_virtual_start(c->dev, c->virtual->plan.count, &p))
        none(c, &p);
    return c->virtual;
}

// What an offline controller has is nobody's, and only such a one is assigned something (5.29): fewer than
// it is to have are its own affair, as long as it goes online with them.
static const uint8_t acts[] = {
    NVME_VIRTUAL_ACT_OFFLINE,
    NVME_VIRTUAL_ACT_ASSIGN,
    NVME_VIRTUAL_ACT_ASSIGN,
    NVME_VIRTUAL_ACT_ONLINE,
};

unsigned nvme_virtual_steps(const struct nvme_ctrl *c)
{
    return c->virtual ? c->virtual->plan.count * ARRAY_SIZE(acts) : 0;
}

struct nvme_sqe nvme_virtual_step(const struct nvme_ctrl *c, unsigned step)
{
    const struct nvme_virtual_plan *plan = &c->virtual->plan;
    unsigned n = step % ARRAY_SIZE(acts), id = plan->ids[step / ARRAY_SIZE(acts)];
    if (acts[n] != NVME_VIRTUAL_ACT_ASSIGN)
        return command(acts[n], id, 0, 0);
    unsigned kind = n - 1;
    return command(plan->each[kind] ? acts[n] : acts[0], id, kind, plan->each[kind]);
}

static bool have_serve(struct nvme_ctrl *c, unsigned i, struct problem *p)
{
    bool good = true;
    for (unsigned n = 0; good && n < ARRAY_SIZE(acts); n++)
        good = send(c, nvme_virtual_step(c, i * ARRAY_SIZE(acts) + n), p);
    return good;
}

// Before they are found: how many interrupts they have stands in their configuration space.
void nvme_virtual_find(struct nvme_ctrl *c)
{
    struct problem p;
    struct nvme_virtual *v = c->virtual;
    if (!v)
        return;
    for (unsigned i = 0; i < v->plan.count; i++) {
        v->serves[i] = have_serve(c, i, &p);
        if (!v->serves[i])
            warn(p.what, "%s; virtual function %u isn't used", p.message, i + 1);
    }
    nvme_virtual_attach(c, v->plan.ids, v->plan.count, v->namespaces);
    info("%s: %u virtual functions, with %u queues each", c->label, pci_virtual_find(c->dev),
         v->plan.each[NVME_VIRTUAL_QUEUES]);
}

bool nvme_virtual_serves(const struct nvme_ctrl *c, unsigned index)
{
    return c->virtual && index < c->virtual->plan.count && c->virtual->serves[index];
}

void nvme_virtual_end_start(void)
{
    if (wanted.count && !wanted.found)
        warn("nvme-vfs",
             "nvme.vfs=%u, but no controller can have virtual functions: SR-IOV and Virtualization "
             "Management are what it takes",
             wanted.count);
    wanted.count = 0;
}

// ---- off ----

void nvme_virtual_turn_off(struct nvme_ctrl *c)
{
    struct problem p;
    struct nvme_virtual *v = c->virtual;
    if (!v || !c->running || c->gone || c->resetting)
        return;
    nvme_virtual_detach(c, v->plan.ids, v->plan.count, v->namespaces);
    for (unsigned i = 0; i < v->plan.count; i++)
        if (v->serves[i] && !send(c, command(NVME_VIRTUAL_ACT_OFFLINE, v->plan.ids[i], 0, 0), &p))
            warn_problem(&p);
    pci_virtual_stop(c->dev);
    if (v->had_more && !set_primary(c, v->before, &p))
        warn_problem(&p);
    c->virtual = NULL;
}
