// SPDX-License-Identifier: BSD-2-Clause
// Checks a program (System V gABI 4.1, chapter 5) and places it.

#include "kernel/domain/elf.h"

#include "kernel/domain/abi.h"
#include "lib/format.h"
#include "lib/string.h"

#define PAGE 4096ull
#define SYMBOLS_ALIGN 8 // they are read where they are
#define WHAT_BYTES 80

static bool check_segment(const struct elf64_file *s, const struct elf64_segment *g)
{
    if (!elf64_check_segment(s, g))
        return false;
    if (g->vaddr < DOMAIN_IMAGE || g->vaddr >= DOMAIN_IMAGE_END)
        return elf64_wrong(s, "a segment's address", g->vaddr);
    if (g->memsz > DOMAIN_IMAGE_END - g->vaddr)
        return elf64_wrong(s, "a segment's size", g->memsz);
    return true;
}

static enum space_kind kind_of(uint32_t flags)
{
    return flags & ELF_PF_X ? SPACE_CODE : flags & ELF_PF_W ? SPACE_DATA : SPACE_CONST;
}

// Rights are those of pages: segments that share one would share them, too.
static bool check_apart(const struct elf64_file *s, const struct elf_plan *plan,
                        const struct elf_part *n)
{
    for (unsigned i = 0; i < plan->count; i++) {
        const struct elf_part *o = &plan->parts[i];
        if (n->virt < o->virt + o->bytes && o->virt < n->virt + n->bytes)
            return elf64_wrong(s, "a segment that has a page in common with another", n->virt);
    }
    return true;
}

static bool add_segment(const struct elf64_file *s, struct elf_plan *plan,
                        const struct elf64_segment *g)
{
    if (plan->count == ELF_PARTS_MAX)
        return elf64_wrong(s, "the number of its segments", plan->count + 1);
    if (!check_segment(s, g))
        return false;
    const uint64_t lead = g->vaddr % PAGE;
    struct elf_part n = {
        .virt = g->vaddr - lead,
        .bytes = ALIGN_UP(lead + g->memsz, PAGE),
        .at = plan->bytes,
        .lead = lead,
        .offset = g->offset,
        .file_bytes = g->filesz,
        .kind = kind_of(g->flags),
    };
    if (!check_apart(s, plan, &n))
        return false;
    plan->parts[plan->count++] = n;
    plan->bytes += n.bytes;
    return true;
}

static bool read_note(const struct elf64_file *s, struct elf_note *n, uint64_t at, uint64_t end,
                      uint64_t *next)
{
    if (end - at < sizeof(*n))
        return false;
    memcpy(n, s->bytes + at, sizeof(*n));
    *next =
        at + sizeof(*n) + ALIGN_UP((uint64_t)n->name_bytes, 4) + ALIGN_UP((uint64_t)n->bytes, 4);
    return *next <= end;
}

// Whether the segment of notes has ours; *abi is what it says.
static bool find_abi(const struct elf64_file *s, const struct elf64_segment *g, uint32_t *abi)
{
    const struct domain_note ours = DOMAIN_NOTE;
    struct domain_note found;
    struct elf_note n;
    uint64_t end = g->offset + g->filesz;
    if (!elf64_inside(s, g->offset, g->filesz))
        return false;
    for (uint64_t at = g->offset, next; read_note(s, &n, at, end, &next); at = next) {
        if (next - at != sizeof(found))
            continue;
        memcpy(&found, s->bytes + at, sizeof(found));
        *abi = found.abi;
        if (memcmp(&found, &ours, offsetof(struct domain_note, abi)) == 0)
            return true;
    }
    return false;
}

static bool check_abi(const struct elf64_file *s, bool has_abi, uint32_t abi)
{
    if (!has_abi)
        return problem_set(s->p, s->id, "%s: it doesn't say what it was built for; %s", s->what,
                           s->remedy);
    if (abi == DOMAIN_ABI)
        return true;
    return problem_set(s->p, s->id, "%s: it was built for version %u of domains, which are %u; %s",
                       s->what, abi, DOMAIN_ABI, s->remedy);
}

static bool read_segments(const struct elf64_file *s, const struct elf64_header *h,
                          struct elf_plan *plan)
{
    bool has_abi = false;
    uint32_t abi = 0;
    for (size_t i = 0; i < h->phnum; i++) {
        struct elf64_segment g;
        elf64_segment_at(s, h, i, &g);
        if (g.type == ELF_PT_DYNAMIC || g.type == ELF_PT_INTERP || g.type == ELF_PT_TLS)
            return elf64_wrong(s, "a program header of a kind for linked programs", g.type);
        if (g.type == ELF_PT_NOTE && !has_abi)
            has_abi = find_abi(s, &g, &abi);
        if (g.type == ELF_PT_LOAD && g.memsz && !add_segment(s, plan, &g))
            return false;
    }
    return check_abi(s, has_abi, abi);
}

static bool check_entry(const struct elf64_file *s, const struct elf_plan *plan)
{
    for (unsigned i = 0; i < plan->count; i++) {
        const struct elf_part *part = &plan->parts[i];
        uint64_t start = part->virt + part->lead;
        if (part->kind == SPACE_CODE && plan->entry >= start &&
            plan->entry - start < part->file_bytes)
            return true;
    }
    return elf64_wrong(s, "its entry point, outside executable segments,", plan->entry);
}

static bool find_symbols(const struct elf64_file *s, const struct elf64_header *h,
                         struct elf64_symbols *out)
{
    if (!elf64_find_symbols(s, h, out))
        return false;
    if (out->symtab % SYMBOLS_ALIGN)
        return elf64_wrong(s, "the place of its symbol table", out->symtab);
    return true;
}

bool elf_check(const char *name, const void *file, size_t bytes, struct elf_plan *plan,
               struct problem *p)
{
    char what[WHAT_BYTES];
    struct elf64_file s = { file, bytes, "domain-elf", what, "build it with make DOMAIN=", p };
    struct elf64_header h;
    format_text(what, sizeof(what), "program %s can't run in a domain", name);
    *plan = (struct elf_plan){ 0 };
    if (!elf64_check_header(&s, &h))
        return false;
    plan->entry = h.entry;
    return read_segments(&s, &h, plan) && check_entry(&s, plan) &&
           find_symbols(&s, &h, &plan->symbols);
}

static void place_part(const struct elf_part *part, const void *file, void *to)
{
    uint8_t *at = (uint8_t *)to + part->at;
    memset(at, 0, part->bytes);
    memcpy(at + part->lead, (const uint8_t *)file + part->offset, part->file_bytes);
}

void elf_place(const struct elf_plan *plan, const void *file, void *to)
{
    for (unsigned i = 0; i < plan->count; i++)
        place_part(&plan->parts[i], file, to);
}

void elf_place_data(const struct elf_plan *plan, const void *file, void *to)
{
    for (unsigned i = 0; i < plan->count; i++)
        if (plan->parts[i].kind == SPACE_DATA)
            place_part(&plan->parts[i], file, to);
}
