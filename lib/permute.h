// SPDX-License-Identifier: BSD-2-Clause
// A random order of the numbers from 0 to count - 1, each of them once, and back from a number to
// its place in that order. It takes no memory, so that it serves for each block of a disk, and
// whoever knows the seed knows the order.
#pragma once

#include "lib/types.h"

#define PERMUTE_ROUNDS 4

struct permute {
    uint64_t count;
    unsigned half; // bits of each half of a number
    uint64_t keys[PERMUTE_ROUNDS];
};

// count is 1 to 2^63.
void permute_init(struct permute *p, uint64_t count, uint64_t seed);

// position, value: below count.
uint64_t permute_value(const struct permute *p, uint64_t position);
uint64_t permute_position(const struct permute *p, uint64_t value);
