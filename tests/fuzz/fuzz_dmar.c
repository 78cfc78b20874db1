// SPDX-License-Identifier: BSD-2-Clause
// Fuzzes the DMAR parser, and the search for a device's unit and reserved memory in what it accepts. The
// input is parsed as it is, once more with length and checksum made right, and as a list of orders for a
// table whose lengths fit, so that the fuzzer gets to the scopes and their paths. Where a scope leads is
// worked out here a second time, from the device upwards.

#include <stdlib.h>
#include <string.h>

#include "drivers/vtd/dmar.h"
#include "drivers/vtd/scope.h"
#include "tests/host/dmar_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Bridges on most buses, so that paths lead somewhere.
static struct pci_dev devs[64];

struct pci_dev *pci_get(size_t index)
{
    if (index >= ARRAY_SIZE(devs))
        return NULL;
    devs[index].bdf = PCI_BDF(index / 4, index % 4, 0);
    devs[index].secondary = (uint8_t)(index + 1);
    devs[index].parent = index >= 4 ? &devs[index / 4 - 1] : NULL;
    return &devs[index];
}

// Whether the path ends at this device: its last pair is the device's, the one before it the
// bridge's above, and the first of them lies on the scope's bus.
static bool leads_to(const struct dmar_scope *s, const struct pci_dev *dev)
{
    for (unsigned left = s->hops; left; left--, dev = dev->parent) {
        const uint8_t *pair = s->path + 2 * (left - 1);
        if (!dev || (pair[0] & 31) != PCI_DEV(dev->bdf) || (pair[1] & 7) != PCI_FN(dev->bdf))
            return false;
        if (left == 1)
            return PCI_BUS(dev->bdf) == s->start_bus;
    }
    return false;
}

static bool serves(const struct dmar_scope *s, const struct pci_dev *dev)
{
    bool found = leads_to(s, dev);
    for (dev = dev->parent; dev && s->type == DMAR_SCOPE_BRIDGE; dev = dev->parent)
        found |= leads_to(s, dev);
    return found;
}

// Index of the unit; units_count: none.
static size_t expected_unit(const struct dmar *d, const struct pci_dev *dev)
{
    size_t unit = 0;
    for (size_t i = 0; i < d->scopes_count; i++)
        if (!d->scopes[i].reserves && !d->units[d->scopes[i].index].segment &&
            serves(&d->scopes[i], dev))
            return d->scopes[i].index;
    for (unsigned absent = 0; absent < 2; absent++)
        for (unit = 0; unit < d->units_count; unit++)
            if (!d->units[unit].segment && d->units[unit].include_pci_all &&
                d->units[unit].absent == absent)
                return unit;
    return d->units_count;
}

// As many of the ranges as name the device, in the table's order.
static void check_reserved(const struct dmar *d, const struct pci_dev *dev)
{
    const struct dmar_reserved *range;
    size_t scope = 0;
    for (size_t i = 0; i < d->scopes_count; i++) {
        const struct dmar_scope *s = &d->scopes[i];
        if (!s->reserves || d->reserved[s->index].segment || !serves(s, dev))
            continue;
        if (!scope_next_reserved(d, dev, &scope, &range) || range != &d->reserved[s->index] ||
            scope != i + 1)
            abort();
    }
    if (scope_next_reserved(d, dev, &scope, &range))
        abort();
}

static bool is_range(const struct dmar_reserved *r)
{
    return r->base % 4096 == 0 && r->end % 4096 == 0 && r->base < r->end && r->end <= 1ull << 52;
}

static void check(const struct dmar *d, const uint8_t *table, size_t size)
{
    struct problem p;
    if (d->units_count > DMAR_UNITS_MAX || d->scopes_count > DMAR_SCOPES_MAX ||
        d->reserved_count > DMAR_RESERVED_MAX)
        abort();
    for (size_t i = 0; i < d->reserved_count; i++)
        if (!is_range(&d->reserved[i]))
            abort();
    for (size_t i = 0; i < d->units_count; i++)
        if (!d->units[i].absent && (d->units[i].base == 0 || d->units[i].base % 4096))
            abort();
    for (size_t i = 0; i < d->scopes_count; i++) {
        const struct dmar_scope *s = &d->scopes[i];
        if (s->index >= (s->reserves ? d->reserved_count : d->units_count) || s->hops == 0 ||
            s->path < table || s->path + 2 * s->hops > table + size)
            abort();
    }
    for (size_t i = 0; i < ARRAY_SIZE(devs); i++) {
        size_t unit = 0, expected = expected_unit(d, pci_get(i));
        if (scope_find(d, pci_get(i), &unit, &p) != (expected < d->units_count) ||
            (expected < d->units_count && unit != expected))
            abort();
        check_reserved(d, pci_get(i));
    }
}

static void parse(const void *bytes, size_t size)
{
    static struct dmar d;
    static struct warnings w;
    struct problem p = { .what = "" };
    uint8_t *table = malloc(size ? size : 1);
    memcpy(table, bytes, size);
    w.count = 0;
    if (dmar_parse(table, size, &d, &w, &p))
        check(&d, table, size);
    else if (strncmp(p.what, "dmar-", 5) != 0 || !p.message[0])
        abort();
    for (size_t i = 0; i < w.count; i++)
        if (strncmp(w.kinds[i].first.what, "dmar-", 5) != 0 || !w.kinds[i].count)
            abort();
    free(table);
}

static void parse_finished(const uint8_t *data, size_t size)
{
    static struct blob b;
    if (size < 48 || size > sizeof(b.bytes))
        return;
    b.length = size;
    memcpy(b.bytes, data, size);
    memcpy(b.bytes, "DMAR", 4);
    b.bytes[36] = 45;
    blob_finish(&b);
    parse(b.bytes, b.length);
}

struct orders {
    const uint8_t *at, *end;
};

static uint8_t take(struct orders *o)
{
    return o->at < o->end ? *o->at++ : 0;
}

// A device for the unit or the reserved memory at `of`, with a path of a few pairs or a length that
// doesn't fit it.
static void add_scope(struct blob *b, struct orders *o, size_t of)
{
    uint8_t path[8], kind = take(o), hops = kind >> 3 & 3, odd = take(o);
    for (size_t i = 0; i < sizeof(path); i += 2) {
        path[i] = take(o) & 0xe3;
        path[i + 1] = odd & 0x80 ? take(o) & 0xf8 : 0;
    }
    size_t at = b->length;
    dmar_scope(b, of, kind & 7, odd & 15, path, hops);
    if ((odd & 0x70) == 0x70)
        blob_set(b, at + 1, take(o) & 31, 1);
}

// Pages and parts of them, up to the end of addresses, now and then from high to low.
static size_t add_reserved(struct blob *b, struct orders *o, uint16_t segment)
{
    uint64_t base = (uint64_t)take(o) << 45;
    base += take(o) * 0x800ull;
    return dmar_rmrr(b, segment, base, base + take(o) * 0x800ull - 1);
}

static void parse_ordered(struct orders o)
{
    static struct blob b;
    size_t last = 0; // unit or reserved memory
    dmar_begin(&b, take(&o));
    while (o.at < o.end && b.length < sizeof(b.bytes) - 256) {
        uint8_t order = take(&o);
        if (order < 48)
            last = add_reserved(&b, &o, order & 1);
        else if (order < 96 || !last)
            last = dmar_drhd(&b, order & 1, order >> 1 & 1, (1 + (order >> 2 & 7)) * 0x1000ull);
        else if (order < 192)
            add_scope(&b, &o, last);
        else if (order < 224)
            dmar_rhsa(&b, (order & 7) * 0x1000ull, take(&o)), last = 0;
        else
            dmar_structure(&b, order & 7, 4 + (take(&o) & 31)), last = 0;
    }
    blob_finish(&b);
    parse(b.bytes, b.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse(data, size);
    parse_finished(data, size);
    parse_ordered((struct orders){ data, data + size });
    return 0;
}
