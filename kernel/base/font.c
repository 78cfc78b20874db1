// SPDX-License-Identifier: BSD-2-Clause

#include "kernel/base/font.h"

#include "lib/string.h"

#define GLYPHS 256

// What leaves room for a table with a column for each CPU, and for a panel above a log.
#define COLUMNS_WANTED 120
#define ROWS_WANTED 40
#define SCALE_MAX 8

// PC Screen Font, the format of Linux' console fonts, both versions.
struct psf1 {
    uint8_t magic[2]; // 36h 04h
    uint8_t mode;
    uint8_t glyph_bytes; // and lines: glyphs are 8 wide
};

struct psf2 {
    uint32_t magic;
    uint32_t version, header_bytes, flags;
    uint32_t glyphs, glyph_bytes, height, width;
};
#define PSF2_MAGIC 0x864ab572

static bool use(const uint8_t *file, size_t bytes, size_t header, struct font *out)
{
    bool good = out->width && out->width <= 64 && out->height && out->height <= 64 &&
                out->glyph_bytes == out->line_bytes * out->height && header <= bytes &&
                bytes - header >= (size_t)GLYPHS * out->glyph_bytes;
    out->glyphs = file + header;
    return good;
}

static bool parse_psf2(const uint8_t *file, size_t bytes, struct font *out)
{
    struct psf2 h;
    if (bytes < sizeof(h))
        return false;
    memcpy(&h, file, sizeof(h));
    if (h.magic != PSF2_MAGIC || h.glyphs < GLYPHS || h.width > 64)
        return false;
    *out = (struct font){
        .width = h.width,
        .height = h.height,
        .line_bytes = DIV_UP(h.width, 8),
        .glyph_bytes = h.glyph_bytes,
    };
    return use(file, bytes, h.header_bytes, out);
}

bool font_parse(const uint8_t *file, size_t bytes, struct font *out)
{
    struct psf1 h;
    if (bytes < sizeof(h))
        return false;
    memcpy(&h, file, sizeof(h));
    if (h.magic[0] != 0x36 || h.magic[1] != 0x04)
        return parse_psf2(file, bytes, out);
    *out = (struct font){
        .width = 8,
        .height = h.glyph_bytes,
        .line_bytes = 1,
        .glyph_bytes = h.glyph_bytes,
    };
    return use(file, bytes, sizeof(h), out);
}

// Cells of the same size are better where the font has more pixels of its own: it comes later.
static void try_font(const struct font *font, unsigned width, unsigned height, struct font_fit *out)
{
    for (unsigned scale = 1; scale <= SCALE_MAX; scale++) {
        unsigned columns = width / (font->width * scale), rows = height / (font->height * scale);
        bool is_first = !out->rows && columns && rows;
        bool is_larger = columns >= COLUMNS_WANTED && rows >= ROWS_WANTED &&
                         font->height * scale >= out->font.height * out->scale;
        if (is_first || is_larger)
            *out = (struct font_fit){ *font, scale, columns, rows };
    }
}

// Goes to the next file that is a font. False: there is no more.
static bool next_font(const uint8_t **at, struct font *out)
{
    uint32_t bytes;
    while (sizeof(bytes) <= (size_t)(font_files_end - *at)) {
        const uint8_t *file = *at + sizeof(bytes);
        memcpy(&bytes, *at, sizeof(bytes));
        if (bytes > (size_t)(font_files_end - file))
            return false;
        *at = file + bytes;
        if (font_parse(file, bytes, out))
            return true;
    }
    return false;
}

bool font_choose(unsigned width, unsigned height, struct font_fit *out)
{
    const uint8_t *at = font_files;
    struct font font;
    *out = (struct font_fit){ 0 };
    while (next_font(&at, &font))
        try_font(&font, width, height, out);
    return out->rows;
}

bool font_largest(struct font *out)
{
    const uint8_t *at = font_files;
    struct font font;
    *out = (struct font){ 0 };
    while (next_font(&at, &font))
        if (font.height > out->height)
            *out = font;
    return out->height;
}
