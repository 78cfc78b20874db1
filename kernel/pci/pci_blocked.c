// SPDX-License-Identifier: BSD-2-Clause
// Breaches and losses: whoever blocks what functions do, or has them reset, says so here, and whoever gave a
// function away is told.

#include "kernel/pci/pci.h"

static pci_on_blocked_fn *on_blocked;
static pci_on_lost_fn *on_lost;

bool pci_is_driven(uint32_t segment, uint16_t source)
{
    for_each_pci_dev (dev)
        if (dev->granted && !dev->space && pci_bears(dev, segment, source))
            return true;
    return false;
}

bool pci_is_given(uint32_t segment, uint16_t source)
{
    for_each_pci_dev (dev)
        if (dev->space && pci_bears(dev, segment, source))
            return true;
    return false;
}

void pci_on_blocked(pci_on_blocked_fn *fn)
{
    on_blocked = fn;
}

bool pci_tell_blocked(uint32_t segment, uint16_t source, const struct pci_blocked *what)
{
    struct pci_dev *dev;
    bool told = on_blocked && what->lost && on_blocked(NULL, what);
    for (size_t i = 0; on_blocked && !what->lost && (dev = pci_get(i)); i++)
        if (pci_bears(dev, segment, source))
            told |= on_blocked(dev, what);
    return told;
}

void pci_on_lost(pci_on_lost_fn *fn)
{
    on_lost = fn;
}

void pci_tell_lost(const struct pci_dev *physical)
{
    struct pci_dev *dev;
    for (size_t i = 0; on_lost && (dev = pci_get(i)); i++)
        if (dev->physical == physical && !dev->removed)
            on_lost(dev);
}
