// SPDX-License-Identifier: BSD-2-Clause
// MSI-X of a PCI function: the table of messages, each with a mask bit (PCIe Base 6.0, 7.7.2).
#pragma once

#include "kernel/pci/pci.h"

struct msi_msg {
    uint64_t address;
    uint32_t data;
};

// Maps the table, masks every entry, then turns MSI-X on and INTx off. Refuses a table that
// doesn't fit into its BAR.
bool msix_enable(struct pci_dev *dev, struct problem *p);
// Where the table is; nothing of it is checked. For functions that have MSI-X.
void msix_table_place(const struct pci_dev *dev, unsigned *bar, uint64_t *offset);
// Any of the table, or of its pending bits, lies there. For functions that have MSI-X.
bool msix_is_at(const struct pci_dev *dev, unsigned bar, uint64_t offset, uint64_t bytes);
void msix_disable(struct pci_dev *dev);

// Entry `index` must be < dev->msix.vectors. A message is changed only while its entry is masked.
void msix_write(struct pci_dev *dev, unsigned index, const struct msi_msg *msg);
void msix_mask(struct pci_dev *dev, unsigned index, bool masked);
