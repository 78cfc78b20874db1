// SPDX-License-Identifier: BSD-2-Clause
// A text screen: a grid of characters in RAM, drawn with the font that the build takes from Debian's
// console fonts. The framebuffer is only ever written, since reading it back is slow.

#include "kernel/base/screen.h"

#include "lib/string.h"

#define COLUMNS_MAX 160
#define ROWS_MAX 100

// PSF1: magic 36h 04h, mode, bytes per glyph; then the glyphs, 8 pixels wide.
extern const uint8_t font_start[];
#define FONT_HEADER 4
#define FONT_WIDTH 8

static struct {
    volatile uint32_t *pixels;
    unsigned stride, columns, rows, glyph_bytes;
    unsigned column, row;
    char text[ROWS_MAX][COLUMNS_MAX];
} screen;

uint64_t screen_bytes(const struct handoff_framebuffer *fb)
{
    uint64_t bytes = (uint64_t)fb->stride * fb->height * 4;
    bool plausible = fb->base && fb->width >= FONT_WIDTH && fb->width <= 16384 &&
                     fb->height <= 16384 && fb->stride >= fb->width && bytes <= fb->bytes;
    return plausible ? bytes : 0;
}

static void draw(unsigned row, unsigned column)
{
    const uint8_t *glyph =
        font_start + FONT_HEADER + (uint8_t)screen.text[row][column] * screen.glyph_bytes;
    for (unsigned y = 0; y < screen.glyph_bytes; y++) {
        volatile uint32_t *at = screen.pixels +
                                (size_t)(row * screen.glyph_bytes + y) * screen.stride +
                                (size_t)column * FONT_WIDTH;
        for (unsigned x = 0; x < FONT_WIDTH; x++)
            at[x] = glyph[y] & (0x80 >> x) ? 0x00d0d0d0 : 0;
    }
}

static void put(unsigned row, unsigned column, char c)
{
    if (screen.text[row][column] == c)
        return;
    screen.text[row][column] = c;
    draw(row, column);
}

void screen_init(const struct handoff_framebuffer *fb, volatile uint32_t *pixels)
{
    if (!pixels || font_start[0] != 0x36 || font_start[1] != 0x04 || !font_start[3])
        return;
    screen.glyph_bytes = font_start[3];
    screen.stride = fb->stride;
    screen.columns = MIN(fb->width / FONT_WIDTH, (unsigned)COLUMNS_MAX);
    screen.rows = MIN(fb->height / screen.glyph_bytes, (unsigned)ROWS_MAX);
    if (!screen.rows)
        return;
    screen.pixels = pixels;
    for (size_t i = 0; i < (size_t)fb->stride * fb->height; i++)
        screen.pixels[i] = 0;
    memset(screen.text, ' ', sizeof(screen.text));
}

static void scroll(void)
{
    for (unsigned row = 0; row < screen.rows; row++)
        for (unsigned column = 0; column < screen.columns; column++)
            put(row, column, row + 1 < screen.rows ? screen.text[row + 1][column] : ' ');
}

static void new_line(void)
{
    screen.column = 0;
    if (screen.row + 1 < screen.rows)
        screen.row++;
    else
        scroll();
}

void screen_write(const char *bytes, size_t count)
{
    if (!screen.pixels)
        return;
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\b') {
            screen.column -= screen.column > 0;
            continue;
        }
        if (bytes[i] == '\n' || screen.column == screen.columns)
            new_line();
        if (bytes[i] != '\n')
            put(screen.row, screen.column++, bytes[i] >= ' ' && bytes[i] < 0x7f ? bytes[i] : '?');
    }
}
