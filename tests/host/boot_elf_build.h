// SPDX-License-Identifier: BSD-2-Clause
// A small kernel ELF file that kernel_elf_check() accepts, to be damaged field by field.
#pragma once

#include <stdlib.h>
#include <string.h>

#include "lib/elf64.h"
#include "boot/kernel_elf.h"

#define ELF_TEXT_BYTES 5000
#define ELF_DATA_BYTES 300
#define ELF_BSS_BYTES 9000
#define ELF_NAMES "\0kernel_entry"

struct elf_image {
    struct elf64_header header;
    struct elf64_segment segments[3];
    struct elf64_section sections[3];
    uint8_t text[ELF_TEXT_BYTES];
    uint8_t data[ELF_DATA_BYTES];
    uint8_t symbols[2 * ELF_SYMBOL_BYTES];
    char names[sizeof(ELF_NAMES)];
};

enum { ELF_TEXT, ELF_RODATA, ELF_DATA };

static inline void elf_fill(uint8_t *to, size_t bytes, uint8_t seed)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(seed + i * 7);
}

// Text at page 0, constants at page 2 (text again), data and bss at pages 3 to 5.
static inline void elf_build(struct elf_image *e)
{
    *e = (struct elf_image){
        .header = { .magic = ELF_MAGIC,
                    .class = ELF_CLASS_64,
                    .data = ELF_DATA_LSB,
                    .ident_version = ELF_VERSION,
                    .type = ELF_TYPE_EXEC,
                    .machine = ELF_MACHINE_X86_64,
                    .version = ELF_VERSION,
                    .entry = KERNEL_LINK_BASE + 16,
                    .phoff = offsetof(struct elf_image, segments),
                    .shoff = offsetof(struct elf_image, sections),
                    .ehsize = sizeof(struct elf64_header),
                    .phentsize = sizeof(struct elf64_segment),
                    .phnum = 3,
                    .shentsize = sizeof(struct elf64_section),
                    .shnum = 3 },
        .segments = { { ELF_PT_LOAD, 4 | ELF_PF_X, offsetof(struct elf_image, text),
                        KERNEL_LINK_BASE, 0, ELF_TEXT_BYTES, ELF_TEXT_BYTES, 4096 },
                      { ELF_PT_LOAD, 4, offsetof(struct elf_image, text), KERNEL_LINK_BASE + 0x2000,
                        0, 100, 100, 4096 },
                      { ELF_PT_LOAD, 4 | ELF_PF_W, offsetof(struct elf_image, data),
                        KERNEL_LINK_BASE + 0x3000, 0, ELF_DATA_BYTES,
                        ELF_DATA_BYTES + ELF_BSS_BYTES, 4096 } },
        .sections = { { 0 },
                      { .type = ELF_SHT_SYMTAB,
                        .offset = offsetof(struct elf_image, symbols),
                        .size = 2 * ELF_SYMBOL_BYTES,
                        .link = 2,
                        .entsize = ELF_SYMBOL_BYTES },
                      { .type = ELF_SHT_STRTAB,
                        .offset = offsetof(struct elf_image, names),
                        .size = sizeof(ELF_NAMES) } },
        .names = ELF_NAMES,
    };
    elf_fill(e->text, sizeof(e->text), 1);
    elf_fill(e->data, sizeof(e->data), 100);
}
