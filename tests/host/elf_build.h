// SPDX-License-Identifier: BSD-2-Clause
// ELF files that are accepted, to be damaged field by field: what the kernel's and a program's have in common.
#pragma once

#include <stdlib.h>
#include <string.h>

#include "lib/elf64.h"

#define ELF_TEXT_BYTES 5000
#define ELF_DATA_BYTES 300
#define ELF_BSS_BYTES 9000

// The first segments, and the sections.
enum { ELF_TEXT, ELF_CONST, ELF_DATA };
enum { ELF_SYMBOLS = 1, ELF_STRINGS, ELF_SECTIONS };

static inline void elf_fill(uint8_t *to, size_t bytes, uint8_t seed)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(seed + i * 7);
}

static inline struct elf64_header elf_header(uint64_t entry, size_t segments_at, uint16_t segments,
                                             size_t sections_at)
{
    return (struct elf64_header){ .magic = ELF_MAGIC,
                                  .class = ELF_CLASS_64,
                                  .data = ELF_DATA_LSB,
                                  .ident_version = ELF_VERSION,
                                  .type = ELF_TYPE_EXEC,
                                  .machine = ELF_MACHINE_X86_64,
                                  .version = ELF_VERSION,
                                  .entry = entry,
                                  .phoff = segments_at,
                                  .shoff = sections_at,
                                  .ehsize = sizeof(struct elf64_header),
                                  .phentsize = sizeof(struct elf64_segment),
                                  .phnum = segments,
                                  .shentsize = sizeof(struct elf64_section),
                                  .shnum = ELF_SECTIONS };
}

static inline struct elf64_segment elf_load(uint32_t flags, size_t offset, uint64_t vaddr,
                                            uint64_t filesz, uint64_t memsz)
{
    return (struct elf64_segment){ ELF_PT_LOAD, 4 | flags, offset, vaddr, 0, filesz, memsz, 4096 };
}

// Text in two pages, constants in the third (text again), and data and bss.
static inline void elf_load_parts(struct elf64_segment *segments, uint64_t text, size_t text_at,
                                  uint64_t data, size_t data_at)
{
    segments[ELF_TEXT] = elf_load(ELF_PF_X, text_at, text, ELF_TEXT_BYTES, ELF_TEXT_BYTES);
    segments[ELF_CONST] = elf_load(0, text_at, text + 0x2000, 100, 100);
    segments[ELF_DATA] =
        elf_load(ELF_PF_W, data_at, data, ELF_DATA_BYTES, ELF_DATA_BYTES + ELF_BSS_BYTES);
}

// Two symbols, and their names.
static inline void elf_add_symbols(struct elf64_section *sections, size_t symbols_at,
                                   size_t names_at, size_t names_bytes)
{
    sections[ELF_SYMBOLS] = (struct elf64_section){ .type = ELF_SHT_SYMTAB,
                                                    .offset = symbols_at,
                                                    .size = 2 * ELF_SYMBOL_BYTES,
                                                    .link = ELF_STRINGS,
                                                    .entsize = ELF_SYMBOL_BYTES };
    sections[ELF_STRINGS] =
        (struct elf64_section){ .type = ELF_SHT_STRTAB, .offset = names_at, .size = names_bytes };
}
