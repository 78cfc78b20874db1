// SPDX-License-Identifier: BSD-2-Clause
// A small program that elf_check() accepts, to be damaged field by field.
#pragma once

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/domain/abi.h"
#include "lib/elf64.h"

#define PROGRAM_TEXT_BYTES 5000
#define PROGRAM_DATA_BYTES 300
#define PROGRAM_BSS_BYTES 9000
#define PROGRAM_LEAD 0x230 // of data, in its first page
#define PROGRAM_NAMES "\0domain_entry"

struct program_image {
    struct elf64_header header;
    struct elf64_segment segments[4];
    struct elf64_section sections[3];
    alignas(8) uint8_t symbols[2 * ELF_SYMBOL_BYTES];
    struct elf_note before; // somebody else's note, with an empty name
    uint32_t before_value;
    struct domain_note note;
    uint8_t text[PROGRAM_TEXT_BYTES];
    uint8_t data[PROGRAM_DATA_BYTES];
    char names[sizeof(PROGRAM_NAMES)];
};

enum { PROGRAM_TEXT, PROGRAM_CONST, PROGRAM_DATA, PROGRAM_NOTE };

static inline void program_fill(uint8_t *to, size_t bytes, uint8_t seed)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(seed + i * 7);
}

// Text in two pages, constants in the third (text again), data and bss from within the fifth to the seventh.
static inline void program_build(struct program_image *e)
{
    *e = (struct program_image){
        .header = { .magic = ELF_MAGIC,
                    .class = ELF_CLASS_64,
                    .data = ELF_DATA_LSB,
                    .ident_version = ELF_VERSION,
                    .type = ELF_TYPE_EXEC,
                    .machine = ELF_MACHINE_X86_64,
                    .version = ELF_VERSION,
                    .entry = DOMAIN_IMAGE + 16,
                    .phoff = offsetof(struct program_image, segments),
                    .shoff = offsetof(struct program_image, sections),
                    .ehsize = sizeof(struct elf64_header),
                    .phentsize = sizeof(struct elf64_segment),
                    .phnum = 4,
                    .shentsize = sizeof(struct elf64_section),
                    .shnum = 3 },
        .segments = { { ELF_PT_LOAD, 4 | ELF_PF_X, offsetof(struct program_image, text),
                        DOMAIN_IMAGE, 0, PROGRAM_TEXT_BYTES, PROGRAM_TEXT_BYTES, 4096 },
                      { ELF_PT_LOAD, 4, offsetof(struct program_image, text), DOMAIN_IMAGE + 0x2000,
                        0, 100, 100, 4096 },
                      { ELF_PT_LOAD, 4 | ELF_PF_W, offsetof(struct program_image, data),
                        DOMAIN_IMAGE + 0x4000 + PROGRAM_LEAD, 0, PROGRAM_DATA_BYTES,
                        PROGRAM_DATA_BYTES + PROGRAM_BSS_BYTES, 4096 },
                      { ELF_PT_NOTE, 4, offsetof(struct program_image, before), 0, 0,
                        sizeof(struct elf_note) + 4 + sizeof(struct domain_note), 0, 4 } },
        .sections = { { 0 },
                      { .type = ELF_SHT_SYMTAB,
                        .offset = offsetof(struct program_image, symbols),
                        .size = 2 * ELF_SYMBOL_BYTES,
                        .link = 2,
                        .entsize = ELF_SYMBOL_BYTES },
                      { .type = ELF_SHT_STRTAB,
                        .offset = offsetof(struct program_image, names),
                        .size = sizeof(PROGRAM_NAMES) } },
        .before = { .name_bytes = 0, .bytes = 3, .type = 1 },
        .note = DOMAIN_NOTE,
        .names = PROGRAM_NAMES,
    };
    program_fill(e->text, sizeof(e->text), 1);
    program_fill(e->data, sizeof(e->data), 100);
}
