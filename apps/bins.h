// SPDX-License-Identifier: BSD-2-Clause
// A histogram of TSC cycles as fio's json+ has it: how many latencies at each of fio's values in
// nanoseconds.
#pragma once

#include "apps/histogram.h"
#include "lib/json.h"

// The next of fio's values that has any latencies; `bucket` is where to look on, 0 at first. False:
// there are no more. Pure.
bool bins_next(const struct histogram *h, uint64_t tsc_hz, size_t *bucket, uint64_t *ns,
               uint64_t *count);

// Sends all of them as JSON `bins`, in as many lines as they need; `name` adds what they belong to,
// and `of` says which times they are.
void bins_send(const struct histogram *h, const char *of,
               void (*name)(struct json *j, const void *arg), const void *arg);
