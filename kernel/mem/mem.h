// SPDX-License-Identifier: BSD-2-Clause
// Memory: RAM is handed out in physically contiguous, zeroed pieces and never taken back (what is
// torn down is reused by its owner).
#pragma once

#include "kernel/base/cpus.h"
#include "kernel/handoff.h"
#include "lib/types.h"

#define PAGE_BYTES 4096ull
#define KERNEL_BASE 0xffffffff80000000ull // where the image is linked
#define DIRECT_MAP_BYTES (64ull << 40)    // RAM at HANDOFF_DIRECT_MAP; what lies beyond isn't used

// Zeroed memory, physically contiguous, below 2^63, aligned to `align` (a power of two >= 1; at
// least one cache line is used). Prefers the NUMA node (NODE_ANY: no preference), else takes any.
// Never returns NULL: without memory the run ends with an error that says how much was asked for.
// Any CPU, not in interrupt context.
void *mem_alloc(size_t bytes, size_t align, unsigned node);

// Bytes still free.
uint64_t mem_free_bytes(void);

// Physical address of memory from mem_alloc(), of the kernel image, or of a per-CPU structure.
// Inline: each I/O asks.
#ifdef ONEBELL_HOST
uint64_t mem_phys(const volatile void *virt);
#elif defined(ONEBELL_DOMAIN) // its devices call memory as it does
static inline uint64_t mem_phys(const volatile void *virt)
{
    return (uint64_t)virt;
}
#else
uint64_t mem_phys_image(const volatile void *virt); // what is not in the direct map
static inline uint64_t mem_phys(const volatile void *virt)
{
    uint64_t offset = (uint64_t)virt - HANDOFF_DIRECT_MAP;
    return likely(offset < DIRECT_MAP_BYTES) ? offset : mem_phys_image(virt);
}
#endif

// Where RAM is mapped.
static inline void *mem_at(uint64_t phys)
{
#if defined(ONEBELL_HOST) || defined(ONEBELL_DOMAIN)
    return (void *)(uintptr_t)phys; // as in their mem_phys()
#else
    return (void *)(phys + HANDOFF_DIRECT_MAP);
#endif
}

// The NUMA node that memory lies on as firmware tells, whatever was asked for; NODE_ANY where it
// doesn't. The first one for a physical address, the second for any mapped one.
unsigned mem_phys_node(uint64_t phys);
unsigned mem_node(const volatile void *virt);

// Adds `memory_nodes`, the nodes of all these pieces, each node once; nothing where none is known.
struct json;
void mem_report_nodes(struct json *j, const volatile void *const *pieces, size_t count);

// True where any of it is RAM.
bool mem_has_ram(uint64_t phys, uint64_t bytes);

// One past the last byte of RAM that we may use.
uint64_t mem_ram_end(void);

// The firmware's memory map, by base.
const struct handoff_range *mem_ranges(size_t *count);

// True where the whole range is RAM by the firmware's memory map, and in the direct map.
bool mem_is_ram(uint64_t phys, uint64_t bytes);
