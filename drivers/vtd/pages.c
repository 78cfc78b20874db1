// SPDX-License-Identifier: BSD-2-Clause
// Builds second-level page tables, and what all tables for DMA are made of. The entry of a page is written
// once, from absent to present, and never changed.

#include "drivers/vtd/pages.h"

#include "drivers/vtd/vtd_regs.h"
#include "kernel/mem/tables.h"
#include "lib/cache.h"

void vtd_set_entry(uint64_t *entry, uint64_t value, bool snooped)
{
    __atomic_store_n(entry, value, __ATOMIC_RELEASE);
    if (!snooped)
        cache_flush(entry, sizeof(*entry));
}

void *vtd_new_table(bool snooped, unsigned node)
{
    void *table = mem_alloc(PAGE_BYTES, PAGE_BYTES, node);
    if (!snooped)
        cache_flush(table, PAGE_BYTES);
    return table;
}

static void link(const struct vtd_pages *p, uint64_t *entry, const uint64_t *table)
{
    vtd_set_entry(entry, mem_phys(table) | PAGE_R | PAGE_W, p->snooped);
}

void vtd_pages_init(struct vtd_pages *p)
{
    for (unsigned levels = VTD_LEVELS_LEAST; levels <= VTD_LEVELS_MOST; levels++) {
        p->roots[levels] = vtd_new_table(p->snooped, p->node);
        if (levels > VTD_LEVELS_LEAST)
            link(p, &p->roots[levels][0], p->roots[levels - 1]);
    }
}

// The entry for the address in a table of that level, or the one of a larger page above it.
static uint64_t *walk(struct vtd_pages *p, uint64_t at, unsigned *level, unsigned down_to)
{
    uint64_t *entry = table_entry(p->roots[VTD_LEVELS_MOST], VTD_LEVELS_MOST, at);
    *level = VTD_LEVELS_MOST;
    while (*level > down_to && !(*entry && table_is_page(*entry, *level))) {
        if (!*entry)
            link(p, entry, vtd_new_table(p->snooped, p->node));
        entry = table_entry(table_below(*entry), --*level, at);
    }
    return entry;
}

// Where smaller pages stand already, those that are missing are added; never is a table replaced by a page.
// Returns the level of the page; 0: another one is there.
static unsigned map_one(struct vtd_pages *p, uint64_t at, uint64_t phys, uint64_t bytes)
{
    unsigned level = table_largest_level(p->largest, at | phys, bytes), found;
    uint64_t *entry = walk(p, at, &found, level);
    while (*entry && !table_is_page(*entry, found))
        entry = walk(p, at, &found, --level);
    if (!*entry)
        vtd_set_entry(entry, phys | PAGE_R | PAGE_W | (level > 1 ? PAGE_PS : 0), p->snooped);
    return (*entry & PAGE_ADDR) + at % table_page_bytes(found) == phys ? level : 0;
}

bool vtd_pages_map(struct vtd_pages *p, uint64_t at, uint64_t phys, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes;) {
        unsigned level = map_one(p, at + done, phys + done, bytes - done);
        if (!level)
            return false;
        done += table_page_bytes(level);
    }
    return true;
}
