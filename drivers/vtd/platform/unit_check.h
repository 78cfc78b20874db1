// SPDX-License-Identifier: BSD-2-Clause
// Checks of what remapping units say of themselves, and of what firmware left on.
#pragma once

#include "drivers/vtd/left.h"
#include "drivers/vtd/platform/checks.h"
#include "lib/types.h"

struct check_registers {
    uint64_t base;
    bool absent; // the table names it, and nothing answers there
    uint64_t cap, ecap;
    struct vtd_left left;
};

struct unit_check_input {
    const struct check_registers *units;
    size_t count;
    // DMAR's flags.
    bool remaps, opts_out, claims_no_dma;
    bool x2apic, left_x2apic; // the CPUs have it; firmware left it on
    size_t left_masters;      // devices that could write to memory after ExitBootServices
};

// Adds to what dmar_check() found. Without units, nothing is checked. Pure.
void unit_check(const struct unit_check_input *in, struct checks *out);
