// SPDX-License-Identifier: BSD-2-Clause
// Choosing the functions to stop, from what was read of their configuration space.

#include "boot/bus_masters.h"

#include "boot/pci_regs.h"

void bus_masters_decode(const uint32_t header[PCI_HEADER_WORDS], struct pci_function *f)
{
    f->id = header[PCI_ID / 4];
    uint32_t class = header[PCI_CLASS / 4];
    f->base_class = (uint8_t)field_get(PCI_CLASS_BASE, class);
    f->sub_class = (uint8_t)field_get(PCI_CLASS_SUB, class);
    f->bridge = field_get(PCI_HEADER_TYPE, header[PCI_HEADER / 4]) == PCI_HEADER_TYPE_BRIDGE;
    f->master = header[PCI_COMMAND / 4] & PCI_COMMAND_BUS_MASTER;
}

static bool may_stop(const struct pci_function *f)
{
    switch (f->base_class) {
    case PCI_CLASS_BASE_BRIDGE:
        return f->bridge;
    case PCI_CLASS_BASE_SYSTEM:
        return f->sub_class != PCI_CLASS_SUB_IOMMU;
    default:
        return true;
    }
}

void bus_masters_choose(struct pci_function *functions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct pci_function *f = &functions[i];
        f->stop = f->master && may_stop(f);
    }
}
