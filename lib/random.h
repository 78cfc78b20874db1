// SPDX-License-Identifier: BSD-2-Clause
// Numbers that look random, and are the same in each run.
#pragma once

#include "lib/types.h"

// From 0 to end - 1. A linear congruential generator (Knuth's MMIX); only its high bits, which are
// the good ones, reach the result, and the range needs no division.
static inline uint64_t random_below(uint64_t *state, uint64_t end)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint64_t)((unsigned __int128)*state * end >> 64);
}
