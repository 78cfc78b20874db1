// SPDX-License-Identifier: BSD-2-Clause
// Inside kernel/pci: the fence around DMA, of which pci.h has what others set.
#pragma once

#include "kernel/pci/pci.h"
#include "kernel/pci/pci_regs.h"
#include "lib/problem.h"
#include "lib/types.h"

// What has other functions at the far end of its link.
static inline bool pci_is_port(const struct pci_dev *dev)
{
    return dev->port_type == PCI_EXP_TYPE_ROOT_PORT || dev->port_type == PCI_EXP_TYPE_DOWNSTREAM;
}

// The function that a function's link and error messages are controlled at (9.4): of a virtual one, the
// physical one.
static inline struct pci_dev *pci_lowest(struct pci_dev *dev)
{
    return dev->physical ? dev->physical : dev;
}

// Whether that sends no error messages, since a domain has it or one of its virtual functions.
bool pci_is_muted(const struct pci_dev *lowest);

// A look, after which an owner's time ends: what is told of it doesn't keep what comes later from being told.
void pci_errors_end(struct pci_dev *dev, uint64_t now_ns);

// Lets the function reach its memory, where there is a fence. Boot CPU.
bool pci_grant(struct pci_dev *dev, struct problem *p);

// And ends that. Boot CPU.
void pci_revoke(struct pci_dev *dev);

// Whether none that a domain has reaches it past the remapping units. "domain-acs".
bool pci_is_out_of_reach(const struct pci_dev *dev, struct problem *p);

// Whether it may be a bus master: it was granted memory, or nobody asks.
bool pci_may_master(const struct pci_dev *dev);

// True where nothing that it sends arrives, bus master or not.
bool pci_is_fenced(const struct pci_dev *dev);
