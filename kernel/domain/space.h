// SPDX-License-Identifier: BSD-2-Clause
// A domain's page tables: the kernel's half as everywhere, and below it what ring 3 may use.
#pragma once

#include "lib/types.h"

#define SPACE_LARGE 0x200000ull // pages of 2 MiB, where address and memory have that alignment

enum space_kind {
    SPACE_CODE,     // R X
    SPACE_CONST,    // R
    SPACE_DATA,     // R W
    SPACE_REGISTER, // R W, uncached; never the kernel's to look at by space_at()
};

struct space;

// Never given back: it is reused by each life of its domain. Boot CPU.
struct space *space_create(void);

// Whole pages, below DOMAIN_END, where nothing is mapped yet. Boot CPU.
void space_map(struct space *s, uint64_t virt, uint64_t phys, uint64_t bytes, enum space_kind kind);

uint64_t space_root(const struct space *s); // CR3

// Where the kernel has a domain's [virt, virt + bytes): NULL where ring 3 may not read all of it (write, for
// `write`), where it is no memory, where its pages don't lie one behind the other, and for no bytes at all.
// What lies there may be changed by the domain at any moment: copy first, then check. Any CPU.
void *space_at(const struct space *s, uint64_t virt, uint64_t bytes, bool write);
