// SPDX-License-Identifier: BSD-2-Clause
// Reads marks. Nothing in the file is believed before it is checked against the file's size.
#include "tools/qemu/marks.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/qemu/qemu_abi.h"

struct file {
    const char *path;
    const uint8_t *bytes;
    uint64_t size;
};

// lib/mark.h.
struct mark_record {
    uint64_t address;
    uint32_t kind;
    char name[MARK_NAME_BYTES];
};
static_assert(sizeof(struct mark_record) == 32, "lib/mark.h");

static struct file file_read(const char *path)
{
    struct file f = { .path = path };
    FILE *in = fopen(path, "rbe");
    if (!in)
        refuse("can't open count=%s: %s", path, strerror(errno));
    if (fseek(in, 0, SEEK_END))
        refuse("can't read count=%s: %s", path, strerror(errno));
    long size = ftell(in);
    rewind(in);
    uint8_t *bytes = size > 0 ? malloc((size_t)size) : NULL;
    if (!bytes || fread(bytes, 1, (size_t)size, in) != (size_t)size)
        refuse("can't read count=%s: it is no ELF file", path);
    fclose(in);
    f.bytes = bytes;
    f.size = (uint64_t)size;
    return f;
}

// What lies in the file at `offset`, or a refusal.
static const void *file_part(const struct file *f, uint64_t offset, uint64_t size)
{
    if (offset > f->size || size > f->size - offset)
        refuse("count=%s: not an ELF64 file for x86-64, or cut off", f->path);
    return f->bytes + offset;
}

static Elf64_Ehdr file_header(const struct file *f)
{
    Elf64_Ehdr h;
    memcpy(&h, file_part(f, 0, sizeof(h)), sizeof(h));
    if (memcmp(h.e_ident, ELFMAG, SELFMAG) || h.e_ident[EI_CLASS] != ELFCLASS64 ||
        h.e_ident[EI_DATA] != ELFDATA2LSB || h.e_machine != EM_X86_64 ||
        (h.e_phnum && h.e_phentsize != sizeof(Elf64_Phdr)) ||
        (h.e_shnum && h.e_shentsize != sizeof(Elf64_Shdr)))
        refuse("count=%s: not an ELF64 file for x86-64, or cut off", f->path);
    return h;
}

static void find_code(struct marks *marks, const struct file *f, const Elf64_Ehdr *h)
{
    marks->code_begin = UINT64_MAX;
    for (unsigned i = 0; i < h->e_phnum; i++) {
        Elf64_Phdr p;
        memcpy(&p, file_part(f, h->e_phoff + i * sizeof(p), sizeof(p)), sizeof(p));
        if (p.p_type != PT_LOAD || !(p.p_flags & PF_X))
            continue;
        marks->code_begin = MIN(marks->code_begin, p.p_vaddr);
        marks->code_end = MAX(marks->code_end, p.p_vaddr + p.p_memsz);
    }
    if (marks->code_begin >= marks->code_end)
        refuse("count=%s: the file loads no code", f->path);
}

static Elf64_Shdr section(const struct file *f, const Elf64_Ehdr *h, unsigned i)
{
    Elf64_Shdr s;
    memcpy(&s, file_part(f, h->e_shoff + i * sizeof(s), sizeof(s)), sizeof(s));
    return s;
}

static Elf64_Shdr find_section(const struct file *f, const Elf64_Ehdr *h)
{
    static const char name[] = ".marks";
    if (h->e_shstrndx >= h->e_shnum)
        refuse("count=%s: the file has no section .marks", f->path);
    Elf64_Shdr names = section(f, h, h->e_shstrndx);
    for (unsigned i = 0; i < h->e_shnum; i++) {
        Elf64_Shdr s = section(f, h, i);
        if (s.sh_name < names.sh_size && names.sh_size - s.sh_name >= sizeof(name) &&
            !memcmp(file_part(f, names.sh_offset + s.sh_name, sizeof(name)), name, sizeof(name)))
            return s;
    }
    refuse("count=%s: the file has no section .marks", f->path);
}

static unsigned region_of(struct marks *marks, const struct file *f, const char *name)
{
    for (unsigned i = 0; i < marks->regions; i++)
        if (!strcmp(marks->names[i], name))
            return i;
    if (marks->regions == REGIONS_MAX)
        refuse("count=%s: the marks name more than %d regions", f->path, REGIONS_MAX - 1);
    memcpy(marks->names[marks->regions], name, strlen(name) + 1);
    return marks->regions++;
}

static bool name_valid(const struct mark_record *r)
{
    size_t length = strnlen(r->name, sizeof(r->name));
    for (size_t i = 0; i < length; i++)
        if (r->name[i] <= ' ' || r->name[i] > '~' || r->name[i] == '"' || r->name[i] == '\\')
            return false;
    return length && length < sizeof(r->name);
}

static void add_mark(struct marks *marks, const struct file *f, unsigned i, struct mark_record r)
{
    if (r.kind < MARK_KIND_BEGIN || r.kind > MARK_KIND_END_AFTER || !name_valid(&r) ||
        r.address < marks->code_begin || r.address > marks->code_end)
        refuse("count=%s: record %u of section .marks is malformed (lib/mark.h)", f->path, i);
    marks->list[marks->count++] = (struct mark){
        .address = r.address,
        .kind = (enum mark_kind)r.kind,
        .region = region_of(marks, f, r.name),
        .position = i,
    };
}

static int compare(const void *a, const void *b)
{
    const struct mark *l = a, *r = b;
    if (l->address != r->address)
        return l->address < r->address ? -1 : 1;
    return l->position < r->position ? -1 : l->position > r->position;
}

void marks_load(struct marks *marks, const char *path)
{
    struct file f = file_read(path);
    Elf64_Ehdr h = file_header(&f);
    find_code(marks, &f, &h);
    Elf64_Shdr s = find_section(&f, &h);
    unsigned records = (unsigned)(s.sh_size / sizeof(struct mark_record));
    if (!records || s.sh_size % sizeof(struct mark_record))
        refuse("count=%s: section .marks is empty or malformed (lib/mark.h)", path);
    const uint8_t *at = file_part(&f, s.sh_offset, s.sh_size);

    marks->list = calloc(records, sizeof(*marks->list));
    if (!marks->list)
        refuse("out of memory");
    region_of(marks, &f, "other");
    for (unsigned i = 0; i < records; i++) {
        struct mark_record r;
        memcpy(&r, at + i * sizeof(r), sizeof(r));
        add_mark(marks, &f, i, r);
    }
    qsort(marks->list, marks->count, sizeof(*marks->list), compare);
    free((void *)f.bytes);
}

const struct mark *marks_find(const struct marks *marks, uint64_t address)
{
    unsigned low = 0, high = marks->count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (marks->list[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < marks->count && marks->list[low].address == address ? &marks->list[low] : NULL;
}
