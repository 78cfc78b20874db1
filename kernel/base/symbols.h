// SPDX-License-Identifier: BSD-2-Clause
// Names for addresses, from the ELF symbol table that came with the image.
#pragma once

#include "lib/types.h"

// A symbol table: the kernel's, or a domain's program's. Whatever it names is checked when it is read.
struct symbols {
    const void *entries; // NULL: none
    size_t count;
    const char *names;
    size_t names_bytes;
};

// Both tables must stay where they are; anything odd in them is passed over.
void symbols_init(const void *symtab, size_t symtab_bytes, const char *strtab, size_t strtab_bytes);

// The function that holds the address, and how far in; NULL: none does.
const char *symbols_find(uint64_t address, uint64_t *offset);

// The same for another table.
struct symbols symbols_of(const void *symtab, size_t symtab_bytes, const char *strtab,
                          size_t strtab_bytes);
const char *symbols_find_in(const struct symbols *symbols, uint64_t address, uint64_t *offset);
