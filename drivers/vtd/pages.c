// SPDX-License-Identifier: BSD-2-Clause
// Builds second-level page tables. An entry is written once, from absent to present, and never changed.

#include "drivers/vtd/pages.h"

#include "drivers/vtd/vtd_regs.h"
#include "kernel/mem/mem.h"
#include "lib/cache.h"

#define ENTRIES 512

static uint64_t page_bytes(unsigned level)
{
    return 1ull << vtd_levels_bits(level - 1);
}

static void flush(const struct vtd_pages *p, const void *at, size_t bytes)
{
    if (!p->snooped)
        cache_flush(at, bytes);
}

static void set(const struct vtd_pages *p, uint64_t *entry, uint64_t value)
{
    __atomic_store_n(entry, value, __ATOMIC_RELEASE);
    flush(p, entry, sizeof(*entry));
}

static uint64_t *new_table(const struct vtd_pages *p)
{
    uint64_t *table = mem_alloc(PAGE_BYTES, PAGE_BYTES, p->node);
    flush(p, table, PAGE_BYTES);
    return table;
}

static void link(const struct vtd_pages *p, uint64_t *entry, const uint64_t *table)
{
    set(p, entry, mem_phys(table) | PAGE_R | PAGE_W);
}

void vtd_pages_init(struct vtd_pages *p)
{
    for (unsigned levels = VTD_LEVELS_LEAST; levels <= VTD_LEVELS_MOST; levels++) {
        p->roots[levels] = new_table(p);
        if (levels > VTD_LEVELS_LEAST)
            link(p, &p->roots[levels][0], p->roots[levels - 1]);
    }
}

static uint64_t *entry_of(uint64_t *table, unsigned level, uint64_t at)
{
    return &table[at / page_bytes(level) % ENTRIES];
}

static bool is_page(uint64_t entry, unsigned level)
{
    return level == 1 || entry & PAGE_PS;
}

static uint64_t *table_of(uint64_t entry)
{
    return mem_at(entry & PAGE_ADDR);
}

// The entry for the address in a table of that level, or the one of a larger page above it.
static uint64_t *walk(struct vtd_pages *p, uint64_t at, unsigned *level, unsigned down_to)
{
    uint64_t *entry = entry_of(p->roots[VTD_LEVELS_MOST], VTD_LEVELS_MOST, at);
    *level = VTD_LEVELS_MOST;
    while (*level > down_to && !(*entry && is_page(*entry, *level))) {
        if (!*entry)
            link(p, entry, new_table(p));
        entry = entry_of(table_of(*entry), --*level, at);
    }
    return entry;
}

static unsigned largest_level(const struct vtd_pages *p, uint64_t at, uint64_t bytes)
{
    unsigned level = p->largest;
    while (level > 1 && (at % page_bytes(level) || bytes < page_bytes(level)))
        level--;
    return level;
}

// Where smaller pages stand already, those that are missing are added; never is a table replaced by a page.
static unsigned map_one(struct vtd_pages *p, uint64_t at, uint64_t bytes)
{
    unsigned level = largest_level(p, at, bytes), found;
    uint64_t *entry = walk(p, at, &found, level);
    while (*entry && !is_page(*entry, found))
        entry = walk(p, at, &found, --level);
    if (!*entry)
        set(p, entry, at | PAGE_R | PAGE_W | (level > 1 ? PAGE_PS : 0));
    return level;
}

void vtd_pages_map(struct vtd_pages *p, uint64_t base, uint64_t bytes)
{
    for (uint64_t at = base, end = base + bytes; at < end;)
        at += page_bytes(map_one(p, at, end - at));
}
