// SPDX-License-Identifier: BSD-2-Clause
// Checks of what remapping units say of themselves, and of what firmware left on.
#pragma once

#include "drivers/vtd/platform/checks.h"
#include "lib/types.h"

struct check_registers {
    uint64_t base;
    bool absent; // the table names it, and nothing answers there
    uint64_t cap, ecap;
    uint32_t left_on; // GSTS, as firmware left it
};

struct unit_check_input {
    const struct check_registers *units;
    size_t count;
    bool remaps; // DMAR flags, bit 0
    bool x2apic; // the CPUs have it
};

// Adds to what dmar_check() found. Without units, nothing is checked. Pure.
void unit_check(const struct unit_check_input *in, struct checks *out);
