// SPDX-License-Identifier: BSD-2-Clause
// Checks what each ELF file has in common.

#include "lib/elf64.h"

#include "lib/string.h"

bool elf64_wrong(const struct elf64_file *s, const char *field, uint64_t value)
{
    return problem_set(s->p, s->id, "%s: %s is 0x%llx; %s", s->what, field,
                       (unsigned long long)value, s->remedy);
}

bool elf64_inside(const struct elf64_file *s, uint64_t offset, uint64_t count)
{
    return offset <= s->count && count <= s->count - offset;
}

bool elf64_check_header(const struct elf64_file *s, struct elf64_header *h)
{
    if (!elf64_inside(s, 0, sizeof(*h)))
        return elf64_wrong(s, "its size", s->count);
    memcpy(h, s->bytes, sizeof(*h));
    if (h->magic != ELF_MAGIC)
        return elf64_wrong(s, "its ELF magic", h->magic);
    if (h->class != ELF_CLASS_64 || h->data != ELF_DATA_LSB)
        return elf64_wrong(s, "its ELF class", h->class);
    if (h->ident_version != ELF_VERSION || h->version != ELF_VERSION)
        return elf64_wrong(s, "its ELF version", h->version);
    if (h->type != ELF_TYPE_EXEC)
        return elf64_wrong(s, "its ELF type", h->type);
    if (h->machine != ELF_MACHINE_X86_64)
        return elf64_wrong(s, "its machine", h->machine);
    if (h->phentsize != sizeof(struct elf64_segment))
        return elf64_wrong(s, "the size of a program header", h->phentsize);
    if (!elf64_inside(s, h->phoff, (uint64_t)h->phnum * sizeof(struct elf64_segment)))
        return elf64_wrong(s, "the place of its program headers", h->phoff);
    return true;
}

void elf64_segment_at(const struct elf64_file *s, const struct elf64_header *h, size_t i,
                      struct elf64_segment *out)
{
    memcpy(out, s->bytes + h->phoff + i * sizeof(*out), sizeof(*out));
}

bool elf64_check_segment(const struct elf64_file *s, const struct elf64_segment *g)
{
    if (g->filesz > g->memsz)
        return elf64_wrong(s, "a segment's file size", g->filesz);
    if (!elf64_inside(s, g->offset, g->filesz))
        return elf64_wrong(s, "a segment's file offset", g->offset);
    if (g->flags & ELF_PF_W && g->flags & ELF_PF_X)
        return elf64_wrong(s, "a segment that is both writable and executable", g->vaddr);
    return true;
}

static void section_at(const struct elf64_file *s, const struct elf64_header *h, size_t i,
                       struct elf64_section *out)
{
    memcpy(out, s->bytes + h->shoff + i * sizeof(*out), sizeof(*out));
}

static bool check_symbols(const struct elf64_file *s, const struct elf64_header *h,
                          const struct elf64_section *symbols, struct elf64_symbols *out)
{
    struct elf64_section names;
    if (symbols->entsize != ELF_SYMBOL_BYTES || symbols->size % ELF_SYMBOL_BYTES)
        return elf64_wrong(s, "the size of its symbol table", symbols->size);
    if (!elf64_inside(s, symbols->offset, symbols->size))
        return elf64_wrong(s, "the place of its symbol table", symbols->offset);
    if (symbols->link >= h->shnum)
        return elf64_wrong(s, "the link to its symbols' names", symbols->link);
    section_at(s, h, symbols->link, &names);
    if (names.type != ELF_SHT_STRTAB || !names.size || !elf64_inside(s, names.offset, names.size) ||
        s->bytes[names.offset + names.size - 1])
        return elf64_wrong(s, "the table of its symbols' names", names.offset);
    out->symtab = symbols->offset;
    out->symtab_bytes = symbols->size;
    out->strtab = names.offset;
    out->strtab_bytes = names.size;
    return true;
}

bool elf64_find_symbols(const struct elf64_file *s, const struct elf64_header *h,
                        struct elf64_symbols *out)
{
    if (!h->shnum)
        return true;
    if (h->shentsize != sizeof(struct elf64_section))
        return elf64_wrong(s, "the size of a section header", h->shentsize);
    if (!elf64_inside(s, h->shoff, (uint64_t)h->shnum * sizeof(struct elf64_section)))
        return elf64_wrong(s, "the place of its section headers", h->shoff);
    for (size_t i = 0; i < h->shnum; i++) {
        struct elf64_section section;
        section_at(s, h, i, &section);
        if (section.type == ELF_SHT_SYMTAB)
            return check_symbols(s, h, &section, out);
    }
    return true;
}
