// SPDX-License-Identifier: BSD-2-Clause
// The newest lines that went to the console, kept in memory for who looks later.
#pragma once

#include "lib/types.h"

#define LOG_BYTES (128 * KIB)

// Keeps bytes, '\n' at the end of each line; the oldest ones give way. The caller serialises.
void log_add(const char *bytes, size_t count);

// Copies the line at *at, without its '\n', and goes to the next; what doesn't fit is left out. Begin
// with 0: that is the oldest whole line. False: there is no more. What is added meanwhile may tear
// the oldest lines.
bool log_next_line(uint64_t *at, char *to, size_t bytes);
