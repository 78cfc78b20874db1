// SPDX-License-Identifier: BSD-2-Clause
// ELF-64 as far as a static x86-64 executable needs it (System V gABI 4.1, chapters 4 and 5).
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

#define ELF_MAGIC 0x464c457fu
#define ELF_CLASS_64 2
#define ELF_DATA_LSB 1
#define ELF_VERSION 1
#define ELF_TYPE_EXEC 2
#define ELF_MACHINE_X86_64 62

struct elf64_header {
    uint32_t magic;
    uint8_t class, data, ident_version, os_abi;
    uint8_t padding[8];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
static_assert(sizeof(struct elf64_header) == 64, "gABI: Elf64_Ehdr");
static_assert(offsetof(struct elf64_header, entry) == 24, "gABI: e_entry");
static_assert(offsetof(struct elf64_header, phnum) == 56, "gABI: e_phnum");

#define ELF_PT_LOAD 1
#define ELF_PT_DYNAMIC 2
#define ELF_PT_INTERP 3
#define ELF_PT_NOTE 4
#define ELF_PT_TLS 7
#define ELF_PF_X 1
#define ELF_PF_W 2

struct elf64_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
static_assert(sizeof(struct elf64_segment) == 56, "gABI: Elf64_Phdr");

#define ELF_SHT_SYMTAB 2
#define ELF_SHT_STRTAB 3

struct elf64_section {
    uint32_t name, type;
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t addralign, entsize;
};
static_assert(sizeof(struct elf64_section) == 64, "gABI: Elf64_Shdr");

#define ELF_SYMBOL_BYTES 24 // Elf64_Sym

// Of a PT_NOTE: name and descriptor follow, each filled up to 4 bytes.
struct elf_note {
    uint32_t name_bytes, bytes, type;
};

// ---- checking one ----

// A file that anybody may have made or damaged, and what people are told of it: "`what`: a field is its value;
// `remedy`", as problem `id`.
struct elf64_file {
    const uint8_t *bytes;
    size_t count;
    const char *id, *what, *remedy;
    struct problem *p;
};

struct elf64_symbols {
    uint64_t symtab, symtab_bytes; // in the file; no bytes: it was stripped of symbols
    uint64_t strtab, strtab_bytes; // ends with a zero byte
};

bool elf64_wrong(const struct elf64_file *s, const char *field, uint64_t value); // returns false
bool elf64_inside(const struct elf64_file *s, uint64_t offset, uint64_t count);

// The header of a static x86-64 executable, and all of its program headers in the file.
bool elf64_check_header(const struct elf64_file *s, struct elf64_header *h);
void elf64_segment_at(const struct elf64_file *s, const struct elf64_header *h, size_t i,
                      struct elf64_segment *out);

// What it takes from the file is there, and W^X; its addresses are the caller's to look at.
bool elf64_check_segment(const struct elf64_file *s, const struct elf64_segment *g);
bool elf64_find_symbols(const struct elf64_file *s, const struct elf64_header *h,
                        struct elf64_symbols *out);
