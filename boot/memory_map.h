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

// Room in `out` that is enough for a map of so many descriptors.
#define MEMORY_MAP_RANGES(descriptors) (2 * (descriptors) + 2)

// The rule, by EFI type: conventional memory is FREE; boot services' memory and EfiLoaderCode are
// BOOT; EfiLoaderData is KEPT (the loader allocates with it what the kernel keeps, and nothing
// else; what an earlier boot program left with this type is lost to us, and small); ACPI's and
// runtime services' are FIRMWARE; the rest is OTHER. RAM that can't be used write-back, is set
// aside for a special purpose (EFI_MEMORY_SP) or is non-volatile is OTHER, too, and so is page 0.
//
// Where descriptors overlap, the larger kind wins. Ranges come out sorted; neighbours of one kind
// and type are merged, within BOOT whatever their types.
//
// `step` is the size of a descriptor as firmware reports it. False ("memory-map"): it is malformed,
// has no free memory, or `max` ranges were not enough.
bool memory_map_convert(const void *map, size_t bytes, size_t step, struct handoff_range *out,
                        size_t max, size_t *count, struct problem *p);
