// SPDX-License-Identifier: BSD-2-Clause
// Checking the kernel's ELF file. It comes with the loader, but from a disk or a network that may
// have damaged it, and a wrong address here would be a write to anywhere.

#include "boot/kernel_elf.h"

#include "boot/elf64.h"
#include "lib/string.h"

#define PAGE 4096ull
#define REMEDY "copy onebell.efi again, or build it again"

struct source {
    const uint8_t *bytes;
    size_t count;
    struct problem *p;
};

static bool inside(const struct source *s, uint64_t offset, uint64_t count)
{
    return offset <= s->count && count <= s->count - offset;
}

static bool wrong(const struct source *s, const char *field, uint64_t value)
{
    return problem_set(s->p, "kernel-elf",
                       "the kernel in this image is damaged: %s is 0x%llx; " REMEDY, field,
                       (unsigned long long)value);
}

static bool check_header(const struct source *s, struct elf64_header *h)
{
    if (!inside(s, 0, sizeof(*h)))
        return wrong(s, "its size", s->count);
    memcpy(h, s->bytes, sizeof(*h));
    if (h->magic != ELF_MAGIC)
        return wrong(s, "its ELF magic", h->magic);
    if (h->class != ELF_CLASS_64 || h->data != ELF_DATA_LSB)
        return wrong(s, "its ELF class", h->class);
    if (h->ident_version != ELF_VERSION || h->version != ELF_VERSION)
        return wrong(s, "its ELF version", h->version);
    if (h->type != ELF_TYPE_EXEC)
        return wrong(s, "its ELF type", h->type);
    if (h->machine != ELF_MACHINE_X86_64)
        return wrong(s, "its machine", h->machine);
    if (h->phentsize != sizeof(struct elf64_segment))
        return wrong(s, "the size of a program header", h->phentsize);
    if (!inside(s, h->phoff, (uint64_t)h->phnum * sizeof(struct elf64_segment)))
        return wrong(s, "the place of its program headers", h->phoff);
    return true;
}

static bool check_segment(const struct source *s, const struct elf64_segment *g)
{
    if (g->filesz > g->memsz)
        return wrong(s, "a segment's file size", g->filesz);
    if (!inside(s, g->offset, g->filesz))
        return wrong(s, "a segment's file offset", g->offset);
    if (g->vaddr < KERNEL_LINK_BASE || g->vaddr - KERNEL_LINK_BASE >= KERNEL_BYTES_MAX)
        return wrong(s, "a segment's address", g->vaddr);
    if (g->vaddr % PAGE)
        return wrong(s, "a segment's alignment", g->vaddr);
    if (g->memsz > KERNEL_BYTES_MAX - (g->vaddr - KERNEL_LINK_BASE))
        return wrong(s, "a segment's size", g->memsz);
    if (g->flags & ELF_PF_W && g->flags & ELF_PF_X)
        return wrong(s, "a segment that is both writable and executable", g->vaddr);
    return true;
}

// Segments start at a page and are not empty, so two that share a page also share bytes.
static bool check_overlap(const struct source *s, const struct kernel_elf *k,
                          const struct kernel_segment *n)
{
    for (size_t i = 0; i < k->count; i++) {
        const struct kernel_segment *o = &k->segments[i];
        if (n->base < o->base + o->bytes && o->base < n->base + n->bytes)
            return wrong(s, "a segment that overlaps another", KERNEL_LINK_BASE + n->base);
    }
    return true;
}

static bool add_segment(const struct source *s, struct kernel_elf *k, const struct elf64_segment *g)
{
    if (k->count == KERNEL_SEGMENTS_MAX)
        return wrong(s, "the number of its segments", k->count + 1);
    if (!check_segment(s, g))
        return false;
    struct kernel_segment n = {
        .base = g->vaddr - KERNEL_LINK_BASE,
        .bytes = g->memsz,
        .offset = g->offset,
        .file_bytes = g->filesz,
        .write = g->flags & ELF_PF_W,
        .execute = g->flags & ELF_PF_X,
    };
    if (!check_overlap(s, k, &n))
        return false;
    k->segments[k->count++] = n;
    k->bytes = MAX(k->bytes, n.base + ALIGN_UP(n.bytes, PAGE));
    return true;
}

static bool read_segments(const struct source *s, const struct elf64_header *h,
                          struct kernel_elf *k)
{
    for (size_t i = 0; i < h->phnum; i++) {
        struct elf64_segment g;
        memcpy(&g, s->bytes + h->phoff + i * sizeof(g), sizeof(g));
        if (g.type == ELF_PT_DYNAMIC || g.type == ELF_PT_INTERP || g.type == ELF_PT_TLS)
            return wrong(s, "a program header of a kind for linked programs", g.type);
        if (g.type == ELF_PT_LOAD && g.memsz && !add_segment(s, k, &g))
            return false;
    }
    return true;
}

static bool check_entry(const struct source *s, const struct kernel_elf *k)
{
    for (size_t i = 0; i < k->count; i++) {
        const struct kernel_segment *g = &k->segments[i];
        uint64_t start = KERNEL_LINK_BASE + g->base;
        if (g->execute && k->entry >= start && k->entry - start < g->file_bytes)
            return true;
    }
    return wrong(s, "its entry point, outside executable segments,", k->entry);
}

static void section_at(const struct source *s, const struct elf64_header *h, size_t i,
                       struct elf64_section *out)
{
    memcpy(out, s->bytes + h->shoff + i * sizeof(*out), sizeof(*out));
}

static bool check_symbols(const struct source *s, const struct elf64_header *h,
                          const struct elf64_section *symbols, struct kernel_elf *k)
{
    struct elf64_section names;
    if (symbols->entsize != ELF_SYMBOL_BYTES || symbols->size % ELF_SYMBOL_BYTES)
        return wrong(s, "the size of its symbol table", symbols->size);
    if (!inside(s, symbols->offset, symbols->size))
        return wrong(s, "the place of its symbol table", symbols->offset);
    if (symbols->link >= h->shnum)
        return wrong(s, "the link to its symbols' names", symbols->link);
    section_at(s, h, symbols->link, &names);
    if (names.type != ELF_SHT_STRTAB || !names.size || !inside(s, names.offset, names.size) ||
        s->bytes[names.offset + names.size - 1])
        return wrong(s, "the table of its symbols' names", names.offset);
    k->symtab = symbols->offset;
    k->symtab_bytes = symbols->size;
    k->strtab = names.offset;
    k->strtab_bytes = names.size;
    return true;
}

static bool read_symbols(const struct source *s, const struct elf64_header *h, struct kernel_elf *k)
{
    if (!h->shnum)
        return true;
    if (h->shentsize != sizeof(struct elf64_section))
        return wrong(s, "the size of a section header", h->shentsize);
    if (!inside(s, h->shoff, (uint64_t)h->shnum * sizeof(struct elf64_section)))
        return wrong(s, "the place of its section headers", h->shoff);
    for (size_t i = 0; i < h->shnum; i++) {
        struct elf64_section section;
        section_at(s, h, i, &section);
        if (section.type == ELF_SHT_SYMTAB)
            return check_symbols(s, h, &section, k);
    }
    return true;
}

bool kernel_elf_check(const void *file, size_t bytes, struct kernel_elf *out, struct problem *p)
{
    struct source s = { file, bytes, p };
    struct elf64_header h;
    *out = (struct kernel_elf){ .file = file };
    if (!check_header(&s, &h))
        return false;
    out->entry = h.entry;
    return read_segments(&s, &h, out) && check_entry(&s, out) && read_symbols(&s, &h, out);
}

void kernel_elf_place(const struct kernel_elf *k, void *to)
{
    for (size_t i = 0; i < k->count; i++) {
        const struct kernel_segment *g = &k->segments[i];
        memcpy((uint8_t *)to + g->base, k->file + g->offset, g->file_bytes);
    }
}
