// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/slots.h"

#include "drivers/nvme/give.h"
#include "drivers/nvme/nvme.h"
#include "drivers/nvme/recover.h"
#include "drivers/nvme/setup.h"
#include "drivers/nvme/show.h"
#include "drivers/nvme/slot_plan.h"
#include "drivers/nvme/start.h"
#include "kernel/base/report.h"
#include "kernel/cpu/timer.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"

struct slot {
    struct pci_dev *port;
    struct nvme_slot_plan plan;
    struct slot *next;
};

static struct {
    struct slot *first;
    struct cpu_timer timer;
} slots;

// ---- the controllers in a slot ----

static bool is_in(const struct slot *s, const struct nvme_ctrl *c)
{
    return !c->dropped && pci_slot_of(c->dev) == s->port;
}

// The next one after `c`, or the first.
static struct nvme_ctrl *next_in(const struct slot *s, struct nvme_ctrl *c)
{
    c = c ? c->next : nvme_first();
    while (c && !is_in(s, c))
        c = c->next;
    return c;
}

#define for_each_in(s, c) for (struct nvme_ctrl *c = next_in(s, NULL); c; c = next_in(s, c))

// What a domain has lost keeps its place until that domain has ended: the domain has its doorbells' addresses.
static bool is_kept(const struct slot *s)
{
    for_each_in(s, c) if (c->running && c->given && nvme_give_is_removed(c)) return true;
    return false;
}

static bool is_over(const struct nvme_ctrl *c)
{
    return c->given ? nvme_give_is_removed(c) : nvme_recover_is_over(c);
}

static bool is_in_use(const struct slot *s)
{
    for_each_in(s, c) if (c->running && !is_over(c)) return true;
    return s->plan.state == NVME_SLOT_IDLE && is_kept(s);
}

// As of the kernel's own: whether a disk is still there, its registers tell best.
static bool has_lost_one(const struct slot *s)
{
    for_each_in(s, c) if (c->running && c->given && nvme_give_is_lost(c)) return true;
    return false;
}

static bool is_busy(const struct slot *s)
{
    for_each_in(s, c) if (c->running ? nvme_recover_returns(c)
                                     : nvme_start_is_under_way(c)) return true;
    return false;
}

// ---- steps ----

static void remove(struct nvme_ctrl *c)
{
    if (c->given)
        nvme_give_remove(c);
    else
        nvme_recover_remove(c);
}

static void remove_all(const struct slot *s)
{
    for_each_in(s, c) if (c->running) remove(c);
}

static void have_return(const struct slot *s)
{
    for_each_in(s, c) if (c->running && pci_is_back(c->dev)) nvme_recover_return(c);
}

// Their namespaces were dropped when they went, and may be others by now.
static void welcome(const struct slot *s)
{
    struct problem p;
    for_each_in(s, c)
    {
        if (!c->running || c->gone || c->namespaces)
            continue;
        if (!nvme_namespaces_start(c, &p))
            warn_problem(&p);
        nvme_show_ctrl(c);
    }
}

// What was there before doesn't come back any more.
static void drop_all(const struct slot *s)
{
    for_each_in(s, c) nvme_start_drop(c);
}

static void add_all(const struct slot *s)
{
    unsigned driven = 0;
    for_each_pci_dev (dev) {
        if (dev->removed || pci_slot_of(dev) != s->port || !nvme_drives(dev))
            continue;
        driven++;
        info("%s: it was put into the slot of %s", nvme_start_add(dev, 0)->label, s->port->name);
    }
    if (!driven)
        info("%s: what was put into its slot is no NVMe controller", s->port->name);
}

static void scan(const struct slot *s)
{
    struct problem p;
    drop_all(s);
    if (pci_slot_scan(s->port, &p))
        add_all(s);
    else
        warn_problem(&p);
}

static void start(struct nvme_ctrl *c)
{
    struct problem p;
    if (!nvme_start_is_under_way(c) || nvme_start_waits(c))
        return;
    if (!nvme_start_step(c, &p))
        warn_problem(&p);
    else if (c->running)
        nvme_show_ctrl(c);
}

static void start_all(const struct slot *s)
{
    for_each_in(s, c) start(c);
}

static void give_up(const struct slot *s)
{
    warn("nvme-slot",
         "%s: something was put into its slot, but its link doesn't come up, or it doesn't answer: "
         "the slot's power is off; take it out and put it in again",
         s->port->name);
    pci_slot_power(s->port, false);
}

static void act(const struct slot *s, enum nvme_slot_action action)
{
    switch (action) {
    case NVME_SLOT_DO_NOTHING:
        break;
    case NVME_SLOT_DO_REMOVE:
        return remove_all(s);
    case NVME_SLOT_DO_POWER_OFF:
        return pci_slot_power(s->port, false);
    case NVME_SLOT_DO_POWER_ON:
        return pci_slot_power(s->port, true);
    case NVME_SLOT_DO_RETURN:
        return have_return(s);
    case NVME_SLOT_DO_WELCOME:
        return welcome(s);
    case NVME_SLOT_DO_SCAN:
        return scan(s);
    case NVME_SLOT_DO_START:
        return start_all(s);
    case NVME_SLOT_DO_GIVE_UP:
        return give_up(s);
    }
}

static void look_at(struct slot *s)
{
    struct nvme_slot_input in = {
        .now_ns = time_ns(),
        .in_use = is_in_use(s),
        .answers = s->plan.state == NVME_SLOT_PROBING && pci_slot_answers(s->port),
        .busy = is_busy(s),
    };
    if (!pci_slot_look(s->port, &in.look))
        return;
    in.look.pressed = !is_kept(s) && (in.look.pressed || has_lost_one(s));
    act(s, nvme_slot_step(&s->plan, &in));
}

static void tick(struct cpu_timer *timer)
{
    uint64_t wait = UINT64_MAX;
    for (struct slot *s = slots.first; s; s = s->next) {
        look_at(s);
        wait = MIN(wait, nvme_slot_wait_ns(&s->plan));
    }
    cpu_timer_start(timer, time_ns() + wait);
}

// ---- start ----

static bool has_functions(const struct pci_dev *port)
{
    for_each_pci_dev (dev)
        if (dev->parent == port && !dev->removed)
            return true;
    return false;
}

// What happened before is forgotten, but for what came once the slot had been looked into.
static void add(struct pci_dev *port)
{
    struct pci_slot_look look;
    struct slot *s = mem_alloc(sizeof(*s), CACHE_LINE, NODE_ANY);
    s->port = port;
    s->next = slots.first;
    slots.first = s;
    if (pci_slot_look(port, &look) && (look.swapped || look.relinked))
        s->plan.changed = !has_functions(port);
}

void nvme_slots_start(void)
{
    slots.first = NULL;
    slots.timer.fn = tick;
    for_each_pci_dev (dev)
        if (pci_has_slot(dev))
            add(dev);
    if (slots.first)
        cpu_timer_start(&slots.timer, time_ns() + NS_PER_S);
}

void nvme_slots_stop(void)
{
    if (slots.first)
        cpu_timer_stop(&slots.timer);
    for (struct nvme_ctrl *c = nvme_first(); c; c = c->next)
        if (nvme_start_is_under_way(c))
            nvme_start_fail(c);
}
