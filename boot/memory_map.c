// SPDX-License-Identifier: BSD-2-Clause
// The memory map, range by range: firmware's list may be unsorted and, on some machines, overlaps.

#include "boot/memory_map.h"

#include "lib/bits.h"
#include "lib/string.h"

#define PAGE 4096ull
#define PAGES_MAX (BIT64(52) / PAGE) // physical addresses have at most 52 bits

enum { // EFI_MEMORY_TYPE (UEFI 2.10, 7.2.1)
    EFI_TYPE_LOADER_CODE = 1,
    EFI_TYPE_LOADER_DATA = 2,
    EFI_TYPE_BOOT_CODE = 3,
    EFI_TYPE_BOOT_DATA = 4,
    EFI_TYPE_RUNTIME_CODE = 5,
    EFI_TYPE_RUNTIME_DATA = 6,
    EFI_TYPE_CONVENTIONAL = 7,
    EFI_TYPE_ACPI_RECLAIM = 9,
    EFI_TYPE_ACPI_NVS = 10,
};

#define EFI_ATTRIBUTE_WB BIT64(3)
#define EFI_ATTRIBUTE_NV BIT64(15)
#define EFI_ATTRIBUTE_SP BIT64(18)
#define EFI_ATTRIBUTE_RUNTIME BIT64(63)

struct map {
    const uint8_t *bytes;
    size_t count, step;
};

struct piece {
    uint64_t base, end;
    uint32_t kind, efi_type;
    bool found;
};

static struct memory_descriptor descriptor_at(const struct map *m, size_t i)
{
    struct memory_descriptor d;
    memcpy(&d, m->bytes + i * m->step, sizeof(d));
    return d;
}

static enum handoff_kind kind_by_type(uint32_t type)
{
    switch (type) {
    case EFI_TYPE_CONVENTIONAL:
        return HANDOFF_FREE;
    case EFI_TYPE_LOADER_CODE:
    case EFI_TYPE_BOOT_CODE:
    case EFI_TYPE_BOOT_DATA:
        return HANDOFF_BOOT;
    case EFI_TYPE_LOADER_DATA:
        return HANDOFF_KEPT;
    case EFI_TYPE_RUNTIME_CODE:
    case EFI_TYPE_RUNTIME_DATA:
    case EFI_TYPE_ACPI_RECLAIM:
    case EFI_TYPE_ACPI_NVS:
        return HANDOFF_FIRMWARE;
    default:
        return HANDOFF_OTHER;
    }
}

// Only what the kernel would hand out is judged by its attributes: what is kept or the firmware's
// stays so.
static enum handoff_kind kind_of(const struct memory_descriptor *d)
{
    enum handoff_kind kind = kind_by_type(d->type);
    if (kind != HANDOFF_FREE && kind != HANDOFF_BOOT)
        return kind;
    if (d->attributes & EFI_ATTRIBUTE_RUNTIME)
        return HANDOFF_FIRMWARE;
    if (!(d->attributes & EFI_ATTRIBUTE_WB) ||
        d->attributes & (EFI_ATTRIBUTE_SP | EFI_ATTRIBUTE_NV))
        return HANDOFF_OTHER;
    return kind;
}

static bool check(const struct map *m, size_t bytes, struct problem *p)
{
    if (m->step < sizeof(struct memory_descriptor) || bytes % m->step)
        return problem_set(
            p, "memory-map",
            "firmware's memory map has %zu bytes in descriptors of %zu: update the firmware", bytes,
            m->step);
    for (size_t i = 0; i < m->count; i++) {
        struct memory_descriptor d = descriptor_at(m, i);
        if (d.base % PAGE || d.pages > PAGES_MAX || d.base / PAGE > PAGES_MAX - d.pages)
            return problem_set(
                p, "memory-map",
                "firmware's memory map names 0x%llx pages at 0x%llx, which no x86-64 "
                "machine has: update the firmware",
                (unsigned long long)d.pages, (unsigned long long)d.base);
    }
    return true;
}

// The lowest address from `from` on that a descriptor covers; ~0 if none does.
static uint64_t next_base(const struct map *m, uint64_t from)
{
    uint64_t base = ~0ull;
    for (size_t i = 0; i < m->count; i++) {
        struct memory_descriptor d = descriptor_at(m, i);
        if (d.pages && d.base + d.pages * PAGE > from)
            base = MIN(base, MAX(d.base, from));
    }
    return base;
}

// The longest piece that starts at or after `from` and is covered by the same descriptors all
// along; its kind is the largest among theirs. Page 0 holds the BIOS data area, firmware may leave
// it unmapped, and its address is what C calls no address.
static struct piece next_piece(const struct map *m, uint64_t from)
{
    struct piece piece = { .base = next_base(m, from) };
    piece.end = piece.base < PAGE ? PAGE : ~0ull;
    for (size_t i = 0; i < m->count; i++) {
        struct memory_descriptor d = descriptor_at(m, i);
        uint64_t end = d.base + d.pages * PAGE;
        if (d.base > piece.base)
            piece.end = MIN(piece.end, d.base);
        if (d.base > piece.base || end <= piece.base)
            continue;
        piece.end = MIN(piece.end, end);
        enum handoff_kind kind = kind_of(&d);
        if (!piece.found || kind > piece.kind)
            piece.kind = kind, piece.efi_type = d.type;
        piece.found = true;
    }
    if (piece.base < PAGE)
        piece.kind = HANDOFF_OTHER;
    return piece;
}

static bool joins(const struct handoff_range *r, const struct piece *n)
{
    return r->base + r->bytes == n->base && r->kind == n->kind &&
           (r->kind == HANDOFF_BOOT || r->efi_type == n->efi_type);
}

static bool append(const struct piece *n, struct handoff_range *out, size_t max, size_t *count)
{
    if (*count && joins(&out[*count - 1], n)) {
        out[*count - 1].bytes += n->end - n->base;
        return true;
    }
    if (*count == max)
        return false;
    out[(*count)++] = (struct handoff_range){ n->base, n->end - n->base, n->kind, n->efi_type };
    return true;
}

bool memory_map_convert(const void *map, size_t bytes, size_t step, struct handoff_range *out,
                        size_t max, size_t *count, struct problem *p)
{
    struct map m = { map, step ? bytes / step : 0, step };
    bool free = false;
    *count = 0;
    if (!check(&m, bytes, p))
        return false;
    for (struct piece n = next_piece(&m, 0); n.found; n = next_piece(&m, n.end)) {
        free |= n.kind == HANDOFF_FREE;
        if (!append(&n, out, max, count))
            return problem_set(p, "memory-map",
                               "firmware's memory map falls into more than %zu ranges", max);
    }
    return free || problem_set(p, "memory-map",
                               "firmware's memory map has no free memory: give the "
                               "machine more");
}
