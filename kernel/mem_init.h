// SPDX-License-Identifier: BSD-2-Clause
// Set-up of memory, for the boot steps in main.c alone.
#pragma once

#include "kernel/acpi.h"
#include "kernel/handoff.h"

// Takes the free ranges of the firmware's map; allocation works from here on.
void mem_init(const struct handoff *h);

// Adds what boot services held; once the firmware's page tables are left behind.
void mem_add_boot_ranges(void);

// Tells which memory belongs to which NUMA node. The SRAT must stay.
void mem_set_nodes(const struct srat *srat);

// Zeroed memory that ends at or below the limit, for what a CPU in real or protected mode reads.
void *mem_alloc_below(size_t bytes, size_t align, uint64_t limit);

// RAM in all, in use or not.
uint64_t mem_total_bytes(void);
