// SPDX-License-Identifier: BSD-2-Clause
// Checks of the DMAR table. drivers/vtd/dmar.c reads what can be used of it; this tells what isn't as the
// specification asks, from the bytes, and reads nothing by that parser.
#pragma once

#include "drivers/vtd/dmar_regs.h"
#include "drivers/vtd/platform/checks.h"
#include "kernel/handoff.h"
#include "lib/types.h"

// Of a PCI function, what the checks look at.
struct check_function {
    uint16_t segment, bdf;
    uint16_t vendor, device;
    uint8_t revision;
    uint8_t header;    // type, without the multi-function bit
    uint8_t secondary; // bus; of bridges
    uint32_t class_code;
};

struct check_bytes {
    const uint8_t *bytes; // NULL: there is no such table
    size_t length;
};

// What isn't there is NULL, and the checks that need it are skipped.
struct dmar_check_input {
    struct check_bytes dmar, madt, hpet, srat; // all but the first are known to have a right header
    const struct handoff_range *ranges;        // UEFI's memory map
    size_t ranges_count;
    const struct check_function *functions;
    size_t functions_count;
};

// Makes all checks that it can. Not reentrant; any table at all is gone through in a time that its length
// bounds.
void dmar_check(const struct dmar_check_input *in, struct checks *out);
