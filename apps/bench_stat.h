// SPDX-License-Identifier: BSD-2-Clause
// A figure of several repeats: what lies in the middle, and how far they are apart. Pure.
#pragma once

#include "lib/types.h"

struct bench_stat {
    uint64_t median; // of an even number, the mean of the two in the middle
    uint64_t min, max;
};

// Sorts the values. All zeros where there are none.
struct bench_stat bench_stat(uint64_t *values, size_t count);

// Half of what lies between least and most, in thousandths of the median.
unsigned bench_spread(const struct bench_stat *stat);

// How far `b` is above `a`, in thousandths of a; negative: below. 0 where a is 0.
int64_t bench_gain(uint64_t a, uint64_t b);
