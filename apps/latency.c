// SPDX-License-Identifier: BSD-2-Clause
// Latencies in reports.
#include "apps/latency.h"

#include "kernel/x86/time.h"
#include "lib/muldiv.h"

uint64_t latency_ns(uint64_t tsc)
{
    return mul_div(tsc, NS_PER_S, time_tsc_hz());
}

void latency_json(struct json *j, const char *name, const struct histogram *h)
{
    static const struct {
        const char *name;
        unsigned thousandths;
    } percentiles[] = {
        { "50.000000", 50000 }, { "90.000000", 90000 }, { "95.000000", 95000 },
        { "99.000000", 99000 }, { "99.900000", 99900 }, { "99.990000", 99990 },
    };
    json_open(j, name);
    json_u64(j, "mean", latency_ns(histogram_mean(h)));
    json_u64(j, "max", latency_ns(h->max));
    json_u64(j, "N", histogram_count(h));
    json_open(j, "percentile");
    for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++)
        json_u64(j, percentiles[i].name,
                 latency_ns(histogram_percentile(h, percentiles[i].thousandths)));
    json_close(j);
    json_close(j);
}
