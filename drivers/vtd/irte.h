// SPDX-License-Identifier: BSD-2-Clause
// Interrupt remapping table entries and the messages that select them: values in, words out.
#pragma once

#include "drivers/vtd/vtd_regs.h"
#include "kernel/pci/msi.h"
#include "lib/types.h"

// Who may use an entry (VT-d 9.9: SID, SQ, SVT).
struct irte_source {
    uint16_t sid; // requester id; SVT_BUS: first bus 15:8, last bus 7:0
    uint8_t sq, svt;
};

// What an entry says.
struct irte_fields {
    bool present;
    bool posted;
    bool urgent;          // posted
    uint8_t vector;       // remapped: of the interrupt; posted: bit number in the PIR
    uint32_t destination; // remapped: x2APIC id
    uint64_t descriptor;  // posted: physical address
    struct irte_source source;
};

// The function with this requester id and no other.
struct irte_source irte_source_exact(uint16_t requester);
// Any function on these buses.
struct irte_source irte_source_buses(uint8_t first, uint8_t last);
// Who signals for this device, bridges on the way included (VT-d 5.1.1).
struct irte_source irte_source_of(const struct pci_dev *dev);

// Whether the unit lets this requester use the entry (VT-d 9.9, SVT and SQ).
bool irte_source_allows(struct irte_source source, uint16_t requester);

// A present entry: fixed, physical, edge, faults reported; needs EIME=1. For a posted one,
// `descriptor` must be 64-byte aligned.
struct irte irte_remapped(uint32_t apic_id, uint8_t vector, struct irte_source source);
struct irte irte_posted(uint64_t descriptor, uint8_t vector, bool urgent,
                        struct irte_source source);
struct irte_fields irte_unpack(struct irte entry);

// The message that a device sends to use entry `index`: remappable format without subhandle, so
// that the data is ignored (VT-d 5.1.5).
struct msi_msg irte_message(uint16_t index);
