// SPDX-License-Identifier: BSD-2-Clause
// Histograms in full. fio's buckets are ours, but of nanoseconds: where a TSC is fast, several of ours
// go into one of fio's.
#include "apps/bins.h"

#include "kernel/base/report.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/muldiv.h"

#define BINS_IN_LINE 40u
#define BIN_BYTES 44 // two numbers of up to 20 digits, and what stands around them

static size_t fio_bucket(size_t bucket, uint64_t tsc_hz)
{
    return histogram_bucket(mul_div(histogram_middle(bucket), NS_PER_S, tsc_hz));
}

bool bins_next(const struct histogram *h, uint64_t tsc_hz, size_t *bucket, uint64_t *ns,
               uint64_t *count)
{
    size_t i = *bucket, fio;
    while (i < HISTOGRAM_BUCKETS && !h->buckets[i])
        i++;
    if (i == HISTOGRAM_BUCKETS)
        return false;
    fio = fio_bucket(i, tsc_hz);
    *ns = histogram_middle(fio);
    for (*count = 0; i < HISTOGRAM_BUCKETS && fio_bucket(i, tsc_hz) == fio; i++)
        *count += h->buckets[i];
    *bucket = i;
    return true;
}

static unsigned count_bins(const struct histogram *h)
{
    size_t bucket = 0;
    uint64_t ns, count;
    unsigned bins = 0;
    while (bins_next(h, time_tsc_hz(), &bucket, &ns, &count))
        bins++;
    return bins;
}

static void add_bins(struct json *j, const struct histogram *h, size_t *bucket)
{
    uint64_t ns, count;
    json_open(j, "bins");
    for (unsigned i = 0; i < BINS_IN_LINE && bins_next(h, time_tsc_hz(), bucket, &ns, &count);
         i++) {
        char key[24];
        format_text(key, sizeof(key), "%llu", (unsigned long long)ns);
        json_u64(j, key, count);
    }
    json_close(j);
}

void bins_send(const struct histogram *h, const char *of,
               void (*name)(struct json *j, const void *arg), const void *arg)
{
    static char line[256 + BINS_IN_LINE * BIN_BYTES]; // the boot CPU's
    unsigned parts = DIV_UP(count_bins(h), BINS_IN_LINE);
    size_t bucket = 0;
    for (unsigned part = 0; part < parts; part++) {
        struct json j;
        json_begin(&j, line, sizeof(line), "bins");
        name(&j, arg);
        json_text(&j, "of", of);
        json_u64(&j, "part", part);
        json_u64(&j, "parts", parts);
        add_bins(&j, h, &bucket);
        report_json(&j);
    }
}
