// SPDX-License-Identifier: BSD-2-Clause
// The list of functions, for the scan that fills it; all others have pci_get(). Boot CPU.
#pragma once

#include "kernel/pci/pci.h"

#define PCI_LIST_MAX 65536

// A cleared one at the end; NULL: no room. It is never moved, as functions point to each other.
struct pci_dev *pci_list_add(void);
void pci_list_drop(void); // the last one
void pci_list_clear(void);
size_t pci_list_count(void);
