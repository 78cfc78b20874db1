// SPDX-License-Identifier: BSD-2-Clause

#include "kernel/base/panel_paint.h"

#include "lib/format.h"
#include "lib/string.h"

static struct screen_cell *cell(const struct paint *p, unsigned row, unsigned column)
{
    return row < p->rows && column < p->columns ? &p->cells[row * p->columns + column] : NULL;
}

void paint_row_back(const struct paint *p, unsigned row, enum canvas_colour back)
{
    for (unsigned i = 0; i < p->columns && row < p->rows; i++)
        *cell(p, row, i) = (struct screen_cell){ ' ', COLOUR_TEXT, back };
}

void paint_clear(const struct paint *p)
{
    for (unsigned row = 0; row < p->rows; row++)
        paint_row_back(p, row, COLOUR_BACK);
}

unsigned paint_text(const struct paint *p, unsigned row, unsigned column, enum canvas_colour colour,
                    const char *text)
{
    for (; *text; text++, column++) {
        struct screen_cell *c = cell(p, row, column);
        if (c)
            *c = (struct screen_cell){ (uint8_t)*text, colour, c->back };
    }
    return column;
}

void paint_right(const struct paint *p, unsigned row, unsigned end, enum canvas_colour colour,
                 const char *text)
{
    size_t length = strlen(text);
    if (length <= end)
        paint_text(p, row, end - (unsigned)length, colour, text);
}

void paint_rule(const struct paint *p, unsigned row)
{
    for (unsigned i = 0; i < p->columns && row < p->rows; i++)
        *cell(p, row, i) = (struct screen_cell){ SCREEN_RULE, COLOUR_TRACK, COLOUR_BACK };
}

void paint_bar(const struct paint *p, unsigned row, unsigned column, unsigned width,
               enum canvas_colour colour, uint64_t permille)
{
    uint64_t eighths = MIN(permille, 1000ull) * width * SCREEN_BAR_WHOLE / 1000;
    if (permille && !eighths)
        eighths = 1; // there is something
    for (unsigned i = 0; i < width; i++) {
        struct screen_cell *c = cell(p, row, column + i);
        uint8_t part = (uint8_t)MIN(eighths, (uint64_t)SCREEN_BAR_WHOLE);
        eighths -= part;
        if (c) // an empty one is a whole one of the track's
            *c = (struct screen_cell){ part ? part : SCREEN_BAR_WHOLE,
                                       part ? (uint8_t)colour : COLOUR_TRACK, COLOUR_TRACK };
    }
}

void paint_level(const struct paint *p, unsigned row, unsigned column, enum canvas_colour colour,
                 uint64_t permille)
{
    struct screen_cell *c = cell(p, row, column);
    if (c)
        *c = (struct screen_cell){ (uint8_t)(SCREEN_LEVEL +
                                             DIV_UP(MIN(permille, 1000ull) * 8, 1000)),
                                   (uint8_t)colour, COLOUR_TRACK };
}

// Three digits, with as many of them behind the point as there is room for.
static const char *three(char *to, uint64_t n, uint64_t unit, const char *suffix)
{
    unsigned long long whole = n / unit, rest = n % unit;
    if (whole >= 100)
        format_text(to, PAINT_NUMBER_BYTES, "%llu%s", whole, suffix);
    else if (whole >= 10)
        format_text(to, PAINT_NUMBER_BYTES, "%llu.%llu%s", whole, rest / (unit / 10), suffix);
    else
        format_text(to, PAINT_NUMBER_BYTES, "%llu.%02llu%s", whole, rest / (unit / 100), suffix);
    return to;
}

const char *paint_number(char to[PAINT_NUMBER_BYTES], uint64_t n)
{
    if (n >= 1000000000)
        return three(to, n, 1000000000, "G");
    if (n >= 1000000)
        return three(to, n, 1000000, "M");
    if (n >= 10000)
        return three(to, n, 1000, "k");
    format_text(to, PAINT_NUMBER_BYTES, "%llu", (unsigned long long)n);
    return to;
}

const char *paint_time(char to[PAINT_NUMBER_BYTES], uint64_t seconds)
{
    unsigned long long h = seconds / 3600, min = seconds / 60 % 60, s = seconds % 60;
    if (h)
        format_text(to, PAINT_NUMBER_BYTES, "%llu:%02llu:%02llu", h, min, s);
    else
        format_text(to, PAINT_NUMBER_BYTES, "%llu:%02llu", min, s);
    return to;
}

const char *paint_latency(char to[PAINT_NUMBER_BYTES], uint64_t ns)
{
    if (ns >= NS_PER_S)
        return three(to, ns, NS_PER_S, " s");
    return ns >= NS_PER_MS ? three(to, ns, NS_PER_MS, " ms") : three(to, ns, NS_PER_US, " us");
}
