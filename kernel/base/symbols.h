// SPDX-License-Identifier: BSD-2-Clause
// Names for addresses, from the ELF symbol table that came with the image, or with another program.
#pragma once

#include "lib/types.h"

// Both tables must stay where they are; anything odd in them is passed over.
void symbols_init(const void *symtab, size_t symtab_bytes, const char *strtab, size_t strtab_bytes);

// The function that holds the address, and how far in; NULL: none does.
const char *symbols_find(uint64_t address, uint64_t *offset);

// A table of another program's: by itself, and aligned to 8 bytes.
struct symbols {
    const void *symtab;
    size_t symtab_bytes;
    const char *strtab;
    size_t strtab_bytes;
};
const char *symbols_find_in(const struct symbols *s, uint64_t address, uint64_t *offset);
