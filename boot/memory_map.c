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

static struct memory_descriptor raw_descriptor(const struct map *m, size_t i)
{
    struct memory_descriptor d;
    memcpy(&d, m->bytes + i * m->step, sizeof(d));
    return d;
}

static bool is_addressable(const struct memory_descriptor *d)
{
    return d->pages <= PAGES_MAX && d->base / PAGE <= PAGES_MAX - d->pages;
}

// As far as it can be used: none of what goes past the address space, and none of free memory that starts
// within a page; what is reserved there is so from the page's start on.
static struct memory_descriptor descriptor_at(const struct map *m, size_t i)
{
    struct memory_descriptor d = raw_descriptor(m, i);
    uint64_t within = d.base % PAGE;
    enum handoff_kind kind = kind_by_type(d.type);
    if (!is_addressable(&d) || (within && (kind == HANDOFF_FREE || kind == HANDOFF_BOOT)))
        return (struct memory_descriptor){ 0 };
    d.base -= within;
    d.pages += within && d.pages;
    return d;
}

static void count_bad(const struct map *m, size_t left, struct handoff_warned *bad)
{
    *bad = (struct handoff_warned){ .count = left > 0 };
    for (size_t i = 0; i < m->count; i++) {
        struct memory_descriptor d = raw_descriptor(m, i);
        if (d.base % PAGE == 0 && is_addressable(&d))
            continue;
        if (!bad->values[0] && !bad->values[1])
            bad->values[0] = d.base, bad->values[1] = d.pages;
        bad->count++;
    }
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
                        size_t max, size_t *count, struct handoff_warned *bad, struct problem *p)
{
    struct map m = { map, step ? bytes / step : 0, step };
    bool free = false;
    *count = 0;
    *bad = (struct handoff_warned){ 0 };
    if (step < sizeof(struct memory_descriptor))
        return problem_set(p, "memory-map",
                           "firmware's memory map has descriptors of %zu bytes, fewer than 40: "
                           "update the firmware",
                           step);
    count_bad(&m, bytes % step, bad);
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

// Whether the range has such a page; sets the last one. Page 0 is neither free nor boot services' here.
static bool has_page(const struct handoff_range *r, uint64_t limit, uint64_t *page)
{
    uint64_t end = MIN(r->base + r->bytes, limit);
    if ((r->kind != HANDOFF_FREE && r->kind != HANDOFF_BOOT) || end < r->base + PAGE)
        return false;
    *page = end - PAGE;
    return true;
}

// Splits range i, which has the page, into up to three.
static void split(struct handoff_range *ranges, size_t *count, size_t i, uint64_t page)
{
    struct handoff_range whole = ranges[i];
    const struct handoff_range parts[] = {
        { whole.base, page - whole.base, whole.kind, whole.efi_type },
        { page, PAGE, HANDOFF_KEPT, whole.efi_type },
        { page + PAGE, whole.base + whole.bytes - page - PAGE, whole.kind, whole.efi_type },
    };
    size_t more = (parts[0].bytes != 0) + (parts[2].bytes != 0);
    memmove(ranges + i + 1 + more, ranges + i + 1, (*count - i - 1) * sizeof(*ranges));
    *count += more;
    for (size_t part = 0; part < ARRAY_SIZE(parts); part++)
        if (parts[part].bytes)
            ranges[i++] = parts[part];
}

uint64_t memory_map_take_page(struct handoff_range *ranges, size_t max, size_t *count,
                              uint64_t limit)
{
    uint64_t page;
    for (size_t i = 0; i < *count && *count + 2 <= max; i++)
        if (has_page(&ranges[i], limit, &page)) {
            split(ranges, count, i, page);
            return page;
        }
    return 0;
}
