// SPDX-License-Identifier: BSD-2-Clause
// PCI Express: every function of every segment, found through ECAM, with the parts a driver needs.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

struct pci_bar {
    uint64_t base; // physical; 0: not there, or firmware left it unassigned
    uint64_t bytes;
    bool io;   // port space, else memory
    bool wide; // 64-bit: the next BAR slot is its upper half
};

struct pci_msix {
    uint16_t cap;         // config offset of the capability; 0: the function has no MSI-X
    uint16_t vectors;     // table size
    volatile void *table; // mapped by msix_enable()
};

struct pci_dev {
    uint16_t segment;
    uint16_t bdf;       // bus 15:8, device 7:3, function 2:0
    uint16_t requester; // the id that an IOMMU sees: bdf, or the alias of a PCIe-to-PCI bridge
    uint16_t vendor, device;
    uint32_t class_code;            // class 23:16, subclass 15:8, interface 7:0
    uint8_t header;                 // header type without the multi-function bit
    uint8_t port_type;              // PCI_EXP_TYPE_*; PCI_EXP_TYPE_NONE: a conventional function
    uint8_t secondary, subordinate; // bridges
    struct pci_dev *parent;         // the bridge above; NULL on a root bus
    volatile void *config;          // 4 KiB of ECAM
    struct pci_bar bars[6];
    struct pci_msix msix;
    unsigned node; // NUMA node; NODE_ANY where unknown
    char name[16]; // "0000:00:04.0"
};

#define PCI_BUS(bdf) ((bdf) >> 8)
#define PCI_DEV(bdf) (((bdf) >> 3) & 31)
#define PCI_FN(bdf) ((bdf) & 7)
#define PCI_BDF(bus, dev, fn) ((uint16_t)((bus) << 8 | (dev) << 3 | (fn)))

// Finds everything that MCFG names. Once, on the boot CPU. Odd things are warned of and passed over.
bool pci_init(struct problem *p);

// The functions found, in the order of segment and bus; NULL past the end.
struct pci_dev *pci_get(size_t index);

uint8_t pci_read8(const struct pci_dev *dev, unsigned offset);
uint16_t pci_read16(const struct pci_dev *dev, unsigned offset);
uint32_t pci_read32(const struct pci_dev *dev, unsigned offset);
void pci_write16(const struct pci_dev *dev, unsigned offset, uint16_t value);
void pci_write32(const struct pci_dev *dev, unsigned offset, uint32_t value);

// Config offset of the first capability with this id; 0: none. The list is followed for at most 48
// entries, so that a loop in it ends.
unsigned pci_find_cap(const struct pci_dev *dev, uint8_t id);

// Memory decoding and bus mastering, of the device and of the bridges above it; and the end of the
// device's own bus mastering.
void pci_enable(struct pci_dev *dev);
void pci_stop_bus_master(struct pci_dev *dev);

// Maps a memory BAR uncached, after checking that it is there and at least so large. No more than
// the larger of `least` and PCI_MAP_BYTES_MAX is mapped. Boot CPU.
#define PCI_MAP_BYTES_MAX (64 * MIB)
bool pci_map_bar(struct pci_dev *dev, unsigned bar, size_t least, volatile void **window,
                 struct problem *p);

// The same for `bytes` > 0 bytes at an offset, and no more than those. Boot CPU.
bool pci_map_bar_part(struct pci_dev *dev, unsigned bar, uint64_t offset, size_t bytes,
                      volatile void **window, struct problem *p);
