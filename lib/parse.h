// SPDX-License-Identifier: BSD-2-Clause
// Numbers and names as people write them on a command line. The whole text must be one: false if it
// isn't, or if it doesn't fit into 64 bits, or into the room.
#pragma once

#include "lib/types.h"

bool parse_number(const char *text, size_t length, uint64_t *value); // decimal, or hex after 0x
bool parse_size(const char *text, size_t length, uint64_t *bytes);   // k, m, g, t: times 1024
bool parse_time(const char *text, size_t length, uint64_t *us);      // seconds, or us, ms, s, m, h

// Letters, digits, - and _ alone, so that a file of that name is in no other folder; a zero byte behind them.
bool parse_name(const char *text, size_t length, char *name, size_t room);
