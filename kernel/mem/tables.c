// SPDX-License-Identifier: BSD-2-Clause
// Adds to page tables, of CPUs or of units.

#include "kernel/mem/tables.h"

#include "lib/cache.h"

void table_set(uint64_t *entry, uint64_t value, bool snooped)
{
    __atomic_store_n(entry, value, __ATOMIC_RELEASE);
    if (!snooped)
        cache_flush(entry, sizeof(*entry));
}

void *table_new(bool snooped, unsigned node)
{
    void *table = mem_alloc(PAGE_BYTES, PAGE_BYTES, node);
    if (!snooped)
        cache_flush(table, PAGE_BYTES);
    return table;
}

uint64_t *tables_entry(const struct tables *t, uint64_t at, unsigned level, unsigned *found)
{
    uint64_t *entry = table_entry(t->root, t->levels, at);
    *found = t->levels;
    while (*found > level && !(*entry && table_is_page(*entry, *found))) {
        if (!*entry)
            table_set(entry, mem_phys(table_new(t->snooped, t->node)) | t->link, t->snooped);
        entry = table_entry(table_below(*entry), --*found, at);
    }
    return entry;
}

// Where smaller pages stand already, those that are missing are added; never is a table replaced by a page.
// Returns how many bytes are mapped now; 0: something else is there.
static uint64_t map_one(const struct tables *t, uint64_t at, uint64_t phys, uint64_t bytes,
                        uint64_t bits)
{
    unsigned level = table_largest_level(t->largest, at | phys, bytes), found;
    uint64_t *entry = tables_entry(t, at, level, &found);
    while (*entry && !table_is_page(*entry, found))
        entry = tables_entry(t, at, --level, &found);
    if (!*entry)
        table_set(entry, phys | bits | (level > 1 ? PTE_LARGE : 0), t->snooped);
    bool so = (*entry & PTE_ADDRESS) + at % table_page_bytes(found) == phys;
    return so ? table_page_bytes(level) : 0;
}

bool tables_map(const struct tables *t, uint64_t at, uint64_t phys, uint64_t bytes, uint64_t bits)
{
    for (uint64_t done = 0, page; done < bytes; done += page)
        if (!(page = map_one(t, at + done, phys + done, bytes - done, bits)))
            return false;
    return true;
}
