// SPDX-License-Identifier: BSD-2-Clause
// Which PCI functions may no longer reach memory when the kernel takes over. Pure.
#pragma once

#include "lib/types.h"

struct pci_function {
    uint16_t segment;
    uint8_t bus, device, function;
    uint8_t base_class, sub_class;
    bool bridge;     // PCI-to-PCI
    bool master;     // bus mastering was on
    bool stop;       // set by bus_masters_choose()
    uint32_t id;     // device and vendor
    uint64_t config; // physical address of its registers; 0: reached by ports
};

// Reads what the first 64 bytes of configuration space say; location and config stay as they are.
void bus_masters_decode(const uint32_t header[16], struct pci_function *f);

// Marks every function that masters the bus, except host and ISA bridges (some carry the chipset's
// own traffic) and IOMMUs (they read their own tables). Displays are none: a linear framebuffer is
// memory that the display decodes, or that its own memory controller reads, without mastering.
void bus_masters_choose(struct pci_function *functions, size_t count);
