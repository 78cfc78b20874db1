// SPDX-License-Identifier: BSD-2-Clause
// Text and bars in cells. Pure; what doesn't fit is left out.
#pragma once

#include "kernel/base/screen.h"

#define PAINT_NUMBER_BYTES 24

struct paint {
    struct screen_cell *cells;
    unsigned columns, rows;
};

void paint_clear(const struct paint *p);
void paint_row_back(const struct paint *p, unsigned row, enum canvas_colour back);

// Returns the column behind it.
unsigned paint_text(const struct paint *p, unsigned row, unsigned column, enum canvas_colour colour,
                    const char *text);

// So that it ends before column `end`.
void paint_right(const struct paint *p, unsigned row, unsigned end, enum canvas_colour colour,
                 const char *text);

void paint_rule(const struct paint *p, unsigned row);
void paint_bar(const struct paint *p, unsigned row, unsigned column, unsigned width,
               enum canvas_colour colour, uint64_t permille);
void paint_level(const struct paint *p, unsigned row, unsigned column, enum canvas_colour colour,
                 uint64_t permille);

// Short: "812", "12.3k", "1.28M"; "0:12", "1:02:12"; "7.9 us", "102 us", "1.28 ms".
const char *paint_number(char to[PAINT_NUMBER_BYTES], uint64_t n);
const char *paint_time(char to[PAINT_NUMBER_BYTES], uint64_t seconds);
const char *paint_latency(char to[PAINT_NUMBER_BYTES], uint64_t ns);
