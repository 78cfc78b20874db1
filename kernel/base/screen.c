// SPDX-License-Identifier: BSD-2-Clause
// A grid of cells in RAM, and what of it is on the framebuffer: only what differs is drawn, some of it at
// a time, since a framebuffer is slow and whoever draws has other work.

#include "kernel/base/screen.h"

#include "kernel/base/font.h"
#include "kernel/base/screen_line.h"
#include "kernel/base/x86.h"
#include "lib/spinlock.h"
#include "lib/string.h"

#define WIDTH_MAX 16384 // pixels: canvas_bytes()

#define MARGIN_COLUMNS 100 // a narrower screen has no room for that:
#define MARGIN 2           // before and behind the log's text
#define INDENT 4           // more, before what didn't fit into the row above

// Lines that come faster than that are a burst, for which the log leaps: no eye follows it, and each
// step draws the whole of it.
#define BURST_CYCLES (1ull << 26)

static struct {
    struct font_fit fit;
    unsigned columns, rows; // 0: there is no screen
    unsigned left, top;     // pixels before the first cell
    unsigned panel_rows;
    uint64_t first;    // line of the log in its first row
    uint64_t last;     // the one behind the last
    uint64_t line_at;  // that begins with `line`, which isn't ended yet
    uint64_t scrolled; // TSC
    unsigned next;     // row to be drawn next, of those that are
    bool due[SCREEN_ROWS_MAX];
    struct spinlock lock;
    bool unlocked;
    char line[SCREEN_LINE_BYTES];
    size_t line_length, cursor;
    struct screen_cell log[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX]; // a ring of lines
    struct screen_cell panel[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
    struct screen_cell shown[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
} screen;

static const struct screen_cell blank = { ' ', COLOUR_TEXT, COLOUR_BACK };

static bool lock(void)
{
    if (screen.unlocked)
        return false;
    spinlock_lock(&screen.lock);
    return true;
}

static void unlock(bool locked)
{
    if (locked)
        spinlock_unlock(&screen.lock);
}

void screen_take_over(void)
{
    screen.unlocked = true;
}

void screen_hand_back(void)
{
    screen.unlocked = false;
}

unsigned screen_columns(void)
{
    return screen.columns;
}

unsigned screen_rows(void)
{
    return screen.rows;
}

struct screen_place screen_place(unsigned row, unsigned column)
{
    unsigned width = screen.fit.font.width * screen.fit.scale;
    unsigned height = screen.fit.font.height * screen.fit.scale;
    return (struct screen_place){ screen.left + column * width, screen.top + row * height, width,
                                  height };
}

// ---- cells ----

static bool same(const struct screen_cell *a, const struct screen_cell *b)
{
    return a->code == b->code && a->colour == b->colour && a->back == b->back;
}

// Line y of a cell, in pixels of the font, where a character has none of its own.
static uint8_t drawn_pixel(const struct screen_cell *cell, unsigned x, unsigned y)
{
    const struct font *font = &screen.fit.font;
    bool is_bar = cell->code >= SCREEN_BAR && cell->code <= SCREEN_BAR_WHOLE;
    if (cell->code == SCREEN_RULE)
        return y == font->height / 2 ? cell->colour : cell->back;
    if (is_bar && (y < font->height / 4 || y >= font->height * 3 / 4))
        return COLOUR_BACK;
    if (is_bar)
        return x * 8 < cell->code * font->width ? cell->colour : cell->back;
    if (x == font->width - 1)
        return COLOUR_BACK; // between this level and the next
    return (font->height - y) * 8 <= (cell->code - SCREEN_LEVEL) * font->height ? cell->colour
                                                                                : cell->back;
}

// Line y of a cell as bits, the leftmost pixel in bit 63, for characters.
static uint64_t glyph_line(uint8_t code, unsigned y)
{
    const struct font *font = &screen.fit.font;
    const uint8_t *line = font->glyphs + code * font->glyph_bytes + y * font->line_bytes;
    uint64_t bits = 0;
    for (unsigned i = 0; i < font->line_bytes; i++)
        bits |= (uint64_t)line[i] << (56 - 8 * i);
    return bits;
}

// Returns what follows the colours of the cell's line y.
static uint8_t *put_line(uint8_t *to, const struct screen_cell *cell, unsigned y)
{
    uint64_t bits = cell->code >= ' ' ? glyph_line(cell->code, y) : 0;
    for (unsigned x = 0; x < screen.fit.font.width; x++, bits <<= 1) {
        uint8_t colour = cell->code < ' ' ? drawn_pixel(cell, x, y)
                         : bits >> 63     ? cell->colour
                                          : cell->back;
        for (unsigned i = 0; i < screen.fit.scale; i++)
            *to++ = colour;
    }
    return to;
}

// Cells beside one another, line by line of pixels.
static void draw(unsigned row, unsigned column, const struct screen_cell *cells, unsigned count)
{
    static uint8_t colours[WIDTH_MAX];
    unsigned scale = screen.fit.scale;
    struct screen_place at = screen_place(row, column);
    for (unsigned y = 0; y < screen.fit.font.height; y++) {
        uint8_t *to = colours;
        for (unsigned i = 0; i < count; i++)
            to = put_line(to, &cells[i], y);
        canvas_draw(at.x, at.y + y * scale, scale, colours, (unsigned)(to - colours));
    }
}

// Draws some of the row's cells; returns how many. Those that don't differ count for nothing.
static unsigned draw_row(unsigned row, const struct screen_cell *wanted, unsigned most)
{
    struct screen_cell *shown = screen.shown[row];
    unsigned drawn = 0;
    for (unsigned column = 0, count; column < screen.columns && drawn < most; column += count + 1) {
        for (count = 0; column + count < screen.columns && drawn + count < most; count++) {
            if (same(&wanted[column + count], &shown[column + count]))
                break;
            shown[column + count] = wanted[column + count];
        }
        if (count)
            draw(row, column, &wanted[column], count);
        drawn += count;
    }
    return drawn;
}

// ---- the log ----

static unsigned log_rows(void)
{
    return screen.rows - screen.panel_rows;
}

static struct screen_cell *log_line(uint64_t line)
{
    return screen.log[line % SCREEN_ROWS_MAX];
}

static const struct screen_cell *wanted_row(unsigned row)
{
    static struct screen_cell empty[SCREEN_COLUMNS_MAX];
    if (row < screen.panel_rows)
        return screen.panel[row];
    uint64_t line = screen.first + row - screen.panel_rows;
    if (line < screen.last)
        return log_line(line);
    for (unsigned i = 0; i < screen.columns; i++)
        empty[i] = blank;
    return empty;
}

static void want_all(void)
{
    memset(screen.due, true, sizeof(screen.due));
}

// A line of the log that can be seen.
static void want(uint64_t line)
{
    unsigned row = screen.panel_rows + (unsigned)(line - screen.first);
    if (row < screen.rows)
        screen.due[row] = true;
}

// False: so many cells were too few.
static bool draw_due(unsigned most)
{
    for (unsigned i = 0; i < screen.rows; i++, screen.next = (screen.next + 1) % screen.rows) {
        if (!screen.due[screen.next])
            continue;
        most -= draw_row(screen.next, wanted_row(screen.next), most);
        if (!most)
            return false;
        screen.due[screen.next] = false;
    }
    return true;
}

bool screen_draw(unsigned pixels)
{
    if (!screen.columns)
        return false;
    bool locked = lock();
    struct screen_place cell = screen_place(0, 0);
    bool all = draw_due(MAX(pixels / (cell.width * cell.height), 1u));
    unlock(locked);
    return !all;
}

// By a line at a time, or in a burst so that the next third of it fits.
static void scroll(void)
{
    uint64_t now = rdtsc();
    bool is_burst = now - screen.scrolled < BURST_CYCLES;
    screen.scrolled = now;
    screen.first = screen.last - log_rows() + (is_burst ? log_rows() / 3 : 0);
    want_all();
}

static void add_row(const char *text, size_t count, unsigned indent, uint8_t colour)
{
    struct screen_cell *to = log_line(screen.last++);
    for (unsigned i = 0; i < screen.columns; i++)
        to[i] = blank;
    for (size_t i = 0; i < count && indent + i < screen.columns; i++)
        to[indent + i] = (struct screen_cell){ (uint8_t)text[i], colour, COLOUR_BACK };
}

// Where the next character of the line comes that somebody types.
static void add_cursor(size_t column)
{
    struct screen_cell *cell = &log_line(screen.last - 1)[MIN(column, screen.columns - 1u)];
    *cell = (struct screen_cell){ cell->code, COLOUR_BACK, COLOUR_TEXT };
}

// A line that is too long is broken between words, and what follows is set in.
static void lay_line(bool ended)
{
    const char *at = screen.line, *end = at + screen.line_length;
    const char *cursor = at + screen.cursor;
    uint8_t colour = screen_line_colour(at, screen.line_length);
    unsigned margin = screen.columns >= MARGIN_COLUMNS ? MARGIN : 0, indent = margin;
    do {
        size_t count = screen_line_break(at, (size_t)(end - at), screen.columns - indent - margin);
        add_row(at, count, indent, colour);
        if (!ended && cursor >= at && cursor <= at + count)
            add_cursor(indent + (size_t)(cursor - at));
        at += count;
        for (; ended && at < end && *at == ' '; at++)
            ;
        indent = margin ? margin + INDENT : 0;
    } while (at < end);
}

// Anew, since it was shown while it wasn't whole.
static void show_line(bool ended)
{
    uint64_t before = screen.last;
    screen.last = screen.line_at;
    lay_line(ended);
    if (screen.last - screen.first > log_rows())
        scroll();
    for (uint64_t line = MAX(screen.line_at, screen.first); line < MAX(screen.last, before); line++)
        want(line);
}

static void end_line(void)
{
    show_line(true);
    screen.line_at = screen.last;
    screen.line_length = screen.cursor = 0;
}

static void put(char c)
{
    if (c == '\n' || screen.cursor == sizeof(screen.line))
        end_line();
    if (c == '\b' && screen.cursor)
        screen.cursor--;
    if (c == '\b' || c == '\n')
        return;
    screen.line[screen.cursor++] = c >= ' ' && c < 0x7f ? c : '?';
    screen.line_length = MAX(screen.line_length, screen.cursor);
}

void screen_write(const char *bytes, size_t count)
{
    if (!screen.columns)
        return;
    bool locked = lock();
    for (size_t i = 0; i < count; i++)
        put(bytes[i]);
    if (screen.line_length)
        show_line(false);
    unlock(locked);
}

// ---- the panel ----

void screen_panel_reserve(unsigned rows)
{
    rows = MIN(rows, screen.rows * 3 / 4);
    if (rows == screen.panel_rows)
        return;
    bool locked = lock();
    for (unsigned i = screen.panel_rows; i < rows; i++)
        for (unsigned j = 0; j < screen.columns; j++)
            screen.panel[i][j] = blank;
    screen.panel_rows = rows;
    screen.first = screen.last > log_rows() ? screen.last - log_rows() : 0;
    want_all();
    unlock(locked);
}

void screen_panel_set(const struct screen_cell *cells)
{
    bool locked = lock();
    for (unsigned i = 0; i < screen.panel_rows; i++, cells += screen.columns)
        memcpy(screen.panel[i], cells, screen.columns * sizeof(*cells));
    memset(screen.due, true, screen.panel_rows);
    unlock(locked);
}

// ---- set-up ----

void screen_init(const struct handoff_framebuffer *fb, volatile void *pixels)
{
    memset(&screen, 0, sizeof(screen));
    if (!pixels || !font_choose(fb->width, fb->height, &screen.fit))
        return;
    screen.columns = MIN(screen.fit.columns, (unsigned)SCREEN_COLUMNS_MAX);
    screen.rows = MIN(screen.fit.rows, (unsigned)SCREEN_ROWS_MAX);
    struct screen_place cell = screen_place(0, 0);
    screen.left = (fb->width - screen.columns * cell.width) / 2;
    screen.top = (fb->height - screen.rows * cell.height) / 2;
    canvas_init(fb, pixels);
    for (unsigned i = 0; i < SCREEN_ROWS_MAX; i++)
        for (unsigned j = 0; j < SCREEN_COLUMNS_MAX; j++)
            screen.shown[i][j] = blank;
}
