// SPDX-License-Identifier: BSD-2-Clause
// Second-level page tables, by which a unit translates the DMA of the functions that they are given to
// (VT-d 3.7, 9.8).
#pragma once

#include "lib/types.h"

#define VTD_LEVELS_LEAST 3 // 39 bits
#define VTD_LEVELS_MOST 5  // 57 bits

// The tables of 5 levels begin with those of 4, and these with those of 3: units of any width share
// them, each from a root of its own.
struct vtd_pages {
    uint64_t *roots[VTD_LEVELS_MOST + 1]; // by levels
    unsigned largest;                     // level of the largest pages that each unit can: 1 to 3
    bool snooped;                         // by each unit; else changes are flushed from the cache
    unsigned node;
};

// Empty tables; `largest`, `snooped` and `node` are set.
void vtd_pages_init(struct vtd_pages *p);

// Has [at, at + bytes) translate to what lies at `phys`, to be read and written: whole pages below 2^57.
// What is so already stays as it is. False: some of it translates to something else, and goes on to. One
// CPU at a time.
bool vtd_pages_map(struct vtd_pages *p, uint64_t at, uint64_t phys, uint64_t bytes);

// Of any table for DMA, that of contexts, too: one page, empty; and a word of it, in one store. Units that
// don't snoop find both in memory.
void *vtd_new_table(bool snooped, unsigned node);
void vtd_set_entry(uint64_t *entry, uint64_t value, bool snooped);
