// SPDX-License-Identifier: BSD-2-Clause
// Remapping units (DRHD, VT-d 8.3).

#include "drivers/vtd/platform/dmar_check_state.h"
#include "kernel/mem/mem.h"

#define SIZE_RESERVED 0xf0u

typedef unsigned long long ull;

struct checked_unit *check_find_unit(struct check_state *s, uint64_t base)
{
    for (size_t i = 0; i < s->units_count; i++)
        if (s->units[i].base == base)
            return &s->units[i];
    return NULL;
}

// False: there can be no registers, and nothing more is to be said of the place.
static bool check_place(struct check_state *s, const struct checked_unit *u)
{
    if (u->base == 0 || u->base == ~0ull) {
        checks_add(s->out, CHECK_UNIT_ZERO, "a unit's base is 0x%llx", (ull)u->base);
        return false;
    }
    if (u->base >> s->width || (u->base + u->bytes - 1) >> s->width) {
        checks_add(s->out, CHECK_UNIT_ADDRESS, "unit 0x%llx lies beyond %u bits", (ull)u->base,
                   s->width);
        return false;
    }
    if (u->base % u->bytes)
        checks_add(s->out, CHECK_UNIT_ALIGN, "unit 0x%llx has 0x%llx bytes of registers",
                   (ull)u->base, (ull)u->bytes);
    if (check_is_given(s, u->base, u->base + u->bytes - 1))
        checks_add(s->out, CHECK_UNIT_RAM, "unit 0x%llx lies in RAM by the UEFI memory map",
                   (ull)u->base);
    return true;
}

static void check_against(struct check_state *s, const struct checked_unit *u,
                          const struct checked_unit *before, bool placed)
{
    if (before->all && before->segment == u->segment && u->all)
        checks_add(s->out, CHECK_ALL_TWICE, "units 0x%llx and 0x%llx of segment %u",
                   (ull)before->base, (ull)u->base, u->segment);
    else if (before->all && before->segment == u->segment)
        checks_add(s->out, CHECK_ALL_LAST, "unit 0x%llx comes after 0x%llx of segment %u",
                   (ull)u->base, (ull)before->base, u->segment);
    if (!placed)
        return;
    if (before->base == u->base)
        checks_add(s->out, CHECK_UNIT_TWICE, "unit 0x%llx", (ull)u->base);
    else if (before->base < u->base + u->bytes && u->base < before->base + before->bytes)
        checks_add(s->out, CHECK_UNIT_OVERLAP, "units 0x%llx and 0x%llx", (ull)before->base,
                   (ull)u->base);
}

void check_unit(struct check_state *s, const struct checked_structure *x)
{
    uint8_t flags = x->bytes[offsetof(struct dmar_drhd, flags)];
    uint8_t size = x->bytes[offsetof(struct dmar_drhd, size)];
    const struct checked_unit u = {
        .base = check_number(x->bytes + offsetof(struct dmar_drhd, base), 8),
        .bytes = PAGE_BYTES << (size & ~SIZE_RESERVED),
        .segment = (uint16_t)check_number(x->bytes + offsetof(struct dmar_drhd, segment), 2),
        .all = flags & DMAR_DRHD_INCLUDE_PCI_ALL,
    };
    bool placed = check_place(s, &u);
    size_t scopes = check_scopes_read(s, x, sizeof(struct dmar_drhd), u.segment);
    if (!scopes && !u.all)
        checks_add(s->out, CHECK_UNIT_EMPTY, "unit 0x%llx names no device", (ull)u.base);
    if (flags & ~DMAR_DRHD_INCLUDE_PCI_ALL || size & SIZE_RESERVED)
        checks_add(s->out, CHECK_UNIT_RESERVED, "unit 0x%llx: flags %02xh, size %02xh", (ull)u.base,
                   flags, size);
    for (size_t i = 0; i < s->units_count; i++)
        check_against(s, &u, &s->units[i], placed);
    if (s->units_count < CHECK_UNITS_MAX)
        s->units[s->units_count++] = u;
    else
        checks_add(s->out, CHECK_LARGE, "more than %u units", CHECK_UNITS_MAX);
}
