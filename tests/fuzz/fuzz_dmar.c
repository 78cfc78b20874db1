// SPDX-License-Identifier: BSD-2-Clause
// Fuzzes the DMAR parser, and the search for a device's unit in what it accepts. The input is
// parsed as it is, and once more with length and checksum made right, so that the fuzzer gets past
// them.

#include <stdlib.h>
#include <string.h>

#include "drivers/vtd/dmar.h"
#include "drivers/vtd/scope.h"

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

static void check(const struct dmar *d, const uint8_t *table, size_t size)
{
    struct problem p;
    size_t unit;
    if (d->units_count > DMAR_UNITS_MAX || d->scopes_count > DMAR_SCOPES_MAX)
        abort();
    for (size_t i = 0; i < d->units_count; i++)
        if (!d->units[i].absent && (d->units[i].base == 0 || d->units[i].base % 4096))
            abort();
    for (size_t i = 0; i < d->scopes_count; i++) {
        const struct dmar_scope *s = &d->scopes[i];
        if (s->unit >= d->units_count || s->hops == 0 || s->path < table ||
            s->path + 2 * s->hops > table + size)
            abort();
    }
    for (size_t i = 0; i < ARRAY_SIZE(devs); i += 7)
        if (scope_find(d, pci_get(i), &unit, &p) && unit >= d->units_count)
            abort();
}

static void parse(const uint8_t *table, size_t size)
{
    static struct dmar d;
    static struct warnings w;
    struct problem p = { .what = "" };
    w.count = 0;
    if (dmar_parse(table, size, &d, &w, &p))
        check(&d, table, size);
    else if (strncmp(p.what, "dmar-", 5) != 0 || !p.message[0])
        abort();
    for (size_t i = 0; i < w.count; i++)
        if (strncmp(w.kinds[i].first.what, "dmar-", 5) != 0 || !w.kinds[i].count)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *table = malloc(size ? size : 1);
    memcpy(table, data, size);
    parse(table, size);
    if (size >= 48) {
        uint32_t length = (uint32_t)size;
        uint8_t sum = 0;
        memcpy(table, "DMAR", 4);
        memcpy(table + 4, &length, 4);
        table[9] = 0;
        for (size_t i = 0; i < size; i++)
            sum = (uint8_t)(sum + table[i]);
        table[9] = (uint8_t)-sum;
        table[36] = 45;
        table[9] = (uint8_t)(table[9] + data[36] - 45);
        parse(table, size);
    }
    free(table);
    return 0;
}
