// SPDX-License-Identifier: BSD-2-Clause
// A domain's program: an ELF file, checked in full before any of it is used. Pure.
#pragma once

#include "kernel/domain/space.h"
#include "lib/elf64.h"
#include "lib/problem.h"
#include "lib/types.h"

#define ELF_PARTS_MAX 16

// Whole pages of the program, which no other part has a byte in.
struct elf_part {
    uint64_t virt, bytes;
    uint64_t at;   // in the memory that the image is placed in
    uint64_t lead; // bytes of zeros before what comes from the file
    uint64_t offset, file_bytes;
    enum space_kind kind; // never SPACE_REGISTER
};

struct elf_plan {
    uint64_t entry; // in an executable part, among what comes from the file
    uint64_t bytes; // of memory for all parts
    unsigned count;
    struct elf_part parts[ELF_PARTS_MAX];
    struct elf64_symbols symbols; // aligned, if the file is
};

// False ("domain-elf"): the file is no program that may run; says why. `name` is what people call it.
bool elf_check(const char *name, const void *file, size_t bytes, struct elf_plan *plan,
               struct problem *p);

// Writes all of plan->bytes: what the file has, and zeros.
void elf_place(const struct elf_plan *plan, const void *file, void *to);

// The same of the parts that the program may have written to.
void elf_place_data(const struct elf_plan *plan, const void *file, void *to);
