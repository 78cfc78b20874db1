// SPDX-License-Identifier: BSD-2-Clause
// What is read out of a histogram. Pure.
#include "apps/histogram.h"

#define ALL 100000ull // thousandths of a percent

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
    into->sum += from->sum;
    into->max = MAX(into->max, from->max);
}

uint64_t histogram_count(const struct histogram *h)
{
    uint64_t count = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        count += h->buckets[i];
    return count;
}

uint64_t histogram_mean(const struct histogram *h)
{
    uint64_t count = histogram_count(h);
    return count ? h->sum / count : 0;
}

uint64_t histogram_middle(size_t bucket)
{
    if (bucket < 2 * HISTOGRAM_LINEAR)
        return bucket;
    unsigned shift = (unsigned)(bucket >> HISTOGRAM_BITS) - 1;
    uint64_t low = (bucket % HISTOGRAM_LINEAR + HISTOGRAM_LINEAR) << shift;
    return low + (1ull << shift) / 2;
}

uint64_t histogram_percentile(const struct histogram *h, unsigned thousandths)
{
    uint64_t count = histogram_count(h);
    // ceil(count * thousandths / ALL) in two parts, so that no count overflows
    uint64_t rank = count / ALL * thousandths + DIV_UP(count % ALL * thousandths, ALL);
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen && seen >= rank)
            return MIN(histogram_middle(i), h->max);
    }
    return 0;
}
