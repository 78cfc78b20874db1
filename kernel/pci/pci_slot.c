// SPDX-License-Identifier: BSD-2-Clause
// Slots that functions are taken out of while the machine runs (PCIe Base 6.0, 6.7).

#include "kernel/pci/pci.h"
#include "kernel/pci/pci_regs.h"

static uint16_t read_exp(const struct pci_dev *port, unsigned offset)
{
    return pci_read16(port, pci_find_cap(port, PCI_CAP_EXP) + offset);
}

static void write_exp(const struct pci_dev *port, unsigned offset, uint16_t value)
{
    pci_write16(port, pci_find_cap(port, PCI_CAP_EXP) + offset, value);
}

static bool has_slot(const struct pci_dev *port)
{
    return (port->port_type == PCI_EXP_TYPE_ROOT_PORT ||
            port->port_type == PCI_EXP_TYPE_DOWNSTREAM) &&
           read_exp(port, PCI_EXP_FLAGS) & PCI_EXP_FLAGS_SLOT &&
           read_exp(port, PCI_EXP_SLOT_CAP) & PCI_EXP_SLOT_CAP_HOT_PLUG;
}

const struct pci_dev *pci_slot_of(const struct pci_dev *dev)
{
    return dev->parent && has_slot(dev->parent) ? dev->parent : NULL;
}

// All ones: the port itself is gone. Writing a 1 clears the bit.
bool pci_slot_asks(const struct pci_dev *port)
{
    uint16_t status = read_exp(port, PCI_EXP_SLOT_STATUS);
    if (status == UINT16_MAX || !(status & PCI_EXP_SLOT_STATUS_BUTTON))
        return false;
    write_exp(port, PCI_EXP_SLOT_STATUS, PCI_EXP_SLOT_STATUS_BUTTON);
    return true;
}

void pci_slot_power_off(const struct pci_dev *port)
{
    uint32_t control = read_exp(port, PCI_EXP_SLOT_CONTROL);
    field_set(&control, PCI_EXP_SLOT_CONTROL_INDICATOR, PCI_EXP_SLOT_INDICATOR_OFF);
    write_exp(port, PCI_EXP_SLOT_CONTROL, (uint16_t)(control | PCI_EXP_SLOT_CONTROL_POWER_OFF));
}
