// SPDX-License-Identifier: BSD-2-Clause
// A unit's registers as firmware left them, read before anything is written to it.
#pragma once

#include "drivers/vtd/vtd_regs.h"
#include "lib/types.h"

struct vtd_left {
    uint32_t gsts, fsts, fectl;
    uint64_t irta; // 0 where the unit doesn't remap
    // Protected memory (VT-d 11.4.8); 0 where the unit has none of a range.
    uint32_t pmen, low_base, low_limit;
    uint64_t high_base, high_limit;
};

static inline bool vtd_left_protected(const struct vtd_left *left)
{
    return left->pmen & (VTD_PMEN_EPM | VTD_PMEN_PRS);
}
