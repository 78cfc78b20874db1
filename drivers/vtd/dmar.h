// SPDX-License-Identifier: BSD-2-Clause
// The DMAR table: which remapping units there are, and which devices each one serves. Bytes in,
// structures out; nothing of it is believed before it has been checked.
#pragma once

#include "drivers/vtd/dmar_regs.h"
#include "lib/problem.h"
#include "lib/types.h"
#include "lib/warnings.h"

#define DMAR_UNITS_MAX 1024 // a machine of 64 sockets has 640
#define DMAR_SCOPES_MAX 16384
#define DMAR_RESERVED_MAX 256

struct dmar_unit {
    uint64_t base; // physical address of the registers, 4 KiB aligned
    bool absent;   // nothing is where the table says: it stands for the devices that it names
    uint16_t segment;
    bool include_pci_all; // serves what no other unit of the segment names
    unsigned node;        // NUMA node, NODE_ANY where the table doesn't say
};

// Memory that firmware, or what it left running in a device, has its DMA in (RMRR).
struct dmar_reserved {
    uint64_t base, end; // whole pages
    uint16_t segment;
};

// A PCI device that a unit serves, or that has reserved memory; endpoint or bridge. (IOAPICs, HPETs and
// ACPI devices are checked and left out: Onebell takes no interrupt from them.)
struct dmar_scope {
    enum dmar_scope_type type;
    bool reserves; // index is of reserved[], else of units[]
    uint16_t index;
    uint8_t start_bus;   // root bus, on the unit's segment
    uint8_t hops;        // at least 1
    const uint8_t *path; // hops pairs of device and function; points into the table
};

struct dmar {
    unsigned width;  // host address width in bits; 0: the table gives none that can be
    bool intr_remap; // the platform has interrupt remapping
    bool x2apic_opt_out;
    bool dma_opt_in; // the platform claims to have ended DMA at the hand-off
    struct dmar_unit units[DMAR_UNITS_MAX];
    size_t units_count;
    struct dmar_reserved reserved[DMAR_RESERVED_MAX];
    size_t reserved_count;
    struct dmar_scope scopes[DMAR_SCOPES_MAX];
    size_t scopes_count;
};

// Reads a DMAR table of at most `length` bytes, which must outlive the result. Refuses a table that
// can't be trusted as a whole ("dmar-truncated", "dmar-signature", "dmar-checksum"); of one that is
// malformed inside, what is good is used, and the rest is a warning. No units at all is not a problem
// here. Pure: any CPU (VT-d 8).
bool dmar_parse(const void *table, size_t length, struct dmar *out, struct warnings *w,
                struct problem *p);
