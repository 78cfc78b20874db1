// SPDX-License-Identifier: BSD-2-Clause
// The DMA arena: the only memory that devices may reach. It grows by large pieces from the top of RAM,
// away from all else, and never shrinks, so what has been mapped for devices stays so.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

// Zeroed memory that devices may reach; else as mem_alloc(). Any CPU, not in interrupt context.
void *mem_alloc_dma(size_t bytes, size_t align, unsigned node);

// True where all of it is from mem_alloc_dma(). Any CPU, any context.
bool mem_is_dma(const volatile void *virt, uint64_t bytes);

// Bytes of the arena so far, and how many of them are in use.
uint64_t mem_dma_bytes(void);
uint64_t mem_dma_used(void);

// ---- for the one who maps it ----

// Called with each piece before anything of it is given out; whole pages. Where it fails, the run ends.
typedef bool (*mem_dma_map)(uint64_t phys, uint64_t bytes, struct problem *p);

// The arena stays below `limit`, a physical address, its pieces are as large as `largest`, the size of a
// page, makes sense of, and `map`, if not NULL, is told of each piece. Once, before mem_alloc_dma();
// without it, there is no limit and nobody is told. Boot CPU.
void mem_dma_init(uint64_t limit, uint64_t largest, mem_dma_map map);
