// SPDX-License-Identifier: BSD-2-Clause
// Matches devices to the scopes of the DMAR table (VT-d 8.3, 8.3.1). A scope is a path of device
// and function numbers; the bus numbers on it are what the bridges say now, not what they were
// when firmware wrote the table.

#include "drivers/vtd/scope.h"

#define BRIDGES_MAX 256 // no more buses than that; ends a loop in a damaged tree

static const struct pci_dev *find_device(uint32_t segment, uint16_t bdf)
{
    for_each_pci_dev (dev)
        if (dev->segment == segment && dev->bdf == bdf)
            return dev;
    return NULL;
}

// Walks a path to the id of the device at its end. False: a bridge on the way isn't there.
static bool resolve(uint32_t segment, const struct dmar_scope *s, uint16_t *bdf)
{
    unsigned bus = s->start_bus;
    for (unsigned i = 0; i + 1u < s->hops; i++) {
        const struct pci_dev *bridge =
            find_device(segment, PCI_BDF(bus, s->path[2 * i] & 31, s->path[2 * i + 1] & 7));
        if (!bridge || !bridge->secondary)
            return false;
        bus = bridge->secondary;
    }
    unsigned last = s->hops - 1u;
    *bdf = PCI_BDF(bus, s->path[2 * last] & 31, s->path[2 * last + 1] & 7);
    return true;
}

static bool is_below(const struct pci_dev *dev, uint16_t bridge)
{
    const struct pci_dev *above = dev->parent;
    for (unsigned i = 0; above && i < BRIDGES_MAX; i++, above = above->parent)
        if (above->bdf == bridge)
            return true;
    return false;
}

// Without a look at the bridges on the way, which large machines have thousands of.
static bool may_match(const struct dmar_scope *s, const struct pci_dev *dev)
{
    const uint8_t *last = s->path + 2 * (s->hops - 1u);
    return s->type == DMAR_SCOPE_BRIDGE ||
           ((last[0] & 31) == PCI_DEV(dev->bdf) && (last[1] & 7) == PCI_FN(dev->bdf));
}

static bool matches(const struct dmar_scope *s, const struct pci_dev *dev)
{
    uint16_t bdf;
    if (!may_match(s, dev) || !resolve(dev->segment, s, &bdf))
        return false;
    return dev->bdf == bdf || (s->type == DMAR_SCOPE_BRIDGE && is_below(dev, bdf));
}

static bool takes_others(const struct dmar *d, uint32_t segment, bool absent, size_t *unit)
{
    for (*unit = 0; *unit < d->units_count; ++*unit) {
        const struct dmar_unit *u = &d->units[*unit];
        if (u->segment == segment && u->include_pci_all && u->absent == absent)
            return true;
    }
    return false;
}

// Virtual functions are where their physical one is, which alone the table may name (VT-d 8.3.1); what
// a domain hides is where its host is.
bool scope_find(const struct dmar *d, const struct pci_dev *dev, size_t *unit, struct problem *p)
{
    dev = pci_visible(dev);
    dev = dev->physical ? dev->physical : dev;
    for (size_t i = 0; i < d->scopes_count; i++) {
        const struct dmar_scope *s = &d->scopes[i];
        if (!s->reserves && d->units[s->index].segment == dev->segment && matches(s, dev)) {
            *unit = s->index;
            return true;
        }
    }
    if (takes_others(d, dev->segment, false, unit) || takes_others(d, dev->segment, true, unit))
        return true;
    return problem_set(p, "vtd-no-unit",
                       "%s is behind no VT-d unit: the DMAR table names none for it, and none that "
                       "takes all other devices of segment %u; update the firmware",
                       dev->name, dev->segment);
}

bool scope_next_reserved(const struct dmar *d, const struct pci_dev *dev, size_t *scope,
                         const struct dmar_reserved **range)
{
    for (; *scope < d->scopes_count; ++*scope) {
        const struct dmar_scope *s = &d->scopes[*scope];
        if (!s->reserves || d->reserved[s->index].segment != dev->segment || !matches(s, dev))
            continue;
        *range = &d->reserved[s->index];
        ++*scope;
        return true;
    }
    return false;
}
