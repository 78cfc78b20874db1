// SPDX-License-Identifier: BSD-2-Clause
// The list of functions, for the scan that fills it; all others have pci_get(). Boot CPU.
#pragma once

#include "kernel/pci/pci.h"

#define PCI_LIST_MAX 65536

// A cleared one for this place: that of a removed function, or one at the end; NULL: no room. It is
// never moved, as functions point to each other.
struct pci_dev *pci_list_add(uint32_t segment, uint16_t bdf);
void pci_list_drop(struct pci_dev *dev); // it is no function after all
void pci_list_clear(void);

// Adds what is on a bridge's secondary bus.
void pci_scan_below(struct pci_dev *port);

// Gives what is there, and has no addresses yet, some of the bridge's own. False: they don't suffice,
// or it doesn't go with the port, and nothing decodes.
bool pci_place_below(struct pci_dev *port, struct problem *p);
size_t pci_list_count(void);
