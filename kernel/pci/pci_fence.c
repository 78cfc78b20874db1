// SPDX-License-Identifier: BSD-2-Clause
// What a function may reach: whoever keeps functions to their memory is told of each that a driver starts
// and stops, and ways past it are closed.

#include "kernel/pci/pci_fence.h"

#include "kernel/base/report.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/pci_regs.h"

static const struct pci_fence *fence;

// Bits of a 16-bit control register in an extended capability, where there is one.
static void change(const struct pci_dev *dev, uint16_t id, unsigned control, uint32_t clear,
                   uint32_t set)
{
    unsigned cap = pci_find_ext_cap(dev, id);
    if (!cap)
        return;
    uint16_t before = pci_read16(dev, cap + control);
    uint16_t after = (uint16_t)((before & ~clear) | set);
    if (after != before)
        pci_write16(dev, cap + control, after);
}

// A request that bears a translated address would pass an IOMMU unseen.
static void end_translations(const struct pci_dev *dev)
{
    change(dev, PCI_EXT_CAP_PRI, PCI_PRI_CONTROL, PCI_PRI_CONTROL_ENABLE, 0);
    change(dev, PCI_EXT_CAP_ATS, PCI_ATS_CONTROL, PCI_ATS_CONTROL_ENABLE, 0);
    change(dev, PCI_EXT_CAP_PASID, PCI_PASID_CONTROL, PCI_PASID_CONTROL_ENABLE, 0);
}

// Below a port, functions may bear others' ids, and they reach one another without passing the root complex,
// as those of one device do, unless they are told not to, as far as they can be (6.12).
static void end_short_cuts(const struct pci_dev *dev)
{
    unsigned cap = pci_find_ext_cap(dev, PCI_EXT_CAP_ACS);
    if (!cap)
        return;
    uint32_t port =
        PCI_ACS_SOURCE_VALIDATION | PCI_ACS_TRANSLATION_BLOCKING | PCI_ACS_UPSTREAM_FORWARDING;
    uint32_t all = PCI_ACS_REQUEST_REDIRECT | PCI_ACS_COMPLETION_REDIRECT;
    change(dev, PCI_EXT_CAP_ACS, PCI_ACS_CONTROL, 0,
           pci_read16(dev, cap + PCI_ACS_CAP) & (pci_is_port(dev) ? port | all : all));
}

// Virtual functions have ATS of their own; the rest is their physical one's (10.5.1, 10.5.2, 7.8.9).
static void close_ways(const struct pci_dev *dev)
{
    end_short_cuts(dev);
    if (!pci_is_port(dev))
        end_translations(dev);
}

void pci_set_fence(const struct pci_fence *to)
{
    const struct pci_dev *dev;
    fence = to;
    for (size_t i = 0; fence && (dev = pci_get(i)); i++)
        close_ways(dev);
}

bool pci_grant(struct pci_dev *dev, struct problem *p)
{
    if (!fence || dev->granted)
        return true;
    for (const struct pci_dev *d = dev; d; d = d->parent)
        close_ways(d);
    dev->granted = fence->grant(dev, p);
    dev->unsure = !dev->granted; // what was done of it may not have been undone
    return dev->granted;
}

void pci_revoke(struct pci_dev *dev)
{
    struct problem p;
    if (!fence || !(dev->granted || dev->unsure))
        return;
    dev->granted = false;
    dev->unsure = !fence->revoke(dev, &p);
    if (dev->unsure)
        warn_problem(&p);
}

struct pci_space *pci_space_create(struct problem *p)
{
    if (fence)
        return fence->create(p);
    problem_set(p, "domain-fence",
                "nothing keeps a domain's devices to its memory: domains need a machine with VT-d, "
                "and neither dma=open nor irq=msi");
    return NULL;
}

bool pci_space_map(struct pci_space *space, uint64_t at, uint64_t phys, uint64_t bytes,
                   struct problem *p)
{
    return fence->map(space, at, phys, bytes, p);
}

bool pci_set_space(struct pci_dev *dev, struct pci_space *space)
{
    bool is_free = !dev->granted && !dev->unsure;
    if (is_free)
        dev->space = space;
    return is_free;
}

bool pci_may_master(const struct pci_dev *dev)
{
    return !fence || dev->granted;
}

bool pci_is_fenced(const struct pci_dev *dev)
{
    return fence && !dev->unsure && !fence->reaches(dev);
}
