// SPDX-License-Identifier: BSD-2-Clause
// A histogram of latencies: log-linear buckets as fio's, 64 to each power of two, so that a value
// is known to within 1/128 of itself. Recording takes a few instructions; the unit is the caller's.
#pragma once

#include "lib/types.h"

#define HISTOGRAM_BITS 6
#define HISTOGRAM_LINEAR (1u << HISTOGRAM_BITS) // buckets to each power of two
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_BITS + 1) * HISTOGRAM_LINEAR)

struct histogram {
    uint64_t sum;
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

// Values below 2 * HISTOGRAM_LINEAR have a bucket each; above, HISTOGRAM_BITS bits after the
// leading one choose the bucket.
static inline size_t histogram_bucket(uint64_t value)
{
    size_t shift = (63u ^ (unsigned)__builtin_clzll(value | HISTOGRAM_LINEAR)) - HISTOGRAM_BITS;
    return (shift << HISTOGRAM_BITS) + (value >> shift);
}

// Owner CPU.
static inline void histogram_record(struct histogram *h, uint64_t value)
{
    h->buckets[histogram_bucket(value)]++;
    h->sum += value;
    if (unlikely(value > h->max))
        h->max = value;
}

void histogram_merge(struct histogram *into, const struct histogram *from);

uint64_t histogram_count(const struct histogram *h);
uint64_t histogram_mean(const struct histogram *h); // 0 if there are no values

// What stands for all values of a bucket: the middle of them, as in fio.
uint64_t histogram_middle(size_t bucket);

// The value that `thousandths` of a percent of all values (0 to 100000) don't exceed: the middle
// of its bucket, at most the largest value. 0 if there are no values.
uint64_t histogram_percentile(const struct histogram *h, unsigned thousandths);
