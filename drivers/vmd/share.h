// SPDX-License-Identifier: BSD-2-Clause
// A VMD that takes the MSIs from below and sends its own instead: an irq from below comes through one of
// the VMD's, which it may share with others.
#pragma once

#include "kernel/irq/irq.h"
#include "kernel/pci/pci.h"

#define VMD_SHARE_MAX 256 // irqs that come through one of the VMD's

// One entry of the VMD's MSI-X table.
struct vmd_vector {
    struct irq *irq;
    unsigned used; // no slot from there on was ever taken
    struct irq *slots[VMD_SHARE_MAX];
};

struct vmd_share {
    struct pci_domain domain;
    char name[12];               // "vmd0"
    unsigned first, count;       // entries of the table that may be used
    struct vmd_vector **vectors; // by entry - first; those below `made` are there
    unsigned made;
};

// The chip of domains whose MSIs are taken; they are in a struct vmd_share. The VMD's own irqs are
// allocated as they are needed, so MSI-X must be on.
extern const struct irq_chip vmd_chip;
