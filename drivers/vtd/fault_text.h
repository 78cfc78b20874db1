// SPDX-License-Identifier: BSD-2-Clause
// A fault record of a remapping unit, read and put into a sentence.
#pragma once

#include "drivers/vtd/irte.h"
#include "lib/types.h"

struct vtd_fault {
    uint64_t unit; // where its registers are
    uint16_t segment;
    uint16_t source; // requester id
    uint8_t reason;
    bool interrupt;   // else of a DMA
    bool has_index;   // interrupt: the unit knows which entry
    uint16_t index;   // valid where has_index is
    uint64_t address; // DMA: page
    bool reads;       // DMA: else writes
    // What the driver knows besides.
    char owner[24];           // interrupt: whose entry it is, "nvme0q3"; "": nobody's
    struct irte_fields entry; // valid where owner is set
    const char *lies_there;   // DMA: what is at the address; NULL: unknown
};

// From the two words of a fault recording register (VT-d 11.4.7.6).
struct vtd_fault vtd_fault_decode(uint64_t unit, uint16_t segment, uint64_t low, uint64_t high);

// Stable short id of the reason: "irte-source", ...
const char *vtd_fault_what(const struct vtd_fault *f);

// One sentence that names unit, device, entry, reason and remedy. Returns its full length, as
// format_text() does.
int vtd_fault_sentence(char *to, size_t bytes, const struct vtd_fault *f);
