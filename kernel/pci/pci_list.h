// SPDX-License-Identifier: BSD-2-Clause
// The list of functions, for the scan that fills it; all others have pci_get(). Boot CPU.
#pragma once

#include "kernel/pci/pci.h"

#define PCI_LIST_MAX 65536

// A cleared one for this place: that of a removed function, or one at the end; NULL: no room. It is
// never moved, as functions point to each other.
struct pci_dev *pci_list_add(uint32_t segment, uint16_t bdf);
void pci_list_drop(struct pci_dev *dev); // it is no function after all
void pci_list_remove(struct pci_dev *dev);
void pci_list_clear(void);

// Adds what is on a bridge's secondary bus.
void pci_scan_below(struct pci_dev *port);

// Adds virtual functions, which `virtual` tells of, as far as they can be.
void pci_scan_virtual(struct pci_dev *physical);

// The SR-IOV capability, or 0; what its registers say; and why that can't be, NULL: it can.
unsigned pci_virtual_cap(const struct pci_dev *dev);
struct pci_virtual pci_virtual_as_set(const struct pci_dev *dev, unsigned cap);
const char *pci_virtual_fault(const struct pci_dev *dev, const struct pci_virtual *v);

// The BARs of virtual functions, which must not decode: those of the first one.
void pci_virtual_bars(const struct pci_dev *physical, unsigned cap, struct pci_bar *bars);

// Fills in `bases`.
void pci_read_bases(struct pci_dev *dev);

// A function that answers to addresses of this BAR, too; NULL: none that is known of.
const struct pci_dev *pci_bar_shared(const struct pci_dev *dev, unsigned bar);

// Gives what is there, and has no addresses yet, some of the bridge's own. False: they don't suffice,
// or it doesn't go with the port, and nothing decodes.
bool pci_place_below(struct pci_dev *port, struct problem *p);
size_t pci_list_count(void);

// Whether the bridge forwards all of these addresses.
bool pci_forwards(const struct pci_dev *bridge, uint64_t base, uint64_t bytes);
