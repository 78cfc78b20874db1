// SPDX-License-Identifier: BSD-2-Clause
// Text on the framebuffer that firmware left, if there is one: a log, and above it a panel while
// something runs. Without one, all of this does nothing.
#pragma once

#include "kernel/base/canvas.h"

struct screen_cell {
    uint8_t code; // a character of ISO 8859-15, or one of these:
    uint8_t colour, back;
};
#define SCREEN_BAR 0x01 // to 08h: a bar that fills that many eighths of the cell, from the left
#define SCREEN_BAR_WHOLE 0x08
#define SCREEN_LEVEL 0x10 // to 18h: so many eighths from below
#define SCREEN_RULE 0x19  // a line across

#define SCREEN_COLUMNS_MAX 240
#define SCREEN_ROWS_MAX 120

#define SCREEN_ALL UINT32_MAX // pixels

// Clears the screen and draws on it from now on; `pixels` is where it is mapped, NULL: nowhere. Boot
// CPU, once.
void screen_init(const struct handoff_framebuffer *fb, volatile void *pixels);

// What fits; 0: there is no screen.
unsigned screen_columns(void);
unsigned screen_rows(void);

// Draws as many pixels of what has changed, or all of it; true: there is more. Nothing else draws. Any CPU.
bool screen_draw(unsigned pixels);

// Writes text to the log; '\n' ends a line, which has its colour by how it begins; '\b' goes one
// character back. Any CPU, not in interrupt context.
void screen_write(const char *bytes, size_t count);

// Takes so many rows at the top from the log, or gives them back. Boot CPU, as the next two.
void screen_panel_reserve(unsigned rows);

// All its cells, row by row, screen_columns() each.
void screen_panel_set(const struct screen_cell *cells);

// Where a cell lies, in pixels.
struct screen_place {
    unsigned x, y, width, height;
};
struct screen_place screen_place(unsigned row, unsigned column);

// Nobody waits for the others any more, since they have been stopped; until it is handed back.
void screen_take_over(void);
void screen_hand_back(void);
