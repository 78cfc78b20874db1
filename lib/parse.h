// SPDX-License-Identifier: BSD-2-Clause
// Numbers as people write them on a command line. The whole text must be a number: false if it is
// not, or doesn't fit into 64 bits.
#pragma once

#include "lib/types.h"

bool parse_number(const char *text, size_t length, uint64_t *value); // decimal, or hex after 0x
bool parse_size(const char *text, size_t length, uint64_t *bytes);   // k, m, g, t: times 1024
bool parse_time(const char *text, size_t length, uint64_t *us);      // seconds, or us, ms, s, m, h
