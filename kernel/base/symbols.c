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

static struct symbols image;

void symbols_init(const void *symtab, size_t symtab_bytes, const char *strtab, size_t strtab_bytes)
{
    image = (struct symbols){ symtab, symtab_bytes, strtab, strtab_bytes };
}

static bool holds(const struct symbols *all, const struct elf_symbol *s, uint64_t address)
{
    return (s->info & SYMBOL_TYPE) == SYMBOL_FUNCTION && s->section &&
           s->name < all->strtab_bytes && address - s->value < s->size;
}

const char *symbols_find_in(const struct symbols *all, uint64_t address, uint64_t *offset)
{
    const struct elf_symbol *s = all->symtab;
    bool ended = all->strtab_bytes && all->strtab[all->strtab_bytes - 1] == 0;
    for (size_t i = ended ? all->symtab_bytes / sizeof(*s) : 0; i; i--, s++) {
        if (holds(all, s, address)) {
            *offset = address - s->value;
            return all->strtab + s->name;
        }
    }
    return NULL;
}

const char *symbols_find(uint64_t address, uint64_t *offset)
{
    return symbols_find_in(&image, address, offset);
}
