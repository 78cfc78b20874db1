// SPDX-License-Identifier: BSD-2-Clause
// A small kernel ELF file that kernel_elf_check() accepts, to be damaged field by field.
#pragma once

#include "boot/kernel_elf.h"
#include "tests/host/elf_build.h"

#define ELF_NAMES "\0kernel_entry"

struct elf_image {
    struct elf64_header header;
    struct elf64_segment segments[3];
    struct elf64_section sections[ELF_SECTIONS];
    uint8_t text[ELF_TEXT_BYTES];
    uint8_t data[ELF_DATA_BYTES];
    uint8_t symbols[2 * ELF_SYMBOL_BYTES];
    char names[sizeof(ELF_NAMES)];
};

// Data and bss are at pages 3 to 5.
static inline void elf_build(struct elf_image *e)
{
    *e = (struct elf_image){
        .header = elf_header(KERNEL_LINK_BASE + 16, offsetof(struct elf_image, segments), 3,
                             offsetof(struct elf_image, sections)),
        .names = ELF_NAMES,
    };
    elf_load_parts(e->segments, KERNEL_LINK_BASE, offsetof(struct elf_image, text),
                   KERNEL_LINK_BASE + 0x3000, offsetof(struct elf_image, data));
    elf_add_symbols(e->sections, offsetof(struct elf_image, symbols),
                    offsetof(struct elf_image, names), sizeof(ELF_NAMES));
    elf_fill(e->text, sizeof(e->text), 1);
    elf_fill(e->data, sizeof(e->data), 100);
}
