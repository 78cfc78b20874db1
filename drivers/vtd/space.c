// SPDX-License-Identifier: BSD-2-Clause
// What functions can be granted. What the tables are like suits each unit in use: then it doesn't matter
// behind which of them a function is that comes to a space later. Ids are never used again.

#include "drivers/vtd/unit.h"

#include "kernel/mem/mem.h"

#define WINDOW_BASE                                                                                \
    MSI_ADDRESS_BASE // a write to there is an interrupt, translated by nobody (VT-d 3.14)
#define WINDOW_END (WINDOW_BASE + MIB)

static struct spaces {
    struct tables tables; // as those of each are at first
    uint64_t limit;
    uint32_t last; // id that was given out
} spaces;

uint32_t vtd_domains(const struct vtd_unit *u)
{
    return 1u << (4 + 2 * field_get(VTD_CAP_ND, u->cap));
}

struct pci_space *vtd_space_create(struct problem *p)
{
    if (spaces.last == UINT16_MAX) {
        problem_set(p, "domain-ids",
                    "VT-d knows no more than %u domains, and all of them are in use: ask for fewer",
                    UINT16_MAX + 1);
        return NULL;
    }
    struct pci_space *s = mem_alloc(sizeof(*s), CACHE_LINE, NODE_ANY);
    *s = (struct pci_space){ .id = (uint16_t)++spaces.last, .tables = spaces.tables };
    for (unsigned levels = VTD_LEVELS_LEAST; levels <= VTD_LEVELS_MOST; levels++) {
        s->tables.root = s->roots[levels] = table_new(s->tables.snooped, NODE_ANY);
        if (levels > VTD_LEVELS_LEAST)
            table_set(s->tables.root, mem_phys(s->roots[levels - 1]) | s->tables.link,
                      s->tables.snooped);
    }
    return s;
}

struct pci_space *vtd_spaces_begin(unsigned largest, bool snooped, uint64_t limit,
                                   struct problem *p)
{
    spaces = (struct spaces){
        .tables = { .levels = VTD_LEVELS_MOST,
                    .largest = largest,
                    .link = PAGE_R | PAGE_W,
                    .snooped = snooped,
                    .node = NODE_ANY },
        .limit = limit,
    };
    return vtd_space_create(p);
}

// Has the units see what was added to the tables. What one doesn't cache as absent, or knows nothing of yet, needs
// no invalidation (VT-d 6.1). False: one doesn't confirm it.
static bool announce(const struct pci_space *s, struct problem *p)
{
    for_each_unit (u) {
        spinlock_guard(&u->lock);
        if (u->cap & VTD_CAP_CM && s->id < vtd_domains(u) && !vtd_invalidate_domain(u, s->id, p))
            return false;
        if (!vtd_flush_write_buffer(u, p))
            return false;
    }
    return true;
}

static bool is_whole(uint64_t at, uint64_t bytes, uint64_t end)
{
    return bytes && !((at | bytes) % PAGE_BYTES) && at < end && bytes <= end - at;
}

static bool may_be_at(uint64_t at, uint64_t bytes)
{
    return is_whole(at, bytes, spaces.limit) && (at + bytes <= WINDOW_BASE || at >= WINDOW_END);
}

bool vtd_space_map(struct pci_space *s, uint64_t at, uint64_t phys, uint64_t bytes,
                   struct problem *p)
{
    if (may_be_at(at, bytes) && is_whole(phys, bytes, PAGE_ADDR + PAGE_BYTES) &&
        tables_map(&s->tables, at, phys, bytes, PAGE_R | PAGE_W))
        return announce(s, p);
    return problem_set(p, "domain-map",
                       "a domain's devices can't find 0x%llx bytes of memory at 0x%llx: units "
                       "translate whole pages below 0x%llx, no interrupts, and each to one place",
                       (unsigned long long)bytes, (unsigned long long)at,
                       (unsigned long long)spaces.limit);
}
