// SPDX-License-Identifier: BSD-2-Clause
// Registers of configuration space. A domain's host (Intel VMD) turns accesses to its window into
// configuration requests: it may hang if two CPUs make them at once, and a write is done once a read
// from there was answered (Linux: drivers/pci/controller/vmd.c).

#include "kernel/pci/pci.h"
#include "lib/mmio.h"

static void begin(const struct pci_dev *dev)
{
    if (dev->domain)
        spinlock_lock(&dev->domain->lock);
}

static void end(const struct pci_dev *dev)
{
    if (dev->domain)
        spinlock_unlock(&dev->domain->lock);
}

static void end_write(const struct pci_dev *dev, unsigned offset)
{
    if (dev->domain)
        mmio_read32(mmio_at(dev->config, ALIGN_DOWN(offset, 4u)));
    end(dev);
}

uint8_t pci_read8(const struct pci_dev *dev, unsigned offset)
{
    begin(dev);
    uint8_t value = mmio_read8(mmio_at(dev->config, offset));
    end(dev);
    return value;
}

uint16_t pci_read16(const struct pci_dev *dev, unsigned offset)
{
    begin(dev);
    uint16_t value = mmio_read16(mmio_at(dev->config, offset));
    end(dev);
    return value;
}

uint32_t pci_read32(const struct pci_dev *dev, unsigned offset)
{
    begin(dev);
    uint32_t value = mmio_read32(mmio_at(dev->config, offset));
    end(dev);
    return value;
}

void pci_write16(const struct pci_dev *dev, unsigned offset, uint16_t value)
{
    begin(dev);
    mmio_write16(mmio_at(dev->config, offset), value);
    end_write(dev, offset);
}

void pci_write32(const struct pci_dev *dev, unsigned offset, uint32_t value)
{
    begin(dev);
    mmio_write32(mmio_at(dev->config, offset), value);
    end_write(dev, offset);
}
