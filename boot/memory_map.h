// SPDX-License-Identifier: BSD-2-Clause
// Firmware's memory map turned into the kernel's. Pure.
#pragma once

#include "kernel/handoff.h"
#include "lib/problem.h"
#include "lib/types.h"

// EFI_MEMORY_DESCRIPTOR, version 1 (UEFI 2.10, 7.2.3). Firmware's may be longer.
struct memory_descriptor {
    uint32_t type;
    uint32_t padding;
    uint64_t base;
    uint64_t virt;
    uint64_t pages; // 4 KiB each
    uint64_t attributes;
};
static_assert(sizeof(struct memory_descriptor) == 40, "UEFI 2.10, 7.2.3");
static_assert(offsetof(struct memory_descriptor, attributes) == 32, "UEFI 2.10, 7.2.3");
#define MEMORY_DESCRIPTOR_VERSION 1

// Room in `out` that is enough for a map of so many descriptors, and for memory_map_take_page().
#define MEMORY_MAP_RANGES(descriptors) (2 * (descriptors) + 4)

// The rule, by EFI type: conventional memory is FREE; boot services' memory and EfiLoaderCode are
// BOOT; EfiLoaderData is KEPT (the loader allocates with it what the kernel keeps, and nothing
// else; what an earlier boot program left with this type is lost to us, and small); ACPI's and
// runtime services' are FIRMWARE; the rest is OTHER. RAM that can't be used write-back, is set
// aside for a special purpose (EFI_MEMORY_SP) or is non-volatile is OTHER, too, and so is page 0.
//
// Where descriptors overlap, the larger kind wins. Ranges come out sorted; neighbours of one kind
// and type are merged, within BOOT whatever their types.
//
// `step` is the size of a descriptor as firmware reports it. Descriptors that can't be are passed over and
// counted in `bad`; one that is reserved and starts within a page takes the whole page. False
// ("memory-map"): nothing can be read, there is no free memory, or `max` ranges were not enough.
bool memory_map_convert(const void *map, size_t bytes, size_t step, struct handoff_range *out,
                        size_t max, size_t *count, struct handoff_warned *bad, struct problem *p);

// Makes a page below `limit` HANDOFF_KEPT that is free, or will be once boot services' memory is; 0: there
// is none, or no room for two ranges more. Never page 0.
uint64_t memory_map_take_page(struct handoff_range *ranges, size_t max, size_t *count,
                              uint64_t limit);
