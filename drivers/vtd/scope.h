// SPDX-License-Identifier: BSD-2-Clause
// Which remapping unit a PCI device is behind.
#pragma once

#include "drivers/vtd/dmar.h"
#include "kernel/pci/pci.h"
#include "lib/problem.h"

// Sets *unit to the index in d->units[] of the unit that serves the device: the one that names it
// or a bridge above it, else the one that takes all other devices of its segment (VT-d 8.3), one that is
// there before one that isn't.
// "vtd-no-unit": none does. Any CPU, after pci_init().
bool scope_find(const struct dmar *d, const struct pci_dev *dev, size_t *unit, struct problem *p);

// The ranges of memory that are reserved for the device, one by one: *scope starts as 0. False: there are
// no more. Any CPU, after pci_init().
bool scope_next_reserved(const struct dmar *d, const struct pci_dev *dev, size_t *scope,
                         const struct dmar_reserved **range);
