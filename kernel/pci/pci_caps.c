// SPDX-License-Identifier: BSD-2-Clause
// Lists of capabilities (PCIe Base 6.0, 7.5.1.1.11 and 7.6.3). Firmware and devices get them wrong:
// each walk ends, stays within the space that the list may use, and keeps what came before a fault.

#include "kernel/pci/pci.h"
#include "kernel/pci/pci_regs.h"

// Follows the list to the first capability with this id, or of any id; 0: none. `fault` tells why
// the walk ended early.
static unsigned walk(const struct pci_dev *dev, int id, const char **fault)
{
    *fault = NULL;
    if (dev->header > PCI_HEADER_BRIDGE || !(pci_read16(dev, PCI_STATUS) & PCI_STATUS_CAP_LIST))
        return 0;
    unsigned at = ALIGN_DOWN(pci_read8(dev, PCI_CAP_POINTER), PCI_CAP_ALIGN);
    for (unsigned i = 0; at; i++) {
        if (at < PCI_CAP_FIRST || i == PCI_CAP_COUNT_MAX) {
            *fault = i == PCI_CAP_COUNT_MAX ? "it never ends" : "it leads into the header";
            return 0;
        }
        uint16_t header = pci_read16(dev, at + PCI_CAP_HEADER);
        if (header == UINT16_MAX) {
            *fault = "it reads all ones";
            return 0;
        }
        if ((int)field_get(PCI_CAP_HEADER_ID, header) == id)
            return at;
        at = ALIGN_DOWN((unsigned)field_get(PCI_CAP_HEADER_NEXT, header), PCI_CAP_ALIGN);
    }
    return 0;
}

unsigned pci_find_cap(const struct pci_dev *dev, uint8_t id)
{
    const char *fault;
    return walk(dev, id, &fault);
}

const char *pci_caps_fault(const struct pci_dev *dev)
{
    const char *fault;
    (void)walk(dev, -1, &fault);
    return fault;
}

// Reads beyond the first 256 bytes are answered by PCI Express functions alone.
unsigned pci_find_ext_cap(const struct pci_dev *dev, uint16_t id)
{
    unsigned at = dev->port_type == PCI_EXP_TYPE_NONE ? 0 : PCI_EXT_CAP_FIRST;
    for (unsigned i = 0; i < PCI_EXT_CAP_COUNT_MAX && at >= PCI_EXT_CAP_FIRST; i++) {
        uint32_t header = pci_read32(dev, at);
        if (header == UINT32_MAX)
            return 0;
        if (field_get(PCI_EXT_CAP_ID, header) == id)
            return at;
        at = ALIGN_DOWN((unsigned)field_get(PCI_EXT_CAP_NEXT, header), PCI_CAP_ALIGN);
    }
    return 0;
}
