// SPDX-License-Identifier: BSD-2-Clause
// How a line of the log looks. Pure.
#pragma once

#include "lib/types.h"

#define SCREEN_LINE_BYTES 1024

// enum canvas_colour: of warnings, errors and verdicts their own.
uint8_t screen_line_colour(const char *line, size_t length);

// How many bytes of it go into a row of `columns`: up to a space, where there is one not too far back.
size_t screen_line_break(const char *line, size_t length, size_t columns);
