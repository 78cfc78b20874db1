// SPDX-License-Identifier: BSD-2-Clause
// Reserved memory (RMRR, VT-d 8.4) against the UEFI memory map.

#include "drivers/vtd/platform/dmar_check_state.h"
#include "kernel/mem/mem.h"

typedef unsigned long long ull;

static bool is_given(const struct handoff_range *r)
{
    return r->kind == HANDOFF_FREE || r->kind == HANDOFF_BOOT || r->kind == HANDOFF_KEPT;
}

bool check_is_given(const struct check_state *s, uint64_t base, uint64_t limit)
{
    for (size_t i = 0; i < s->in->ranges_count; i++) {
        const struct handoff_range *r = &s->in->ranges[i];
        if (is_given(r) && r->base <= limit && base - r->base < r->bytes)
            return true;
        if (is_given(r) && r->base >= base && r->base <= limit)
            return true;
    }
    return false;
}

// The map is sorted by base.
static bool is_listed(const struct check_state *s, uint64_t base, uint64_t limit)
{
    for (size_t i = 0; i < s->in->ranges_count; i++) {
        const struct handoff_range *r = &s->in->ranges[i];
        if (base < r->base || base - r->base >= r->bytes)
            continue;
        if (limit - r->base < r->bytes)
            return true;
        base = r->base + r->bytes;
    }
    return false;
}

static void check_map(struct check_state *s, const struct checked_range *r)
{
    if (!s->in->ranges)
        return;
    if (check_is_given(s, r->base, r->limit))
        checks_add(s->out, CHECK_RMRR_MEMORY, "0x%llx to 0x%llx is RAM for anyone", (ull)r->base,
                   (ull)r->limit);
    else if (!is_listed(s, r->base, r->limit))
        checks_add(s->out, CHECK_RMRR_UNLISTED, "0x%llx to 0x%llx isn't in it", (ull)r->base,
                   (ull)r->limit);
}

// Several devices may share a range: the same one again is no fault.
static void check_overlap(struct check_state *s, const struct checked_range *r)
{
    for (size_t i = 0; i < s->reserved_count; i++) {
        const struct checked_range *other = &s->reserved[i];
        bool same = other->base == r->base && other->limit == r->limit;
        if (!same && other->base <= r->limit && r->base <= other->limit)
            checks_add(s->out, CHECK_RMRR_OVERLAP, "0x%llx to 0x%llx, 0x%llx to 0x%llx",
                       (ull)other->base, (ull)other->limit, (ull)r->base, (ull)r->limit);
    }
    if (s->reserved_count < CHECK_RANGES_MAX)
        s->reserved[s->reserved_count++] = *r;
    else
        checks_add(s->out, CHECK_LARGE, "more than %u ranges of reserved memory", CHECK_RANGES_MAX);
}

void check_rmrr(struct check_state *s, const struct checked_structure *x)
{
    const struct checked_range r = {
        .base = check_number(x->bytes + offsetof(struct dmar_rmrr, base), 8),
        .limit = check_number(x->bytes + offsetof(struct dmar_rmrr, limit), 8),
    };
    uint16_t segment = (uint16_t)check_number(x->bytes + offsetof(struct dmar_rmrr, segment), 2);
    if (!check_scopes_read(s, x, sizeof(struct dmar_rmrr), segment))
        checks_add(s->out, CHECK_RMRR_EMPTY, "0x%llx to 0x%llx", (ull)r.base, (ull)r.limit);
    if (r.limit < r.base) {
        checks_add(s->out, CHECK_RMRR_ORDER, "0x%llx to 0x%llx", (ull)r.base, (ull)r.limit);
        return;
    }
    if (r.base % PAGE_BYTES || (r.limit + 1) % PAGE_BYTES)
        checks_add(s->out, CHECK_RMRR_ALIGN, "0x%llx to 0x%llx", (ull)r.base, (ull)r.limit);
    check_map(s, &r);
    check_overlap(s, &r);
}
