// SPDX-License-Identifier: BSD-2-Clause
// Parser of the DMAR table (VT-d 8). Refuses what can't be trusted as a whole; of the rest it uses
// what is good, and collects warnings of what is not.

#include "drivers/vtd/dmar.h"

#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"
#include "lib/string.h"

#define PHYS_END (1ull << 52) // no x86 CPU has more physical address bits (SDM vol. 3, 5.1.4)

// Bytes not read yet.
struct rest {
    const uint8_t *bytes;
    size_t left;
};

struct parse {
    struct dmar *out;
    struct warnings *w;
};

static bool check_header(const uint8_t *bytes, size_t length, struct dmar_table *table,
                         struct problem *p)
{
    if (length < sizeof(*table))
        return problem_set(p, "dmar-truncated",
                           "the DMAR table has %zu bytes, its header alone has 48", length);
    memcpy(table, bytes, sizeof(*table));
    if (memcmp(table->header.signature, "DMAR", 4) != 0)
        return problem_set(p, "dmar-signature", "the table given as DMAR doesn't start with DMAR");
    if (table->header.length < sizeof(*table) || table->header.length > length)
        return problem_set(p, "dmar-truncated",
                           "the DMAR table says it has %u bytes, and %zu are there",
                           table->header.length, length);
    uint8_t sum = 0;
    for (size_t i = 0; i < table->header.length; i++)
        sum = (uint8_t)(sum + bytes[i]);
    if (sum)
        return problem_set(p, "dmar-checksum",
                           "the bytes of the DMAR table sum to %02xh instead of 0: update the "
                           "firmware",
                           sum);
    return true;
}

static void read_header(const struct parse *d, const struct dmar_table *table)
{
    d->out->width = table->width + 1u;
    d->out->intr_remap = table->flags & DMAR_FLAG_INTR_REMAP;
    d->out->x2apic_opt_out = table->flags & DMAR_FLAG_X2APIC_OPT_OUT;
    d->out->dma_opt_in = table->flags & DMAR_FLAG_DMA_OPT_IN;
    // A page must fit, and 64 bits are all there is.
    if (table->width >= 11 && table->width <= 63)
        return;
    warnings_add(d->w, "dmar-width",
                 "the DMAR table gives a host address width of %u bits: not used; update the "
                 "firmware",
                 d->out->width);
    d->out->width = 0;
}

// Takes the next structure off the rest: its head, and a rest of its own with all its bytes. False: at
// the end, or where no more can be found.
static bool next_structure(struct rest *table, struct dmar_structure *head, struct rest *structure)
{
    if (table->left < sizeof(*head))
        return false;
    memcpy(head, table->bytes, sizeof(*head));
    if (head->length < sizeof(*head) || head->length > table->left)
        return false;
    *structure = (struct rest){ table->bytes, head->length };
    table->bytes += head->length;
    table->left -= head->length;
    return true;
}

// Whose list of devices is read.
struct scoped {
    const char *kind; // "unit" or "reserved memory"
    uint64_t base;
    bool reserves;
    size_t index;
};

static void add_scope(const struct parse *d, const struct scoped *of,
                      const struct dmar_scope_entry *e, const uint8_t *path)
{
    struct dmar *out = d->out;
    unsigned long long base = of->base;
    if (e->type > DMAR_SCOPE_ACPI || e->type < DMAR_SCOPE_ENDPOINT)
        warnings_add(d->w, "dmar-scope-type",
                     "the DMAR table gives %s 0x%llx a device of unknown type %u: passed over",
                     of->kind, base, e->type);
    if (e->type != DMAR_SCOPE_ENDPOINT && e->type != DMAR_SCOPE_BRIDGE)
        return;
    if (e->length == sizeof(*e))
        warnings_add(d->w, "dmar-scope-path",
                     "the DMAR table gives %s 0x%llx a device on bus %02x without a path: passed "
                     "over; update the firmware",
                     of->kind, base, e->start_bus);
    else if (out->scopes_count == DMAR_SCOPES_MAX)
        warnings_add(d->w, "dmar-too-large",
                     "the DMAR table names more than the %u devices that there is room for: one of "
                     "%s 0x%llx is passed over",
                     DMAR_SCOPES_MAX, of->kind, base);
    else
        out->scopes[out->scopes_count++] = (struct dmar_scope){
            .type = e->type,
            .reserves = of->reserves,
            .index = (uint16_t)of->index,
            .start_bus = e->start_bus,
            .hops = (uint8_t)((e->length - sizeof(*e)) / 2),
            .path = path,
        };
}

// Whole pairs of device and function only (VT-d 8.3.1). Behind an entry of another length no next one
// can be found.
static void parse_scopes(const struct parse *d, const struct scoped *of, struct rest scopes)
{
    while (scopes.left) {
        struct dmar_scope_entry e = { 0 };
        if (scopes.left >= sizeof(e))
            memcpy(&e, scopes.bytes, sizeof(e));
        if (e.length < sizeof(e) || e.length > scopes.left || e.length % 2) {
            warnings_add(d->w, "dmar-scope",
                         "a device of %s 0x%llx in the DMAR table takes %u bytes of %zu: it and "
                         "all behind it in that list are passed over; update the firmware",
                         of->kind, (unsigned long long)of->base, e.length, scopes.left);
            return;
        }
        add_scope(d, of, &e, scopes.bytes + sizeof(e));
        scopes.bytes += e.length;
        scopes.left -= e.length;
    }
}

// Index of the unit with these registers; units_count: none.
static size_t find_unit(const struct dmar *d, uint64_t base)
{
    size_t i = 0;
    while (i < d->units_count && (d->units[i].absent || d->units[i].base != base))
        i++;
    return i;
}

// The unit that serves "all other devices" must be the last of its segment (VT-d 8.3).
static void check_order(const struct parse *d, const struct dmar_drhd *drhd)
{
    for (size_t i = 0; i < d->out->units_count; i++) {
        const struct dmar_unit *u = &d->out->units[i];
        if (u->include_pci_all && u->segment == drhd->segment)
            warnings_add(
                d->w, "dmar-order",
                "the DMAR table lists unit 0x%llx after unit 0x%llx, which takes all other "
                "devices of segment %u and should be last",
                (unsigned long long)drhd->base, (unsigned long long)u->base, u->segment);
    }
}

// 0 and all ones are seen where a board's unit is switched off.
static bool has_registers(const struct parse *d, const struct dmar_drhd *drhd)
{
    bool none = drhd->base == 0 || drhd->base == ~0ull;
    if (!none && drhd->base % PAGE_BYTES == 0 && drhd->base < PHYS_END)
        return true;
    warnings_add(d->w, none ? "dmar-unit-zero" : "dmar-unit-address",
                 "the DMAR table puts a unit's registers at 0x%llx, which is no page of physical "
                 "memory: the devices behind it can't be used; update the firmware",
                 (unsigned long long)drhd->base);
    return false;
}

// Adds the unit, or finds it where the table names it twice; sets its index. False: there is no room.
static bool add_unit(const struct parse *d, const struct dmar_drhd *drhd, size_t *index)
{
    struct dmar *out = d->out;
    bool all = drhd->flags & DMAR_DRHD_INCLUDE_PCI_ALL;
    *index = find_unit(out, drhd->base);
    if (*index < out->units_count) {
        warnings_add(d->w, "dmar-unit-twice", "the DMAR table names unit 0x%llx twice",
                     (unsigned long long)drhd->base);
        out->units[*index].include_pci_all |= all;
        return true;
    }
    if (out->units_count == DMAR_UNITS_MAX) {
        warnings_add(d->w, "dmar-too-large",
                     "the DMAR table has more than the %u units that there is room for: unit "
                     "0x%llx is passed over",
                     DMAR_UNITS_MAX, (unsigned long long)drhd->base);
        return false;
    }
    check_order(d, drhd);
    out->units[out->units_count++] = (struct dmar_unit){
        .base = drhd->base,
        .absent = !has_registers(d, drhd),
        .segment = drhd->segment,
        .include_pci_all = all,
        .node = NODE_ANY,
    };
    return true;
}

static void parse_drhd(const struct parse *d, struct rest s)
{
    struct dmar_drhd drhd;
    size_t unit;
    if (s.left < sizeof(drhd)) {
        warnings_add(d->w, "dmar-structure",
                     "a unit (DRHD) in the DMAR table has %zu bytes instead of 16 or more: passed "
                     "over; update the firmware",
                     s.left);
        return;
    }
    memcpy(&drhd, s.bytes, sizeof(drhd));
    if (!add_unit(d, &drhd, &unit))
        return;
    const struct scoped of = { "unit", d->out->units[unit].base, false, unit };
    parse_scopes(d, &of, (struct rest){ s.bytes + sizeof(drhd), s.left - sizeof(drhd) });
}

static void parse_rhsa(const struct parse *d, struct rest s)
{
    struct dmar_rhsa rhsa;
    memcpy(&rhsa, s.bytes, sizeof(rhsa));
    size_t unit = find_unit(d->out, rhsa.base);
    if (unit < d->out->units_count)
        d->out->units[unit].node = rhsa.domain;
    else
        warnings_add(d->w, "dmar-rhsa",
                     "the DMAR table gives NUMA node %u to unit 0x%llx, which it doesn't have",
                     rhsa.domain, (unsigned long long)rhsa.base);
}

// Whole pages (VT-d 8.4); what isn't is rounded to them.
static void parse_rmrr(const struct parse *d, struct rest s)
{
    struct dmar *out = d->out;
    struct dmar_rmrr rmrr;
    memcpy(&rmrr, s.bytes, sizeof(rmrr));
    uint64_t base = ALIGN_DOWN(rmrr.base, PAGE_BYTES), end = (rmrr.limit | (PAGE_BYTES - 1)) + 1;
    if (base >= end || end > PHYS_END) {
        warnings_add(d->w, "dmar-rmrr",
                     "the DMAR table reserves memory from 0x%llx to 0x%llx for devices, which is "
                     "no range of memory: passed over; update the firmware",
                     (unsigned long long)rmrr.base, (unsigned long long)rmrr.limit);
        return;
    }
    if (out->reserved_count == DMAR_RESERVED_MAX) {
        warnings_add(d->w, "dmar-too-large",
                     "the DMAR table reserves more than the %u ranges that there is room for: "
                     "0x%llx is passed over",
                     DMAR_RESERVED_MAX, (unsigned long long)base);
        return;
    }
    const struct scoped of = { "reserved memory", base, true, out->reserved_count };
    out->reserved[out->reserved_count++] = (struct dmar_reserved){ base, end, rmrr.segment };
    parse_scopes(d, &of, (struct rest){ s.bytes + sizeof(rmrr), s.left - sizeof(rmrr) });
}

// What isn't a unit: RHSA and RMRR are used. The others are measured and passed over, as are types that
// later specifications add.
static void parse_other(const struct parse *d, uint16_t type, struct rest s)
{
    static const uint8_t least[] = {
        [DMAR_RMRR] = sizeof(struct dmar_rmrr), [DMAR_ATSR] = DMAR_ATSR_BYTES,
        [DMAR_RHSA] = sizeof(struct dmar_rhsa), [DMAR_ANDD] = DMAR_ANDD_BYTES,
        [DMAR_SATC] = DMAR_SATC_BYTES,          [DMAR_SIDP] = DMAR_SIDP_BYTES,
    };
    if (type == DMAR_DRHD || type >= ARRAY_SIZE(least))
        return;
    if (s.left < least[type])
        warnings_add(d->w, "dmar-length",
                     "a structure of type %u in the DMAR table has %zu bytes instead of %u or "
                     "more: passed over",
                     type, s.left, least[type]);
    else if (type == DMAR_RHSA)
        parse_rhsa(d, s);
    else if (type == DMAR_RMRR)
        parse_rmrr(d, s);
}

// A last unit that the table cuts off is used as far as it is there: without it, its devices would seem to
// be behind another one. Nothing can be found behind a structure of a bad length.
static void parse_tail(const struct parse *d, struct rest tail)
{
    struct dmar_structure head = { 0 };
    if (tail.left >= sizeof(head))
        memcpy(&head, tail.bytes, sizeof(head));
    warnings_add(d->w, "dmar-structure",
                 "the DMAR table ends with %zu bytes that are no structure (type %u, length %u): "
                 "what comes before them is used; update the firmware",
                 tail.left, head.type, head.length);
    if (head.type == DMAR_DRHD && head.length > tail.left && tail.left >= sizeof(struct dmar_drhd))
        parse_drhd(d, tail);
}

bool dmar_parse(const void *table, size_t length, struct dmar *out, struct warnings *w,
                struct problem *p)
{
    const struct parse d = { out, w };
    struct dmar_table header = { 0 };
    struct dmar_structure head = { 0 };
    struct rest s = { 0 };
    memset(out, 0, sizeof(*out));
    if (!check_header(table, length, &header, p))
        return false;
    read_header(&d, &header);

    const struct rest all = { (const uint8_t *)table + sizeof(header),
                              header.header.length - sizeof(header) };
    struct rest units = all, others = all;
    while (next_structure(&units, &head, &s))
        if (head.type == DMAR_DRHD)
            parse_drhd(&d, s);
    if (units.left)
        parse_tail(&d, units);
    // The units are known now, whatever order the structures came in.
    while (next_structure(&others, &head, &s))
        parse_other(&d, head.type, s);
    return true;
}
