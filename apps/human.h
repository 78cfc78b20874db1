// SPDX-License-Identifier: BSD-2-Clause
// Numbers as people like to read them. Pure; each returns `to`, which has HUMAN_BYTES.
#pragma once

#include "lib/types.h"

#define HUMAN_BYTES 32

const char *human_count(char *to, uint64_t n);                              // 1,234,567
const char *human_size(char *to, uint64_t bytes);                           // 4 KiB; exact
const char *human_tenths(char *to, uint64_t tenths);                        // 1,234.5
const char *human_time(char *to, uint64_t ns);                              // 12.3 s, or 450 ms
const char *human_duration(char *to, uint64_t seconds);                     // 2 h 5 min, 3 min 5 s
const char *human_ratio(char *to, uint64_t a, uint64_t b, unsigned digits); // a/b, 0 where b is 0
