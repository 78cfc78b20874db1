// SPDX-License-Identifier: BSD-2-Clause
// Checking the kernel's ELF file. It comes with the loader, but from a disk or a network that may
// have damaged it, and a wrong address here would be a write to anywhere.

#include "boot/kernel_elf.h"

#include "lib/string.h"

#define PAGE 4096ull

static bool check_segment(const struct elf64_file *s, const struct elf64_segment *g)
{
    if (!elf64_check_segment(s, g))
        return false;
    if (g->vaddr < KERNEL_LINK_BASE || g->vaddr - KERNEL_LINK_BASE >= KERNEL_BYTES_MAX)
        return elf64_wrong(s, "a segment's address", g->vaddr);
    if (g->vaddr % PAGE)
        return elf64_wrong(s, "a segment's alignment", g->vaddr);
    if (g->memsz > KERNEL_BYTES_MAX - (g->vaddr - KERNEL_LINK_BASE))
        return elf64_wrong(s, "a segment's size", g->memsz);
    return true;
}

// Segments start at a page and are not empty, so two that share a page also share bytes.
static bool check_overlap(const struct elf64_file *s, const struct kernel_elf *k,
                          const struct kernel_segment *n)
{
    for (size_t i = 0; i < k->count; i++) {
        const struct kernel_segment *o = &k->segments[i];
        if (n->base < o->base + o->bytes && o->base < n->base + n->bytes)
            return elf64_wrong(s, "a segment that overlaps another", KERNEL_LINK_BASE + n->base);
    }
    return true;
}

static bool add_segment(const struct elf64_file *s, struct kernel_elf *k,
                        const struct elf64_segment *g)
{
    if (k->count == KERNEL_SEGMENTS_MAX)
        return elf64_wrong(s, "the number of its segments", k->count + 1);
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

static bool read_segments(const struct elf64_file *s, const struct elf64_header *h,
                          struct kernel_elf *k)
{
    for (size_t i = 0; i < h->phnum; i++) {
        struct elf64_segment g;
        elf64_segment_at(s, h, i, &g);
        if (g.type == ELF_PT_DYNAMIC || g.type == ELF_PT_INTERP || g.type == ELF_PT_TLS)
            return elf64_wrong(s, "a program header of a kind for linked programs", g.type);
        if (g.type == ELF_PT_LOAD && g.memsz && !add_segment(s, k, &g))
            return false;
    }
    return true;
}

static bool check_entry(const struct elf64_file *s, const struct kernel_elf *k)
{
    for (size_t i = 0; i < k->count; i++) {
        const struct kernel_segment *g = &k->segments[i];
        uint64_t start = KERNEL_LINK_BASE + g->base;
        if (g->execute && k->entry >= start && k->entry - start < g->file_bytes)
            return true;
    }
    return elf64_wrong(s, "its entry point, outside executable segments,", k->entry);
}

bool kernel_elf_check(const void *file, size_t bytes, struct kernel_elf *out, struct problem *p)
{
    struct elf64_file s = { file,
                            bytes,
                            "kernel-elf",
                            "the kernel in this image is damaged",
                            "copy onebell.efi again, or build it again",
                            p };
    struct elf64_header h;
    *out = (struct kernel_elf){ .file = file };
    if (!elf64_check_header(&s, &h))
        return false;
    out->entry = h.entry;
    return read_segments(&s, &h, out) && check_entry(&s, out) &&
           elf64_find_symbols(&s, &h, &out->symbols);
}

void kernel_elf_place(const struct kernel_elf *k, void *to)
{
    for (size_t i = 0; i < k->count; i++) {
        const struct kernel_segment *g = &k->segments[i];
        memcpy((uint8_t *)to + g->base, k->file + g->offset, g->file_bytes);
    }
}
