// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/virtual_plan.h"

#define CNTLID_LAST 0xffefu

// A controller that is of use has an admin queue, one for I/O, and an interrupt.
static const struct {
    const char *name;
    unsigned least;
} kinds[NVME_VIRTUAL_KINDS] = {
    [NVME_VIRTUAL_QUEUES] = { "queues", 2 },
    [NVME_VIRTUAL_INTERRUPTS] = { "interrupts", 1 },
};

// ---- the controllers ----

static const struct nvme_secondary *find(const struct nvme_secondaries *s, unsigned function)
{
    const struct nvme_secondary *found = NULL;
    for (unsigned i = 0; i < s->count; i++) {
        if (s->list[i].function != function)
            continue;
        if (found)
            return NULL;
        found = &s->list[i];
    }
    return found;
}

static bool is_taken(const struct nvme_virtual_plan *plan, unsigned count, uint16_t id)
{
    while (count && plan->ids[count - 1] != id)
        count--;
    return count;
}

static bool take_controllers(const char *name, const struct nvme_primary *primary,
                             const struct nvme_secondaries *s, struct nvme_virtual_plan *plan,
                             struct problem *p)
{
    if (s->count > NVME_SECONDARIES_MOST)
        return problem_set(p, "nvme-vfs",
                           "%s: its list of secondary controllers says that it has %u entries, and "
                           "has room for %u: update its firmware",
                           name, s->count, NVME_SECONDARIES_MOST);
    for (unsigned i = 0; i < plan->count; i++) {
        const struct nvme_secondary *one = find(s, i + 1);
        if (!one || one->id > CNTLID_LAST || one->id == primary->cntlid ||
            is_taken(plan, i, one->id))
            return problem_set(p, "nvme-vfs",
                               "%s: its list of %u secondary controllers names no controller of "
                               "its own for virtual function %u: ask for fewer (nvme.vfs=%u), or "
                               "update its firmware",
                               name, s->count, i + 1, i);
        plan->ids[i] = one->id;
    }
    return true;
}

// ---- what each gets ----

static bool is_ours(const struct nvme_virtual_plan *plan, const struct nvme_secondary *one)
{
    return one->function && one->function <= plan->count;
}

// What secondary controllers keep that nobody asked for.
static uint32_t others(const struct nvme_virtual_plan *plan, const struct nvme_secondaries *s,
                       unsigned kind)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < s->count; i++)
        if (!is_ours(plan, &s->list[i]))
            count += s->list[i].resources[kind];
    return count;
}

// What they have already where it can't be changed.
static uint32_t fixed(const struct nvme_virtual_plan *plan, const struct nvme_secondaries *s,
                      unsigned kind)
{
    uint32_t least = UINT16_MAX;
    for (unsigned i = 0; i < plan->count; i++)
        least = MIN(least, (uint32_t)find(s, i + 1)->resources[kind]);
    return least;
}

static uint32_t less(uint32_t from, uint32_t by)
{
    return from > by ? from - by : 0;
}

static bool too_few(const char *name, unsigned kind, uint32_t shared, uint32_t each,
                    const struct nvme_virtual_plan *plan, struct problem *p)
{
    return problem_set(p, "nvme-vfs",
                       "%s: of the %u %s that it has to share, each of %u virtual functions gets "
                       "%u, and needs %u: ask for fewer (nvme.vfs=)",
                       name, shared, kinds[kind].name, plan->count, each, kinds[kind].least);
}

static bool share_out(const char *name, const struct nvme_shared_out *out, unsigned kind,
                      unsigned wanted, uint32_t taken, struct nvme_virtual_plan *plan,
                      struct problem *p)
{
    uint32_t least = kinds[kind].least, step = MAX((uint32_t)out->granularity, 1u);
    uint32_t shared = less(less(out->total, taken), less(least, out->own));
    uint32_t most = MIN(shared / plan->count, (uint32_t)out->most);
    uint32_t each = MIN(DIV_UP(wanted, step) * step, most);
    each -= each % step;
    if (each < least)
        return too_few(name, kind, shared, each, plan, p);
    plan->each[kind] = (uint16_t)each;
    plan->now[kind] = out->primary;
    plan->primary[kind] =
        (uint16_t)MIN(less(less(out->total, taken), plan->count * each), (uint32_t)out->primary);
    return true;
}

bool nvme_virtual_plan(const char *name, const struct nvme_primary *primary,
                       const struct nvme_secondaries *secondaries, unsigned count,
                       const unsigned wanted[NVME_VIRTUAL_KINDS], struct nvme_virtual_plan *out,
                       struct problem *p)
{
    *out = (struct nvme_virtual_plan){ .count = MIN(count, NVME_SECONDARIES_MOST) };
    if (!take_controllers(name, primary, secondaries, out, p))
        return false;
    for (unsigned kind = 0; kind < NVME_VIRTUAL_KINDS; kind++) {
        uint32_t has = fixed(out, secondaries, kind);
        if (!(primary->crt & BIT32(kind))) {
            if (has < kinds[kind].least)
                return too_few(name, kind, 0, has, out, p);
        } else if (!share_out(name, &primary->kinds[kind], kind, wanted[kind],
                              others(out, secondaries, kind), out, p)) {
            return false;
        }
    }
    return true;
}

bool nvme_virtual_takes(const struct nvme_virtual_plan *plan)
{
    bool takes = false;
    for (unsigned kind = 0; kind < NVME_VIRTUAL_KINDS; kind++)
        takes |= plan->primary[kind] != plan->now[kind];
    return takes;
}
