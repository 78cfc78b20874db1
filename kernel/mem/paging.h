// SPDX-License-Identifier: BSD-2-Clause
// The kernel's page tables: the image with W^X, all RAM at HANDOFF_DIRECT_MAP, and a window for
// registers and stacks. With 5-level paging left on by firmware, one more table on top holds the
// same layout at its first and last entry.
#pragma once

#include "kernel/handoff.h"
#include "lib/types.h"

#define WINDOW_BASE 0xffffc00000000000ull // registers, firmware tables, stacks
#define WINDOW_END 0xffffe00000000000ull

enum page_kind {
    PAGE_CODE,     // R X
    PAGE_CONST,    // R
    PAGE_DATA,     // R W
    PAGE_REGISTER, // R W, uncached
    PAGE_COMBINE,  // R W, write-combining
};

// Builds the tables and switches this CPU to them. Boot CPU, after mem_init().
void paging_init(const struct handoff *h);

// What every CPU needs before it uses the tables: PAT, EFER.NXE, CR0.WP, CR4 with SMEP, SMAP and
// UMIP where the CPU has them, and nothing that firmware left on beside.
void paging_set_cpu(void);

// Maps into the window; returns where. The physical range need not be aligned.
volatile void *paging_map_window(uint64_t phys, uint64_t bytes, enum page_kind kind);

// A new stack of STACK_BYTES with an unmapped page below it; returns its top.
uint64_t paging_alloc_stack(unsigned node);

bool paging_is_mapped(uint64_t virt);
uint64_t paging_phys(const volatile void *at); // of a mapped address, by the tables
bool paging_is_stack_guard(uint64_t virt);

// A root for starting CPUs in real mode: below 4 GiB, the kernel's half plus `page` at its own
// physical address. Boot CPU, once.
uint64_t paging_trampoline_root(uint64_t page);
uint64_t paging_root(void);

// A root (CR3) for ring-3 programs, and its PML4: the kernel's half, which stays the same as all others'
// whatever is mapped later, and an empty lower half for the caller to fill. Not in interrupt context.
uint64_t paging_new_root(uint64_t **pml4);
