// SPDX-License-Identifier: BSD-2-Clause
// Parser of the DMAR table (VT-d 8). Refuses what lies about something we use; firmware's lesser
// sins are collected as warnings.

#include "drivers/vtd/dmar.h"

#include <stdarg.h>

#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"
#include "lib/format.h"
#include "lib/string.h"

#define PHYS_END (1ull << 52) // no x86 CPU has more physical address bits (SDM vol. 3, 5.1.4)

// Bytes not read yet.
struct rest {
    const uint8_t *bytes;
    size_t left;
};

static void dmar_warn(struct dmar *out, const char *what, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void dmar_warn(struct dmar *out, const char *what, const char *fmt, ...)
{
    if (out->warnings_count < DMAR_WARNINGS_MAX) {
        struct problem *w = &out->warnings[out->warnings_count];
        va_list args;
        w->what = what;
        va_start(args, fmt);
        format_text_v(w->message, sizeof(w->message), fmt, args);
        va_end(args);
    }
    out->warnings_count++;
}

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
    // A page must fit, and 64 bits are all there is.
    if (table->width < 11 || table->width > 63)
        return problem_set(p, "dmar-width", "the DMAR table gives a host address width of %u bits",
                           table->width + 1u);
    return true;
}

// Takes the next structure off the rest: its head, and a rest of its own with all its bytes.
static bool next_structure(struct rest *table, struct dmar_structure *head, struct rest *structure,
                           struct problem *p)
{
    if (table->left < sizeof(*head))
        return problem_set(p, "dmar-structure",
                           "the DMAR table ends with %zu bytes that are no structure", table->left);
    memcpy(head, table->bytes, sizeof(*head));
    if (head->length < sizeof(*head) || head->length > table->left)
        return problem_set(p, "dmar-structure",
                           "a structure of type %u in the DMAR table says it has %u bytes; %zu are "
                           "left in the table",
                           head->type, head->length, table->left);
    *structure = (struct rest){ table->bytes, head->length };
    table->bytes += head->length;
    table->left -= head->length;
    return true;
}

static bool add_scope(struct dmar *out, size_t unit, const struct dmar_scope_entry *e,
                      const uint8_t *path, struct problem *p)
{
    if (e->type > DMAR_SCOPE_ACPI || e->type < DMAR_SCOPE_ENDPOINT)
        dmar_warn(out, "dmar-scope-type",
                  "the DMAR table gives unit 0x%llx a device of unknown type %u: passed over",
                  (unsigned long long)out->units[unit].base, e->type);
    if (e->type != DMAR_SCOPE_ENDPOINT && e->type != DMAR_SCOPE_BRIDGE)
        return true;
    if (out->scopes_count == DMAR_SCOPES_MAX)
        return problem_set(p, "dmar-too-large",
                           "the DMAR table names more than %u devices; Onebell has room for no "
                           "more",
                           DMAR_SCOPES_MAX);
    out->scopes[out->scopes_count++] = (struct dmar_scope){
        .type = e->type,
        .unit = (uint16_t)unit,
        .start_bus = e->start_bus,
        .hops = (uint8_t)((e->length - sizeof(*e)) / 2),
        .path = path,
    };
    return true;
}

static bool parse_scopes(struct dmar *out, size_t unit, struct rest scopes, struct problem *p)
{
    while (scopes.left) {
        struct dmar_scope_entry e = { 0 };
        if (scopes.left >= sizeof(e))
            memcpy(&e, scopes.bytes, sizeof(e));
        // At least one pair of device and function, and whole pairs only (VT-d 8.3.1).
        if (e.length < sizeof(e) + 2 || e.length > scopes.left || e.length % 2)
            return problem_set(p, "dmar-scope",
                               "a device of unit 0x%llx in the DMAR table takes %u bytes; %zu are "
                               "left in the unit's list",
                               (unsigned long long)out->units[unit].base, e.length, scopes.left);
        if (!add_scope(out, unit, &e, scopes.bytes + sizeof(e), p))
            return false;
        scopes.bytes += e.length;
        scopes.left -= e.length;
    }
    return true;
}

// Index of the unit with these registers; units_count: none.
static size_t find_unit(const struct dmar *d, uint64_t base)
{
    size_t i = 0;
    while (i < d->units_count && d->units[i].base != base)
        i++;
    return i;
}

// The unit that serves "all other devices" must be the last of its segment (VT-d 8.3).
static void check_order(struct dmar *out, const struct dmar_drhd *drhd)
{
    for (size_t i = 0; i < out->units_count; i++) {
        const struct dmar_unit *u = &out->units[i];
        if (u->include_pci_all && u->segment == drhd->segment)
            dmar_warn(out, "dmar-order",
                      "the DMAR table lists unit 0x%llx after unit 0x%llx, which takes all other "
                      "devices of segment %u and should be last",
                      (unsigned long long)drhd->base, (unsigned long long)u->base, u->segment);
    }
}

// Adds the unit, or finds it where the table names it twice; sets its index.
static bool add_unit(struct dmar *out, const struct dmar_drhd *drhd, size_t *index,
                     struct problem *p)
{
    bool all = drhd->flags & DMAR_DRHD_INCLUDE_PCI_ALL;
    *index = find_unit(out, drhd->base);
    if (*index < out->units_count) {
        dmar_warn(out, "dmar-unit-twice", "the DMAR table names unit 0x%llx twice",
                  (unsigned long long)drhd->base);
        out->units[*index].include_pci_all |= all;
        return true;
    }
    if (drhd->base % PAGE_BYTES || drhd->base >= PHYS_END)
        return problem_set(p, "dmar-unit-address",
                           "the DMAR table puts a unit's registers at 0x%llx, which is no page of "
                           "physical memory: update the firmware",
                           (unsigned long long)drhd->base);
    if (out->units_count == DMAR_UNITS_MAX)
        return problem_set(p, "dmar-too-large",
                           "the DMAR table has more than %u units; Onebell has room for no more",
                           DMAR_UNITS_MAX);
    check_order(out, drhd);
    out->units[out->units_count++] = (struct dmar_unit){
        .base = drhd->base,
        .segment = drhd->segment,
        .include_pci_all = all,
        .node = NODE_ANY,
    };
    return true;
}

static bool parse_drhd(struct dmar *out, struct rest s, struct problem *p)
{
    struct dmar_drhd drhd;
    size_t unit;
    if (s.left < sizeof(drhd))
        return problem_set(p, "dmar-structure",
                           "a unit (DRHD) in the DMAR table has %zu bytes instead of 16 or more",
                           s.left);
    memcpy(&drhd, s.bytes, sizeof(drhd));
    // Seen where a board's unit is switched off: its devices have no remapping then.
    if (drhd.base == 0 || drhd.base == ~0ull) {
        dmar_warn(out, "dmar-unit-zero",
                  "the DMAR table names a unit without registers (address 0x%llx): passed over",
                  (unsigned long long)drhd.base);
        return true;
    }
    return add_unit(out, &drhd, &unit, p) &&
           parse_scopes(out, unit, (struct rest){ s.bytes + sizeof(drhd), s.left - sizeof(drhd) },
                        p);
}

static void parse_rhsa(struct dmar *out, struct rest s)
{
    struct dmar_rhsa rhsa;
    memcpy(&rhsa, s.bytes, sizeof(rhsa));
    size_t unit = find_unit(out, rhsa.base);
    if (unit < out->units_count)
        out->units[unit].node = rhsa.domain;
    else
        dmar_warn(out, "dmar-rhsa",
                  "the DMAR table gives NUMA node %u to unit 0x%llx, which it doesn't have",
                  rhsa.domain, (unsigned long long)rhsa.base);
}

// What isn't a unit: only RHSA is used. The others are measured, since a wrong length there makes
// the whole table doubtful, and passed over. Types that later specifications add are skipped.
static void parse_other(struct dmar *out, uint16_t type, struct rest s)
{
    static const uint8_t least[] = {
        [DMAR_RMRR] = DMAR_RMRR_BYTES,          [DMAR_ATSR] = DMAR_ATSR_BYTES,
        [DMAR_RHSA] = sizeof(struct dmar_rhsa), [DMAR_ANDD] = DMAR_ANDD_BYTES,
        [DMAR_SATC] = DMAR_SATC_BYTES,          [DMAR_SIDP] = DMAR_SIDP_BYTES,
    };
    if (type == DMAR_DRHD || type >= ARRAY_SIZE(least))
        return;
    if (s.left < least[type])
        dmar_warn(out, "dmar-length",
                  "a structure of type %u in the DMAR table has %zu bytes instead of %u or more: "
                  "passed over",
                  type, s.left, least[type]);
    else if (type == DMAR_RHSA)
        parse_rhsa(out, s);
}

bool dmar_parse(const void *table, size_t length, struct dmar *out, struct problem *p)
{
    struct dmar_table header = { 0 };
    struct dmar_structure head = { 0 };
    struct rest s = { 0 };
    memset(out, 0, sizeof(*out));
    if (!check_header(table, length, &header, p))
        return false;
    out->width = header.width + 1u;
    out->intr_remap = header.flags & DMAR_FLAG_INTR_REMAP;
    out->x2apic_opt_out = header.flags & DMAR_FLAG_X2APIC_OPT_OUT;

    struct rest all = { (const uint8_t *)table + sizeof(header),
                        header.header.length - sizeof(header) };
    for (struct rest units = all; units.left;)
        if (!next_structure(&units, &head, &s, p) ||
            (head.type == DMAR_DRHD && !parse_drhd(out, s, p)))
            return false;
    // The units are known now, whatever order the structures came in.
    for (struct rest others = all; others.left;) {
        if (!next_structure(&others, &head, &s, p))
            return false;
        parse_other(out, head.type, s);
    }
    return true;
}
