// SPDX-License-Identifier: BSD-2-Clause
// The screen's fonts, as the build takes them from Debian's console fonts, and which of them fits.
#pragma once

#include "lib/types.h"

struct font {
    const uint8_t *glyphs; // 256 of them, in the order of ISO 8859-15; the leftmost pixel is bit 7
    unsigned width, height;
    unsigned line_bytes, glyph_bytes;
};

// Reads a PSF file, version 1 or 2. False: it is none, or lacks glyphs. Pure.
bool font_parse(const uint8_t *file, size_t bytes, struct font *out);

// Pixels of a character's cell: those of a font, each drawn as a square of `scale` by `scale`.
struct font_fit {
    struct font font;
    unsigned scale;
    unsigned columns, rows; // at least 1
};

// The largest cells that leave room for a table, or the smallest. False: there is no room at all. Pure,
// but for where the fonts are.
bool font_choose(unsigned width, unsigned height, struct font_fit *out);

// The one with the largest glyphs. False: there is none.
bool font_largest(struct font *out);

extern const uint8_t font_files[], font_files_end[]; // PSF files, each behind its length in 4 bytes
