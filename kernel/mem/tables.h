// SPDX-License-Identifier: BSD-2-Clause
// What the kernel's page tables, those of domains (SDM vol. 3, 5.5) and those of remapping units (VT-d 9.8) have
// in common: by 9 bits of the address at each level, an entry with the next table or with a page.
#pragma once

#include "kernel/mem/mem.h"
#include "kernel/mem/paging_regs.h"

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
