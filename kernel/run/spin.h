// SPDX-License-Identifier: BSD-2-Clause
// How long a CPU looks on before it sleeps: the kernel's loop, and a domain's. Pure.
#pragma once

#include "lib/types.h"

#define SPIN_SHARES 8ull

// The more the last busy stretch brought, the longer it is worth looking on: a single one is waited for
// asleep, more than SPIN_SHARES get the whole.
static inline uint64_t spin_share(uint64_t whole, uint64_t brought)
{
    uint64_t shares = brought ? MIN(brought - 1, SPIN_SHARES) : 0;
    return whole / SPIN_SHARES * shares;
}
