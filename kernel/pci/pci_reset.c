// SPDX-License-Identifier: BSD-2-Clause
// Function Level Reset (PCIe Base 6.0, 6.6.2). Of what it takes away, firmware's addresses and packet
// sizes come back; drivers and the fence set all else up anew.

#include "kernel/pci/pci.h"
#include "kernel/pci/pci_list.h"
#include "kernel/pci/pci_regs.h"

#define NS_RESET (100 * NS_PER_MS) // before the first access
#define RETRIES 10                 // as many times that

static void save_bars(const struct pci_dev *dev, uint32_t bars[PCI_BARS_NORMAL])
{
    unsigned cap = pci_virtual_cap(dev);
    for (unsigned i = 0; cap && i < PCI_BARS_NORMAL; i++)
        bars[i] = pci_read32(dev, cap + PCI_SRIOV_VF_BAR + 4 * i);
}

static void restore_bars(const struct pci_dev *dev, const uint32_t bars[PCI_BARS_NORMAL])
{
    unsigned cap = pci_virtual_cap(dev);
    for (unsigned i = 0; cap && i < PCI_BARS_NORMAL; i++)
        pci_write32(dev, cap + PCI_SRIOV_VF_BAR + 4 * i, bars[i]);
}

static bool comes_back(struct pci_dev *dev, void (*delay_ns)(uint64_t))
{
    bool back = false;
    for (unsigned i = 0; !back && i < RETRIES; i++) {
        delay_ns(NS_RESET);
        back = pci_revive(dev, delay_ns);
    }
    return back;
}

bool pci_reset(struct pci_dev *dev, void (*delay_ns)(uint64_t), struct problem *p)
{
    uint32_t bars[PCI_BARS_NORMAL];
    unsigned express = pci_find_cap(dev, PCI_CAP_EXP);
    if (!express || !(pci_read32(dev, express + PCI_EXP_DEVICE_CAP) & PCI_EXP_DEVICE_CAP_RESET))
        return true;
    pci_keep(dev);
    save_bars(dev, bars);
    uint16_t control = pci_read16(dev, express + PCI_EXP_DEVICE_CONTROL);
    pci_write16(dev, express + PCI_EXP_DEVICE_CONTROL,
                (uint16_t)(control | PCI_EXP_DEVICE_CONTROL_RESET));
    if (!comes_back(dev, delay_ns))
        return problem_set(p, "pci-reset",
                           "%s: it doesn't come back from its reset within %u ms: switch the "
                           "machine off and on",
                           dev->name, (unsigned)(RETRIES * NS_RESET / NS_PER_MS));
    restore_bars(dev, bars);
    return true;
}
