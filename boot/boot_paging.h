// SPDX-License-Identifier: BSD-2-Clause
// The short-lived page tables that the kernel is entered on (kernel/handoff.h). Pure: tables are
// memory, and physical addresses are taken for pointers, as they are under firmware's identity map.
#pragma once

#include "boot/kernel_elf.h"
#include "lib/types.h"

struct boot_paging {
    uint64_t firmware_root; // CR3; its low and high bits that are no address are passed over
    bool five_levels;       // CR4.LA57
    uint64_t image;         // physical address of the kernel's image
};

// 4 KiB tables that boot_paging_build() needs for an image of so many bytes.
size_t boot_paging_tables(uint64_t image_bytes, bool five_levels);

// Fills in the zeroed, 4 KiB-aligned tables; returns the root for CR3. False: 5-level paging is on,
// and firmware's first PML5 entry is empty.
bool boot_paging_build(const struct boot_paging *b, const struct kernel_elf *k, void *tables,
                       uint64_t *root, struct problem *p);

// Where the virtual address leads, by walking tables from a root: the physical address, and the
// conjunction of the entries' permissions. False: it is not mapped.
struct boot_paging_page {
    uint64_t phys;
    bool write, execute, user;
};
bool boot_paging_find(uint64_t root, bool five_levels, uint64_t virt,
                      struct boot_paging_page *page);
