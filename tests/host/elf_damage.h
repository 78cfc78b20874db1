// SPDX-License-Identifier: BSD-2-Clause
// Damage to an ELF file that is refused whatever the file is for.
#pragma once

#include "tests/host/elf_build.h"

// Expects that the file is refused for this field, and builds it anew.
typedef void elf_refuses(const char *field, uint64_t value);

// In memory of exactly the file's size, so that the sanitizer sees a read past its end.
static inline void *elf_copy(const void *image, size_t bytes)
{
    void *file = malloc(bytes ? bytes : 1);
    return memcpy(file, image, bytes);
}

static inline void elf_damage_header(struct elf64_header *h, elf_refuses *refuses)
{
    h->magic ^= 0x100;
    refuses("its ELF magic", ELF_MAGIC ^ 0x100);
    h->class = 1;
    refuses("its ELF class", 1);
    h->type = 3;
    refuses("its ELF type", 3);
    h->machine = 183;
    refuses("its machine", 183);
    h->phentsize = 32;
    refuses("the size of a program header", 32);
    h->phoff = UINT64_MAX - 7;
    refuses("the place of its program headers", UINT64_MAX - 7);
    h->phnum = 0xffff;
    refuses("the place of its program headers", h->phoff);
}

static inline void elf_damage_text(struct elf64_segment *text, size_t file_bytes,
                                   elf_refuses *refuses)
{
    text->filesz = ELF_TEXT_BYTES + 1;
    refuses("a segment's file size", ELF_TEXT_BYTES + 1);
    text->offset = file_bytes - ELF_TEXT_BYTES + 1;
    refuses("a segment's file offset", file_bytes - ELF_TEXT_BYTES + 1);
}

static inline void elf_damage_kind(struct elf64_segment *g, elf_refuses *refuses)
{
    static const uint32_t linked[] = { ELF_PT_INTERP, ELF_PT_DYNAMIC, ELF_PT_TLS };
    for (unsigned i = 0; i < ARRAY_SIZE(linked); i++) {
        g->type = linked[i];
        refuses("a program header of a kind for linked programs", linked[i]);
    }
}
