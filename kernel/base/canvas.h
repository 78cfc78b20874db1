// SPDX-License-Identifier: BSD-2-Clause
// Pixels of the framebuffer that firmware left: written in whole lines, in any format of 2 to 4 bytes,
// and never read, which takes a microsecond each on real hardware.
#pragma once

#include "kernel/handoff.h"

enum canvas_colour {
    COLOUR_BACK,
    COLOUR_TEXT,
    COLOUR_DIM,
    COLOUR_BRIGHT,
    COLOUR_GREEN,
    COLOUR_YELLOW,
    COLOUR_RED,
    COLOUR_BLUE,
    COLOUR_TRACK, // of a bar, where it isn't filled
    COLOUR_HEAD,  // behind the panel's first row
    COLOUR_PASS,  // behind the big words
    COLOUR_FAIL,
    COLOUR_WHITE, // a QR code's own
    COLOUR_BLACK,
    COLOURS
};

// How many bytes of it are to be mapped; 0: there is none, or it makes no sense.
uint64_t canvas_bytes(const struct handoff_framebuffer *fb);

// Draws there from now on, and clears it. `pixels` is where it is mapped. Boot CPU, once.
void canvas_init(const struct handoff_framebuffer *fb, volatile void *pixels);

// A run of pixels, `lines` times below one another. What lies outside is left out. The caller
// serialises, as for canvas_fill().
void canvas_draw(unsigned x, unsigned y, unsigned lines, const uint8_t *colours, unsigned count);

void canvas_fill(unsigned x, unsigned y, unsigned width, unsigned height, enum canvas_colour c);
