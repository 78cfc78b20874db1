// SPDX-License-Identifier: BSD-2-Clause
// Set-up of memory, for the boot steps alone.
#pragma once

#include "kernel/handoff.h"

// Takes the free ranges of the firmware's map; allocation works from here on.
void mem_init(const struct handoff *h);

// Adds what boot services held; once the firmware's page tables are left behind.
void mem_add_boot_ranges(void);

// Tells that a piece of memory belongs to a NUMA node; base + bytes doesn't wrap. What nobody tells of
// stays NODE_ANY.
void mem_set_node(uint64_t base, uint64_t bytes, unsigned node);

// Zeroed memory that ends at or below the limit, for what a CPU in real or protected mode reads.
void *mem_alloc_below(size_t bytes, size_t align, uint64_t limit);

// RAM in all, in use or not.
uint64_t mem_total_bytes(void);
