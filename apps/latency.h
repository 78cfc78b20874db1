// SPDX-License-Identifier: BSD-2-Clause
// Latencies in reports: TSC cycles as nanoseconds, and fio's object of a histogram.
#pragma once

#include "apps/histogram.h"
#include "lib/json.h"

uint64_t latency_ns(uint64_t tsc);

// mean, max, N and percentiles of latencies in TSC cycles.
void latency_json(struct json *j, const char *name, const struct histogram *h);
