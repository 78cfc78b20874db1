// SPDX-License-Identifier: BSD-2-Clause
// Devices that send an interrupt request, or write to memory, when they are told to: for tests of what
// a platform makes of that. A driver names them; it changes nothing that its device has stored.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

struct pci_dev;

// Embed it; it must stay valid, and belongs to the boot CPU.
struct irq_generator {
    const char *name; // "nvme0"
    struct pci_dev *dev;
    unsigned index; // the entry of its MSI-X table whose message it sends

    // Has it send one. It has been sent, or soon will be, when this returns true. False: the device gave no
    // answer.
    bool (*send)(struct irq_generator *g, struct problem *p);

    // Has it write a page to that address. Whether the write arrives doesn't matter: false only where the
    // device gave no answer.
    bool (*write_page)(struct irq_generator *g, uint64_t address, struct problem *p);

    struct irq_generator *next;
};

void irq_generator_add(struct irq_generator *g);
struct irq_generator *irq_generator_first(void); // the one that was added last
