// SPDX-License-Identifier: BSD-2-Clause
// a * b / c without losing the high half in between, and without the compiler's library, which
// divides 128 bits by a function that isn't here.
#pragma once

#include "lib/types.h"

// Rounded down. UINT64_MAX where the result doesn't fit, 0 where c is 0.
static inline uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    uint64_t low = (uint64_t)product, high = (uint64_t)(product >> 64);
    if (!c)
        return 0;
    if (high >= c) // div would fault
        return UINT64_MAX;
    __asm__("divq %2" : "+a"(low), "+d"(high) : "rm"(c) : "cc");
    return low;
}
