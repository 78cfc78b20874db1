// SPDX-License-Identifier: BSD-2-Clause
// The kernel's ELF image: checked in full before any of it is used, then placed in memory. Pure.
#pragma once

#include "lib/elf64.h"
#include "lib/problem.h"
#include "lib/types.h"

#define KERNEL_LINK_BASE 0xffffffff80000000ull // linker.ld; the top 2 GiB are code model "kernel"'s
#define KERNEL_BYTES_MAX (64 * MIB)
#define KERNEL_SEGMENTS_MAX 8

struct kernel_segment {
    uint64_t base;   // from KERNEL_LINK_BASE on, bytes, a multiple of 4 KiB
    uint64_t bytes;  // in memory
    uint64_t offset; // in the file
    uint64_t file_bytes;
    bool write, execute; // never both
};

struct kernel_elf {
    const uint8_t *file;
    uint64_t entry; // virtual; in an executable segment
    uint64_t bytes; // in memory, from KERNEL_LINK_BASE to the end of the last segment's last page
    struct kernel_segment segments[KERNEL_SEGMENTS_MAX]; // no two share a page
    size_t count;
    struct elf64_symbols symbols;
};

// False ("kernel-elf"): the file is not an image that this loader can start; says why.
bool kernel_elf_check(const void *file, size_t bytes, struct kernel_elf *out, struct problem *p);

// Copies the segments to `to`, which has out->bytes zeroed bytes.
void kernel_elf_place(const struct kernel_elf *k, void *to);
