// SPDX-License-Identifier: BSD-2-Clause
// The fence around DMA: every unit translates, by tables in which only the DMA arena stands, and only
// for the functions that a driver has been granted. All else is blocked.

#include "drivers/vtd/unit.h"

#include "kernel/base/report.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/pci.h"
#include "lib/format.h"

static struct {
    bool on; // grants are asked for
    struct pci_space *arena;
    uint64_t limit; // of what the units can translate
} fence;

// ---- what the units can do ----

static unsigned width(const struct vtd_unit *u, unsigned levels)
{
    return MIN(12 + 9 * levels, (unsigned)field_get(VTD_CAP_MGAW, u->cap) + 1);
}

// The fewest that reach all of RAM, else the most (VT-d 11.4.2). 0: the unit can't translate.
static unsigned choose_levels(const struct vtd_unit *u, uint64_t ram_end)
{
    unsigned chosen = 0;
    for (unsigned levels = VTD_LEVELS_LEAST; levels <= VTD_LEVELS_MOST; levels++)
        if (field_get(VTD_CAP_SAGAW, u->cap) & 1u << (levels - 2) &&
            (!chosen || BIT64(width(u, chosen)) < ram_end))
            chosen = levels;
    return chosen;
}

// Level of the largest pages: those of 1 GiB stand upon those of 2 MiB.
static unsigned largest_pages(const struct vtd_unit *u)
{
    uint64_t sizes = field_get(VTD_CAP_SLLPS, u->cap);
    return sizes & 1 ? sizes & 2 ? 3 : 2 : 1;
}

static bool map_piece(uint64_t phys, uint64_t bytes, struct problem *p)
{
    return vtd_space_map(fence.arena, phys, phys, bytes, p);
}

bool vtd_fence_plan(struct problem *p)
{
    unsigned largest = 3;
    bool snooped = true;
    fence.limit = UINT64_MAX;
    for_each_unit (u) {
        u->levels = choose_levels(u, mem_ram_end());
        if (!u->levels)
            return problem_set(p, "dma-no-translation",
                               "VT-d unit 0x%llx can't translate DMA by tables of 3, 4 or 5 levels "
                               "(SAGAW %llx, CAP bits 12:8): run with dma=open, where every device "
                               "reaches all memory",
                               (unsigned long long)u->base,
                               (unsigned long long)field_get(VTD_CAP_SAGAW, u->cap));
        u->limit = BIT64(width(u, u->levels));
        fence.limit = MIN(fence.limit, u->limit);
        largest = MIN(largest, largest_pages(u));
        snooped &= vtd_snoops(u);
    }
    fence.arena = vtd_spaces_begin(largest, snooped, fence.limit, p);
    mem_dma_init(fence.limit, largest == 3 ? GIB : 2 * MIB, map_piece);
    return true;
}

// ---- granting ----

// Functions behind one bridge share its id, and those behind one VMD. The next other one that is granted
// something; NULL past the end.
static const struct pci_dev *next_bearer(const struct pci_dev *dev, uint16_t source, size_t *at)
{
    const struct pci_dev *other;
    while ((other = pci_get((*at)++)))
        if (other != dev && other->granted && pci_bears(other, pci_visible(dev)->segment, source))
            return other;
    return NULL;
}

// By one id, one memory is reached.
static bool may_reach(const struct vtd_unit *u, const struct pci_dev *dev, uint16_t source,
                      struct problem *p)
{
    const struct pci_dev *other;
    size_t at = 0;
    if (dev->space && dev->space->id >= vtd_domains(u))
        return problem_set(p, "domain-ids",
                           "%s can't have memory of its own by number %u: VT-d unit 0x%llx knows "
                           "too few domains (CAP.ND %llu): ask for fewer",
                           dev->name, dev->space->id, (unsigned long long)u->base,
                           (unsigned long long)field_get(VTD_CAP_ND, u->cap));
    while ((other = next_bearer(dev, source, &at)))
        if (other->space != dev->space)
            return problem_set(p, "domain-alias",
                               "%s and %s send by one requester id, so that both reach the same "
                               "memory: they can't be in different hands",
                               dev->name, other->name);
    return true;
}

static bool revoke_sources(struct vtd_unit *u, const struct pci_dev *dev, struct problem *p)
{
    bool ok = true;
    spinlock_guard(&u->lock);
    for_each_source (dev, source) {
        size_t at = 0;
        if (!next_bearer(dev, source, &at))
            ok &= vtd_context_revoke(u, source, p);
    }
    return ok;
}

static bool grant_sources(struct vtd_unit *u, const struct pci_dev *dev, struct problem *p)
{
    spinlock_guard(&u->lock);
    for_each_source (dev, source)
        if (!vtd_context_grant(u, source, dev->space ? dev->space : fence.arena, p))
            return false;
    return true;
}

static bool grant(const struct pci_dev *dev, struct problem *p)
{
    struct vtd_unit *u = vtd_unit_of(dev, p);
    if (!u)
        return false;
    for_each_source (dev, source) {
        if (!may_reach(u, dev, source, p))
            return false;
        (void)vtd_context_prepare(u, source);
    }
    bool ok = grant_sources(u, dev, p);
    if (!ok)
        (void)revoke_sources(u, dev, NULL);
    vtd_report_faults(); // all that was blocked by now is no fault of its new owner's
    return ok;
}

static bool revoke(const struct pci_dev *dev, struct problem *p)
{
    struct vtd_unit *u = vtd_unit_of(dev, p);
    if (!u)
        return true; // it never had anything
    bool ok = revoke_sources(u, dev, p);
    if (dev->space)
        vtd_report_faults(); // nothing of what it has done by now is its next owner's
    return ok;
}

static bool reaches(const struct pci_dev *dev)
{
    const struct vtd_unit *u = vtd_unit_of(dev, NULL);
    bool any = !u || !u->fenced;
    for_each_source (dev, source)
        any = any || vtd_context_domain(u, source);
    return any;
}

void vtd_fence_raise(void)
{
    static const struct pci_fence calls = { grant, revoke, reaches, vtd_space_create,
                                            vtd_space_map };
    fence.on = true;
    pci_set_fence(&calls);
}

bool vtd_fence_is_on(void)
{
    return fence.on;
}

// ---- what people and tools see ----

static unsigned count_granted(void)
{
    unsigned granted = 0;
    for_each_pci_dev (dev)
        granted += dev->granted && !dev->space;
    return granted;
}

static const char *page_text(void)
{
    static const char *const texts[] = { "", "4 KiB", "2 MiB", "1 GiB" };
    return texts[fence.arena->tables.largest];
}

// Units that don't stand, or were left alone: what is behind them isn't driven, and is not fenced.
static unsigned tell_unfenced(void)
{
    unsigned unfenced = 0;
    for_each_named_unit (u) {
        if (u->fenced || u->state == VTD_UNIT_ABSENT)
            continue;
        unfenced++;
        warn("dma-unit",
             "VT-d unit 0x%llx is no fence: what is behind it, which nobody drives, may reach all "
             "memory; dma=open says that this is meant for all",
             (unsigned long long)u->base);
    }
    return unfenced;
}

static void send_json(unsigned granted, unsigned unfenced)
{
    char buffer[256];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "dma");
    json_text(&j, "dma", fence.on ? "fence" : "open");
    json_u64(&j, "functions", granted);
    json_u64(&j, "arena", mem_dma_bytes());
    json_u64(&j, "used", mem_dma_used());
    if (fence.on) {
        json_text(&j, "pages", page_text());
        json_u64(&j, "limit", fence.limit);
        json_u64(&j, "units_without", unfenced);
    }
    report_json(&j);
}

void vtd_fence_print(void)
{
    unsigned granted = fence.on ? count_granted() : 0, unfenced = fence.on ? tell_unfenced() : 0;
    if (fence.on)
        info("dma=fence: %u function%s reach%s %llu MiB, by pages of up to %s%s", granted,
             granted == 1 ? "" : "s", granted == 1 ? "es" : "",
             (unsigned long long)(mem_dma_bytes() / MIB), page_text(),
             unfenced ? "" : "; nothing else is reached, and by nobody else");
    else
        info("dma=open: every bus master reaches all memory");
    send_json(granted, unfenced);
}
