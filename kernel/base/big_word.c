// SPDX-License-Identifier: BSD-2-Clause
// A letter of the largest font, made eight times as large with its edges smoothed, and of that as many
// pixels as there is room for.

#include "kernel/base/big_word.h"

#include "kernel/base/font.h"
#include "lib/string.h"

#define DOUBLINGS 3
#define ENLARGED (1u << DOUBLINGS)
#define GLYPH_WIDTH_MAX 16u
#define GLYPH_HEIGHT_MAX 32u
#define WIDTH_MAX (GLYPH_WIDTH_MAX * ENLARGED)
#define HEIGHT_MAX (GLYPH_HEIGHT_MAX * ENLARGED)

struct picture {
    unsigned width, height;
    bool ink[HEIGHT_MAX][WIDTH_MAX];
};

static bool ink_at(const struct picture *p, int x, int y)
{
    return x >= 0 && y >= 0 && x < (int)p->width && y < (int)p->height && p->ink[y][x];
}

static void read_glyph(const struct font *font, char c, struct picture *to)
{
    const uint8_t *glyph = font->glyphs + (uint8_t)c * font->glyph_bytes;
    to->width = font->width;
    to->height = font->height;
    for (unsigned y = 0; y < font->height; y++)
        for (unsigned x = 0; x < font->width; x++)
            to->ink[y][x] = glyph[y * font->line_bytes + x / 8] & (0x80 >> x % 8);
}

// A corner takes the colour of its two neighbours where these agree and those across don't (Scale2x).
static void enlarge(const struct picture *from, struct picture *to)
{
    to->width = 2 * from->width;
    to->height = 2 * from->height;
    for (int y = 0; y < (int)to->height; y++)
        for (int x = 0; x < (int)to->width; x++) {
            int dx = x % 2 ? 1 : -1, dy = y % 2 ? 1 : -1;
            bool beside = ink_at(from, x / 2 + dx, y / 2), across = ink_at(from, x / 2 - dx, y / 2);
            bool above = ink_at(from, x / 2, y / 2 + dy), below = ink_at(from, x / 2, y / 2 - dy);
            bool smooth = beside == above && beside != below && above != across;
            to->ink[y][x] = smooth ? beside : ink_at(from, x / 2, y / 2);
        }
}

static const struct picture *letter(const struct font *font, char c)
{
    static struct picture pictures[2];
    read_glyph(font, c, &pictures[DOUBLINGS % 2]);
    for (unsigned i = DOUBLINGS; i; i--)
        enlarge(&pictures[i % 2], &pictures[(i - 1) % 2]);
    return &pictures[0];
}

// Capitals have no ink above and below: those lines don't count.
static void find_ink(const struct picture *p, unsigned *first, unsigned *count)
{
    unsigned last = 0;
    *first = p->height;
    for (unsigned y = 0; y < p->height; y++)
        for (unsigned x = 0; x < p->width; x++)
            if (p->ink[y][x]) {
                *first = MIN(*first, y);
                last = y;
            }
    *count = *first < p->height ? last - *first + 1 : 0;
}

static void draw(const struct picture *p, unsigned first, unsigned count, unsigned x, unsigned y,
                 unsigned width, unsigned height, enum canvas_colour colour,
                 enum canvas_colour back)
{
    static uint8_t line[WIDTH_MAX * 64];
    width = MIN(width, (unsigned)sizeof(line));
    for (unsigned i = 0; i < height; i++) {
        for (unsigned j = 0; j < width; j++)
            line[j] = p->ink[first + i * count / height][j * p->width / width] ? colour : back;
        canvas_draw(x, y + i, 1, line, width);
    }
}

void big_word(const char *word, unsigned x, unsigned y, unsigned width, unsigned height,
              enum canvas_colour colour, enum canvas_colour back)
{
    struct font font;
    unsigned first, count, letters = (unsigned)strlen(word);
    if (!font_largest(&font) || font.width > GLYPH_WIDTH_MAX || font.height > GLYPH_HEIGHT_MAX)
        return;
    find_ink(letter(&font, word[0]), &first, &count);
    if (!count)
        return;
    unsigned each = WIDTH_MAX * height / count;
    if (each * letters > width) {
        each = width / letters;
        y += (height - each * count / WIDTH_MAX) / 2;
        height = each * count / WIDTH_MAX;
    }
    x += (width - each * letters) / 2;
    for (unsigned i = 0; i < letters; i++)
        draw(letter(&font, word[i]), first, count, x + i * each, y, each, height, colour, back);
}
