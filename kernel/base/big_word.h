// SPDX-License-Identifier: BSD-2-Clause
// Words in letters of any size.
#pragma once

#include "kernel/base/canvas.h"

// In the middle of a rectangle (pixels), as large as fits.
void big_word(const char *word, unsigned x, unsigned y, unsigned width, unsigned height,
              enum canvas_colour colour, enum canvas_colour back);
