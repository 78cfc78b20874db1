// SPDX-License-Identifier: BSD-2-Clause
// Medians: one repeat that the machine disturbed doesn't move them.
#include "apps/bench_stat.h"

#include "lib/muldiv.h"

static void sort(uint64_t *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint64_t value = values[i];
        size_t at = i;
        for (; at && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

struct bench_stat bench_stat(uint64_t *values, size_t count)
{
    if (!count)
        return (struct bench_stat){ 0 };
    sort(values, count);
    uint64_t low = values[(count - 1) / 2], high = values[count / 2];
    return (struct bench_stat){
        .median = low + (high - low) / 2,
        .min = values[0],
        .max = values[count - 1],
    };
}

unsigned bench_spread(const struct bench_stat *stat)
{
    return stat->median ? (unsigned)mul_div(stat->max - stat->min, 500, stat->median) : 0;
}

int64_t bench_gain(uint64_t a, uint64_t b)
{
    if (!a)
        return 0;
    return b >= a ? (int64_t)mul_div(b - a, 1000, a) : -(int64_t)mul_div(a - b, 1000, a);
}
