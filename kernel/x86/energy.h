// SPDX-License-Identifier: BSD-2-Clause
// The energy that a processor package has taken, as RAPL counts it (SDM vol. 3, 15.10.3; AMD has the
// same registers elsewhere).
#pragma once

#include "lib/bits.h"
#include "lib/muldiv.h"
#include "lib/types.h"

struct energy {
    unsigned package; // the calling CPU's
    uint32_t count;   // goes round
    unsigned unit;    // a count is 2^-unit joules
};

// False: the CPU doesn't tell. Any CPU.
bool energy_read(struct energy *out);

// Microjoules from one reading to the next, on the same CPU, less than a round apart. Pure.
static inline uint64_t energy_between(const struct energy *from, const struct energy *to)
{
    return mul_div(to->count - from->count, 1000000, BIT64(to->unit));
}
