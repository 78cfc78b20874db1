// SPDX-License-Identifier: BSD-2-Clause
// Turning virtual functions on and off (PCIe Base 6.0, 9.2.1, 9.3.3).

#include "kernel/pci/pci.h"
#include "kernel/pci/pci_list.h"
#include "kernel/pci/pci_regs.h"

#define PHYS_END BIT64(52) // no x86 physical address reaches this

static uint16_t read(const struct pci_dev *dev, unsigned offset)
{
    return pci_read16(dev, pci_virtual_cap(dev) + offset);
}

static void write(const struct pci_dev *dev, unsigned offset, uint16_t value)
{
    pci_write16(dev, pci_virtual_cap(dev) + offset, value);
}

// InitialVFs is less where others, which nobody has here, are to migrate (9.3.3.5).
unsigned pci_virtual_most(const struct pci_dev *dev)
{
    if (dev->physical || !pci_virtual_cap(dev) ||
        read(dev, PCI_SRIOV_CONTROL) & PCI_SRIOV_CONTROL_VF_ENABLE)
        return 0;
    return MIN(read(dev, PCI_SRIOV_TOTAL_VFS), read(dev, PCI_SRIOV_INITIAL_VFS));
}

// ---- what they need ----

static const char *fault_of(const struct pci_dev *dev, const struct pci_bar *bar, unsigned count)
{
    uint64_t most = PHYS_END / count;
    if (!bar->base)
        return "firmware gave it no address";
    if (bar->bytes > most || bar->base > PHYS_END - bar->bytes * count)
        return "it reaches past all addresses";
    if (dev->parent && dev->parent->secondary &&
        !pci_forwards(dev->parent, bar->base, bar->bytes * count))
        return "the bridge above doesn't forward it";
    return NULL;
}

static bool have_addresses(const struct pci_dev *dev, unsigned count, struct problem *p)
{
    struct pci_bar bars[PCI_BARS_NORMAL] = { 0 };
    pci_virtual_bars(dev, pci_virtual_cap(dev), bars);
    for (unsigned i = 0; i < PCI_BARS_NORMAL; i++) {
        const struct pci_bar *bar = &bars[i];
        const char *fault = bar->bytes && !bar->io ? fault_of(dev, bar, count) : NULL;
        if (fault)
            return problem_set(
                p, "pci-sriov",
                "%s: BAR %u of its %u virtual functions (0x%llx bytes each, at 0x%llx) "
                "can't be used: %s: turn SR-IOV support on in the firmware's set-up",
                dev->name, i, count, (unsigned long long)bar->bytes, (unsigned long long)bar->base,
                fault);
    }
    return true;
}

// ---- on ----

// What decides where they are, which may change while they are off alone (9.3.3.3.5, 9.3.3.7, 9.3.3.13).
static void set_up(const struct pci_dev *dev, unsigned count)
{
    uint16_t control = read(dev, PCI_SRIOV_CONTROL) & (uint16_t)~PCI_SRIOV_CONTROL_ARI;
    if (pci_forwards_ari(dev->parent))
        control |= PCI_SRIOV_CONTROL_ARI;
    control &= (uint16_t)~PCI_SRIOV_CONTROL_VF_MEMORY;
    write(dev, PCI_SRIOV_CONTROL, control);
    pci_write32(dev, pci_virtual_cap(dev) + PCI_SRIOV_PAGE_SIZE, PCI_SRIOV_PAGE_SIZE_4K);
    write(dev, PCI_SRIOV_NUM_VFS, (uint16_t)count);
}

bool pci_virtual_start(struct pci_dev *dev, unsigned count, struct problem *p)
{
    set_up(dev, count);
    struct pci_virtual v = pci_virtual_as_set(dev, pci_virtual_cap(dev));
    const char *fault = v.count != count ? "NumVFs reads differently" : pci_virtual_fault(dev, &v);
    if (fault)
        return problem_set(p, "pci-sriov",
                           "%s: its %u virtual functions can't be turned on: %s: update its "
                           "firmware",
                           dev->name, count, fault);
    if (!have_addresses(dev, count, p))
        return false;
    write(dev, PCI_SRIOV_CONTROL,
          (uint16_t)(read(dev, PCI_SRIOV_CONTROL) | PCI_SRIOV_CONTROL_VF_ENABLE |
                     PCI_SRIOV_CONTROL_VF_MEMORY));
    return true;
}

unsigned pci_virtual_find(struct pci_dev *dev)
{
    pci_read_virtual(dev);
    if (dev->virtual.count)
        pci_scan_virtual(dev);
    for_each_pci_dev (virtual)
        if (virtual->physical == dev)
            virtual->node = dev->node;
    if (!dev->virtual.count)
        pci_virtual_stop(dev);
    return dev->virtual.count;
}

// ---- off ----

// No register of the capability may be read for a second from then on (9.3.3.3.1).
void pci_virtual_stop(struct pci_dev *dev)
{
    uint32_t on = PCI_SRIOV_CONTROL_VF_ENABLE | PCI_SRIOV_CONTROL_VF_MEMORY;
    write(dev, PCI_SRIOV_CONTROL, (uint16_t)(read(dev, PCI_SRIOV_CONTROL) & ~on));
    dev->virtual = (struct pci_virtual){ 0 };
    for_each_pci_dev (virtual)
        if (virtual->physical == dev)
            pci_list_remove(virtual);
}
