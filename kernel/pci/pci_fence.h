// SPDX-License-Identifier: BSD-2-Clause
// Inside kernel/pci: the fence around DMA, of which pci.h has what others set.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

struct pci_dev;

// Lets the function reach the DMA arena, where there is a fence. Boot CPU.
bool pci_grant(struct pci_dev *dev, struct problem *p);

// And ends that. False: there is no fence, or it didn't confirm. Boot CPU.
bool pci_revoke(struct pci_dev *dev);
