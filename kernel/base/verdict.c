// SPDX-License-Identifier: BSD-2-Clause
// On the left a banner and the result's lines, on the right the code, and a rule below.

#include "kernel/base/verdict.h"

#include "kernel/base/big_word.h"
#include "kernel/base/image.h"
#include "kernel/base/panel_paint.h"
#include "kernel/base/result.h"
#include "kernel/base/screen_line.h"
#include "lib/format.h"
#include "lib/qr.h"
#include "lib/string.h"

#define MARGIN 2
#define BUILD_BYTES 6 // of the hash: enough to tell builds apart
#define ROWS_LEAST 10

static bool without_word;

void verdict_leave_word_out(void)
{
    without_word = true;
}

static const char *build_text(char to[2 * BUILD_BYTES + 1])
{
    uint8_t digest[SHA256_BYTES];
    image_sha256(digest);
    for (unsigned i = 0; i < BUILD_BYTES; i++)
        format_text(to + 2 * i, 3, "%02x", digest[i]);
    return to;
}

// As large as fits into a square of `side` pixels. Returns its width; 0: it doesn't fit.
static unsigned draw_code(const struct qr *qr, unsigned right, unsigned top, unsigned side)
{
    static uint8_t line[QR_SIDE_MAX * 64];
    unsigned modules = qr->side + 2 * QR_QUIET, each = MIN(side / modules, 64u);
    unsigned width = modules * each;
    if (width > right)
        return 0;
    canvas_fill(right - width, top, width, width, COLOUR_WHITE);
    for (unsigned row = 0; row < qr->side && each; row++) {
        for (unsigned i = 0; i < qr->side * each; i++)
            line[i] = qr_is_dark(qr, row, i / each) ? COLOUR_BLACK : COLOUR_WHITE;
        canvas_draw(right - width + QR_QUIET * each, top + (QR_QUIET + row) * each, each, line,
                    qr->side * each);
    }
    return width;
}

static void draw_banner(bool ok, unsigned rows, unsigned columns)
{
    struct screen_place from = screen_place(1, MARGIN);
    unsigned width = columns * from.width, height = rows * from.height;
    enum canvas_colour back = ok ? COLOUR_PASS : COLOUR_FAIL;
    canvas_fill(from.x, from.y, width, height, back);
    big_word(ok ? "PASS" : "FAIL", from.x + from.width, from.y + height / 6, width - 2 * from.width,
             height * 2 / 3, COLOUR_WHITE, back);
}

// The status, what was said of it, and the build; broken at the width.
static void put_lines(const struct paint *p, unsigned row, unsigned columns, bool ok,
                      const char *text)
{
    char line[RESULT_BYTES];
    enum canvas_colour colour = ok ? COLOUR_GREEN : COLOUR_RED;
    for (; *text; colour = strchr(text, '\n') ? COLOUR_BRIGHT : COLOUR_DIM) {
        const char *end = strchr(text, '\n');
        size_t length = end ? (size_t)(end - text) : strlen(text);
        for (size_t at = 0, count; at < length; at += count, row++) {
            count = screen_line_break(text + at, length - at, columns);
            format_text(line, sizeof(line), "%.*s", (int)count, text + at);
            paint_text(p, row, MARGIN, colour, line);
        }
        text += length + (end != NULL);
    }
}

static void show(bool ok, unsigned rows)
{
    static struct screen_cell cells[SCREEN_ROWS_MAX * SCREEN_COLUMNS_MAX];
    static struct qr qr;
    char build[2 * BUILD_BYTES + 1], text[RESULT_BYTES];
    struct paint paint = { cells, screen_columns(), rows };
    struct screen_place top = screen_place(1, MARGIN),
                        end = screen_place(rows - 2, screen_columns() - MARGIN);
    size_t length = result_text(result_get(), ok, build_text(build), text);
    bool coded = qr_encode(text, length, &qr);
    unsigned side = end.y + end.height - top.y;
    unsigned modules = coded ? qr.side + 2 * QR_QUIET : 1;
    unsigned taken = coded ? DIV_UP(side / modules * modules, top.width) + MARGIN : 0;
    unsigned columns = screen_columns() - 2 * MARGIN - taken;
    unsigned banner = without_word ? 0 : (rows - 3) / 2;

    paint_clear(&paint);
    put_lines(&paint, banner ? banner + 2 : 1, columns, ok, text);
    paint_rule(&paint, rows - 1);
    screen_panel_set(cells);
    screen_draw(SCREEN_ALL);
    if (coded)
        draw_code(&qr, end.x, top.y, side);
    if (banner)
        draw_banner(ok, banner, columns);
}

void verdict_show(bool ok)
{
    static bool shown;
    unsigned rows = screen_rows() * 2 / 5;
    if (shown || rows < ROWS_LEAST || screen_columns() < 60)
        return;
    shown = true;
    screen_panel_reserve(rows);
    show(ok, rows);
}
