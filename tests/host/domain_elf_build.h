// SPDX-License-Identifier: BSD-2-Clause
// A small program that elf_check() accepts, to be damaged field by field.
#pragma once

#include <stdalign.h>

#include "kernel/domain/abi.h"
#include "tests/host/elf_build.h"

#define PROGRAM_LEAD 0x230 // of data, in its first page
#define PROGRAM_NAMES "\0domain_entry"

enum { PROGRAM_NOTE = ELF_DATA + 1, PROGRAM_SEGMENTS };

struct program_image {
    struct elf64_header header;
    struct elf64_segment segments[PROGRAM_SEGMENTS];
    struct elf64_section sections[ELF_SECTIONS];
    alignas(8) uint8_t symbols[2 * ELF_SYMBOL_BYTES];
    struct elf_note before; // somebody else's note, with an empty name
    uint32_t before_value;
    struct domain_note note;
    uint8_t text[ELF_TEXT_BYTES];
    uint8_t data[ELF_DATA_BYTES];
    char names[sizeof(PROGRAM_NAMES)];
};

// Data and bss are from within the fifth page to the seventh.
static inline void program_build(struct program_image *e)
{
    *e = (struct program_image){
        .header = elf_header(DOMAIN_IMAGE + 16, offsetof(struct program_image, segments),
                             PROGRAM_SEGMENTS, offsetof(struct program_image, sections)),
        .before = { .name_bytes = 0, .bytes = 3, .type = 1 },
        .note = DOMAIN_NOTE,
        .names = PROGRAM_NAMES,
    };
    elf_load_parts(e->segments, DOMAIN_IMAGE, offsetof(struct program_image, text),
                   DOMAIN_IMAGE + 0x4000 + PROGRAM_LEAD, offsetof(struct program_image, data));
    e->segments[PROGRAM_NOTE] = (struct elf64_segment){
        ELF_PT_NOTE, 4, offsetof(struct program_image, before),
        0,           0, sizeof(struct elf_note) + 4 + sizeof(struct domain_note),
        0,           4
    };
    elf_add_symbols(e->sections, offsetof(struct program_image, symbols),
                    offsetof(struct program_image, names), sizeof(PROGRAM_NAMES));
    elf_fill(e->text, sizeof(e->text), 1);
    elf_fill(e->data, sizeof(e->data), 100);
}
