// SPDX-License-Identifier: BSD-2-Clause
// What the kernel's page tables, those of domains (SDM vol. 3, 5.5) and those of remapping units (VT-d 9.8) have
// in common: by 9 bits of the address at each level, an entry with the next table or with a page.
#pragma once

#include "kernel/mem/mem.h"
#include "kernel/mem/paging_regs.h"

// Tables that grow: an entry is written once, from absent to present, and never changed, so that no CPU or unit
// can have an older one in a cache.
struct tables {
    uint64_t *root;   // the table of the highest level
    unsigned levels;  // 1 is that of 4 KiB pages
    unsigned largest; // level of the largest pages
    uint64_t link;    // what an entry says of a table besides its address
    bool snooped;     // else each store is flushed from the cache, for units that read memory alone
    unsigned node;    // where new tables lie
};

// One table, empty; and one word of a table, in one store. Any table of a unit's can be made of them.
void *table_new(bool snooped, unsigned node);
void table_set(uint64_t *entry, uint64_t value, bool snooped);

// The entry for the address in a table of that level, with the tables on the way made where they are missing, or
// the one of a larger page above it. *found: its level. One CPU at a time.
uint64_t *tables_entry(const struct tables *t, uint64_t at, unsigned level, unsigned *found);

// Has [at, at + bytes) translate to what lies at `phys`, whole pages, with these bits in their entries. What is
// so already stays as it is. False: some of it translates to something else, and goes on to. One CPU at a time.
bool tables_map(const struct tables *t, uint64_t at, uint64_t phys, uint64_t bytes, uint64_t bits);

// What an entry of that level covers; level 1: 4 KiB.
static inline uint64_t table_page_bytes(unsigned level)
{
    return PAGE_BYTES << 9 * (level - 1);
}

static inline uint64_t *table_entry(uint64_t *table, unsigned level, uint64_t at)
{
    return &table[at / table_page_bytes(level) % PTE_ENTRIES];
}

static inline bool table_is_page(uint64_t entry, unsigned level)
{
    return level == 1 || entry & PTE_LARGE;
}

static inline uint64_t *table_below(uint64_t entry)
{
    return mem_at(entry & PTE_ADDRESS);
}

// Of the pages that the range can begin with, the largest one's level, `most` or lower. `aligned` has the low bits
// of all addresses that it is mapped at.
static inline unsigned table_largest_level(unsigned most, uint64_t aligned, uint64_t bytes)
{
    unsigned level = most;
    while (level > 1 && (aligned % table_page_bytes(level) || bytes < table_page_bytes(level)))
        level--;
    return level;
}

// The entry of the page around `at`, in tables of 4 levels, and the size of the page; 0 where it doesn't have all
// `rights` at each level.
static inline uint64_t table_find_page(uint64_t *pml4, uint64_t at, uint64_t rights,
                                       uint64_t *bytes)
{
    uint64_t entry = 0, *table = pml4;
    for (unsigned level = 4; level; level--) {
        entry = *table_entry(table, level, at);
        *bytes = table_page_bytes(level);
        if ((entry & rights) != rights)
            return 0;
        if (table_is_page(entry, level))
            break;
        table = table_below(entry);
    }
    return entry;
}
