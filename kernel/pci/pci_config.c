// SPDX-License-Identifier: BSD-2-Clause
// Registers of configuration space.

#include "kernel/pci/pci.h"
#include "lib/mmio.h"

uint8_t pci_read8(const struct pci_dev *dev, unsigned offset)
{
    return mmio_read8(mmio_at(dev->config, offset));
}

uint16_t pci_read16(const struct pci_dev *dev, unsigned offset)
{
    return mmio_read16(mmio_at(dev->config, offset));
}

uint32_t pci_read32(const struct pci_dev *dev, unsigned offset)
{
    return mmio_read32(mmio_at(dev->config, offset));
}

void pci_write16(const struct pci_dev *dev, unsigned offset, uint16_t value)
{
    mmio_write16(mmio_at(dev->config, offset), value);
}

void pci_write32(const struct pci_dev *dev, unsigned offset, uint32_t value)
{
    mmio_write32(mmio_at(dev->config, offset), value);
}
