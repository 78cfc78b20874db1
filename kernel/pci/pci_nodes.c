// SPDX-License-Identifier: BSD-2-Clause
// NUMA nodes of functions: the SRAT's word counts (ACPI 6.5, 5.2.16.6 and 5.2.16.7), then that of
// whoever else knows better than nothing.

#include "kernel/acpi/acpi.h"
#include "kernel/base/cpus.h"
#include "kernel/pci/pci.h"

static const struct srat_device *find(const struct pci_dev *dev, const struct srat_device *named,
                                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (named[i].segment == dev->segment && named[i].bdf == dev->bdf)
            return &named[i];
    return NULL;
}

// The nearest that is named, on the way up; virtual functions are where their physical one is.
static unsigned node_of(const struct pci_dev *dev, const struct srat_device *named, size_t count)
{
    for (; dev; dev = dev->physical ? dev->physical : dev->parent) {
        const struct srat_device *found = find(dev, named, count);
        if (found)
            return found->node;
    }
    return NODE_ANY;
}

void pci_set_nodes(const struct srat_device *named, size_t count)
{
    struct pci_dev *dev;
    for (size_t i = 0; count && (dev = pci_get(i)); i++)
        dev->node = node_of(dev, named, count);
}

void pci_suggest_node(struct pci_dev *dev, unsigned node)
{
    if (dev->node == NODE_ANY)
        dev->node = node;
}
