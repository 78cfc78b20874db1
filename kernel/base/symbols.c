// SPDX-License-Identifier: BSD-2-Clause
// ELF64 symbol look-up (System V ABI, "Symbol Table"). Pure: runs on the host too.

#include "kernel/base/symbols.h"

#include "lib/string.h"

#define SYMBOL_TYPE 0xf
#define SYMBOL_FUNCTION 2

struct elf_symbol {
    uint32_t name;
    uint8_t info, other;
    uint16_t section;
    uint64_t value, size;
};
static_assert(sizeof(struct elf_symbol) == 24, "ELF64");

static struct symbols kernels;

struct symbols symbols_of(const void *symtab, size_t symtab_bytes, const char *strtab,
                          size_t strtab_bytes)
{
    bool ended = strtab_bytes && strtab[strtab_bytes - 1] == 0;
    return (struct symbols){
        .entries = symtab,
        .count = ended ? symtab_bytes / sizeof(struct elf_symbol) : 0,
        .names = strtab,
        .names_bytes = strtab_bytes,
    };
}

void symbols_init(const void *symtab, size_t symtab_bytes, const char *strtab, size_t strtab_bytes)
{
    kernels = symbols_of(symtab, symtab_bytes, strtab, strtab_bytes);
}

static bool holds(const struct symbols *symbols, const struct elf_symbol *s, uint64_t address)
{
    return (s->info & SYMBOL_TYPE) == SYMBOL_FUNCTION && s->section &&
           s->name < symbols->names_bytes && address - s->value < s->size;
}

const char *symbols_find_in(const struct symbols *symbols, uint64_t address, uint64_t *offset)
{
    const struct elf_symbol *entries = symbols->entries;
    for (size_t i = 0; i < symbols->count; i++) {
        const struct elf_symbol *s = &entries[i];
        if (holds(symbols, s, address)) {
            *offset = address - s->value;
            return symbols->names + s->name;
        }
    }
    return NULL;
}

const char *symbols_find(uint64_t address, uint64_t *offset)
{
    return symbols_find_in(&kernels, address, offset);
}
