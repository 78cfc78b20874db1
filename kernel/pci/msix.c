// SPDX-License-Identifier: BSD-2-Clause
// MSI-X of a function: the capability in configuration space, the table in one of its BARs.

#include "kernel/pci/msi.h"
#include "kernel/pci/pci_regs.h"
#include "lib/mmio.h"

static volatile void *entry_at(const struct pci_dev *dev, unsigned index)
{
    return mmio_at(dev->msix.table, (size_t)index * MSIX_ENTRY_BYTES);
}

static uint16_t change_control(const struct pci_dev *dev, uint16_t clear, uint16_t set)
{
    unsigned at = dev->msix.cap + PCI_MSIX_CONTROL;
    pci_write16(dev, at, (uint16_t)((pci_read16(dev, at) & ~clear) | set));
    return pci_read16(dev, at);
}

static void read_place(const struct pci_dev *dev, unsigned at, unsigned *bar, uint64_t *offset)
{
    uint32_t where = pci_read32(dev, dev->msix.cap + at);
    *bar = (unsigned)field_get(PCI_MSIX_TABLE_BIR, where);
    *offset = where & PCI_MSIX_TABLE_OFFSET;
}

void msix_table_place(const struct pci_dev *dev, unsigned *bar, uint64_t *offset)
{
    read_place(dev, PCI_MSIX_TABLE, bar, offset);
}

// The part at `which` has so many bytes.
static bool part_is_at(const struct pci_dev *dev, unsigned which, uint64_t part_bytes, unsigned bar,
                       uint64_t offset, uint64_t bytes)
{
    unsigned part_bar;
    uint64_t part;
    read_place(dev, which, &part_bar, &part);
    return part_bar == bar && part < offset + bytes && offset < part + part_bytes;
}

// Pending bits come in 64-bit words (7.7.2.9).
bool msix_is_at(const struct pci_dev *dev, unsigned bar, uint64_t offset, uint64_t bytes)
{
    uint64_t vectors = dev->msix.vectors;
    return part_is_at(dev, PCI_MSIX_TABLE, vectors * MSIX_ENTRY_BYTES, bar, offset, bytes) ||
           part_is_at(dev, PCI_MSIX_PBA, DIV_UP(vectors, 64) * 8, bar, offset, bytes);
}

// A table that reaches out of its BAR would have us write into another device's registers.
static bool map_table(struct pci_dev *dev, struct problem *p)
{
    unsigned bir;
    uint64_t offset;
    msix_table_place(dev, &bir, &offset);
    size_t bytes = (size_t)dev->msix.vectors * MSIX_ENTRY_BYTES;
    pci_size_bars(dev);
    uint64_t room = bir < ARRAY_SIZE(dev->bars) ? dev->bars[bir].bytes : 0;
    if (offset > room || bytes > room - offset)
        return problem_set(p, "msix-table-outside-bar",
                           "%s: the MSI-X table (0x%zx bytes at 0x%llx) is outside of BAR %u, "
                           "which has 0x%llx bytes: the device or its firmware is broken",
                           dev->name, bytes, (unsigned long long)offset, bir,
                           (unsigned long long)room);
    return pci_map_bar_part(dev, bir, offset, bytes, &dev->msix.table, p);
}

// MSI and MSI-X must not be on at once, and INTx has to be silent (PCIe Base 6.0, 6.1.4). Memory
// decoding has to be on for the table to be reached.
static void silence_others(struct pci_dev *dev)
{
    unsigned msi = pci_find_cap(dev, PCI_CAP_MSI);
    if (msi)
        pci_write16(dev, msi + PCI_MSI_CONTROL,
                    pci_read16(dev, msi + PCI_MSI_CONTROL) & (uint16_t)~PCI_MSI_CONTROL_ENABLE);
    pci_enable_memory(dev);
    pci_write16(dev, PCI_COMMAND, pci_read16(dev, PCI_COMMAND) | PCI_COMMAND_INTX_DISABLE);
}

// Some devices let their table be accessed only while MSI-X is on, and firmware may have left
// entries unmasked: so it goes on with the whole function masked, until each entry is.
bool msix_enable(struct pci_dev *dev, struct problem *p)
{
    if (!dev->msix.cap)
        return problem_set(p, "msix-missing", "%s (%04x:%04x) has no MSI-X capability", dev->name,
                           dev->vendor, dev->device);
    if (!dev->msix.table && !map_table(dev, p))
        return false;
    silence_others(dev);
    uint16_t both = PCI_MSIX_CONTROL_ENABLE | PCI_MSIX_CONTROL_FUNCTION_MASK;
    uint16_t control = change_control(dev, 0, both);
    if (control == UINT16_MAX || (control & both) != both)
        return problem_set(p, "msix-not-enabled",
                           "%s: MSI-X can't be turned on (its control register reads 0x%04x): is "
                           "the device still there?",
                           dev->name, control);
    for (unsigned i = 0; i < dev->msix.vectors; i++)
        msix_mask(dev, i, true);
    change_control(dev, PCI_MSIX_CONTROL_FUNCTION_MASK, 0);
    return true;
}

// INTx stays off: nobody would handle it.
void msix_disable(struct pci_dev *dev)
{
    if (!dev->msix.cap)
        return;
    change_control(dev, 0, PCI_MSIX_CONTROL_FUNCTION_MASK);
    change_control(dev, PCI_MSIX_CONTROL_ENABLE, 0);
}

// Reading back makes sure that the device has seen the write before the caller goes on.
void msix_mask(struct pci_dev *dev, unsigned index, bool masked)
{
    volatile void *control = mmio_at(entry_at(dev, index), MSIX_ENTRY_CONTROL);
    uint32_t value = mmio_read32(control);
    field_set(&value, MSIX_ENTRY_CONTROL_MASK, masked);
    mmio_write32(control, value);
    mmio_read32(control);
}

// A device may send an unmasked entry's message while half of it is written (7.7.2.6): if the entry
// isn't masked, it is for as long as this takes.
void msix_write(struct pci_dev *dev, unsigned index, const struct msi_msg *msg)
{
    volatile void *entry = entry_at(dev, index);
    bool masked = mmio_read32(mmio_at(entry, MSIX_ENTRY_CONTROL)) & MSIX_ENTRY_CONTROL_MASK;
    if (!masked)
        msix_mask(dev, index, true);
    mmio_write32(mmio_at(entry, MSIX_ENTRY_ADDRESS_LOW), (uint32_t)msg->address);
    mmio_write32(mmio_at(entry, MSIX_ENTRY_ADDRESS_HIGH), (uint32_t)(msg->address >> 32));
    mmio_write32(mmio_at(entry, MSIX_ENTRY_DATA), msg->data);
    mmio_read32(mmio_at(entry, MSIX_ENTRY_DATA));
    if (!masked)
        msix_mask(dev, index, false);
}
