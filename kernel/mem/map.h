// SPDX-License-Identifier: BSD-2-Clause
// Mapping of what isn't RAM of ours: registers, firmware's tables, the frame buffer.
#pragma once

#include "lib/types.h"

// Maps device registers, uncached. Never fails for an aligned, sane range: ends the run otherwise.
// Not in interrupt context.
volatile void *mem_map_mmio(uint64_t phys, size_t bytes);

// Stores to these addresses are interrupt messages (SDM vol. 3, 11.11.1).
#define MEM_INTERRUPTS 0xfee00000ull
#define MEM_INTERRUPTS_END 0xfef00000ull

// True where registers may be: the CPU can form the addresses, none of them is an interrupt's, and the
// memory map has no RAM at either end. For what firmware's tables say, before it is mapped.
bool mem_may_be_mmio(uint64_t phys, size_t bytes);

// What lies at a physical address, in words for people: "the kernel's code", ...
const char *mem_what(uint64_t phys);

// Maps a frame buffer, write-combining. NULL if the range is not canonical. Not in interrupt context.
volatile void *mem_map_screen(uint64_t phys, size_t bytes);

// Maps firmware's tables read-only, wherever they lie. NULL if the range is not canonical.
const void *mem_map_firmware(uint64_t phys, size_t bytes);

// One past the last physical address that this CPU can form (CPUID 80000008h).
uint64_t mem_phys_end(void);
