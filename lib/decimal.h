// SPDX-License-Identifier: BSD-2-Clause
// Numbers of up to 128 bits in decimal. Pure; both return `to`.
#pragma once

#include "lib/types.h"

#define DECIMAL_BYTES 56 // 2^128 * 2^32 has 49 digits

// value * times; `value` has its low word first.
const char *decimal_text(const uint64_t value[2], uint32_t times, char to[DECIMAL_BYTES]);

// "63.21 G" for the digits of 63209472000: two decimals, rounded, and the SI prefix.
const char *decimal_si(const char *digits, char *to, size_t bytes);
