// SPDX-License-Identifier: BSD-2-Clause
// printf's formatting into a buffer. Knows %c %s %d %i %u %x %X %p %%, the length words hh h l ll
// z, flags `-` `0` and `+`, width and precision (also `*`). Floating point doesn't exist here.
#pragma once

#include <stdarg.h>

#include "lib/types.h"

// Both end the text with a zero byte if bytes > 0 and return its full length, cut off or not.
int format_text(char *to, size_t bytes, const char *fmt, ...) PRINTF_LIKE(3, 4);
int format_text_v(char *to, size_t bytes, const char *fmt, va_list args) PRINTF_LIKE(3, 0);
