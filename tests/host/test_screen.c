// SPDX-License-Identifier: BSD-2-Clause
// The screen, on a framebuffer in memory: formats of pixels, the choice of a font, the log and its
// scrolling, the panel; and that nothing but what changes is drawn.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "kernel/base/font.h"
#include "kernel/base/screen.h"
#include "kernel/base/screen_line.h"
#include "kernel/base/x86.h"
#include "lib/string.h"

#define BGR 0xff0000u, 0xff00u, 0xffu, 0xff000000u
#define MARK 0xa5

static uint8_t *memory;
static struct handoff_framebuffer fb;
static uint64_t clock_tsc;

uint64_t rdtsc(void)
{
    return clock_tsc;
}

// `behind` bytes behind the last line are guarded by the sanitizer: nothing is allocated there.
static void start(uint32_t width, uint32_t height, uint32_t stride, uint32_t red, uint32_t green,
                  uint32_t blue, uint32_t reserved)
{
    fb = (struct handoff_framebuffer){ .base = 0xc0000000,
                                       .width = width,
                                       .height = height,
                                       .stride = stride,
                                       .red = red,
                                       .green = green,
                                       .blue = blue,
                                       .reserved = reserved };
    fb.bytes = (uint64_t)stride * height * handoff_pixel_bytes(&fb);
    assert_int_equal(canvas_bytes(&fb), fb.bytes);
    free(memory);
    memory = malloc(fb.bytes);
    memset(memory, MARK, fb.bytes);
    clock_tsc = 1ull << 40;
    screen_init(&fb, memory);
}

static int stop(void **state)
{
    free(memory);
    memory = NULL;
    return 0;
}

static uint32_t pixel(unsigned x, unsigned y)
{
    uint32_t value = 0;
    unsigned bytes = handoff_pixel_bytes(&fb);
    memcpy(&value, memory + ((size_t)y * fb.stride + x) * bytes, bytes);
    return value;
}

static void say(const char *text)
{
    clock_tsc += 1ull << 30;
    screen_write(text, strlen(text));
    assert_false(screen_draw(SCREEN_ALL));
}

// What a cell shows, by the font's own glyphs; 0: something else.
static char read_cell(const struct font_fit *fit, unsigned row, unsigned column)
{
    struct screen_place at = screen_place(row, column);
    uint32_t back = pixel(0, 0);
    for (unsigned c = ' '; c < 0x7f; c++) {
        bool same = true;
        for (unsigned y = 0; y < at.height && same; y++)
            for (unsigned x = 0; x < at.width && same; x++) {
                unsigned gx = x / fit->scale, gy = y / fit->scale;
                const uint8_t *line =
                    fit->font.glyphs + c * fit->font.glyph_bytes + gy * fit->font.line_bytes;
                bool ink = line[gx / 8] & (0x80 >> gx % 8);
                same = (pixel(at.x + x, at.y + y) != back) == ink;
            }
        if (same)
            return (char)c;
    }
    return 0;
}

static void expect_row(unsigned row, const char *text)
{
    struct font_fit fit;
    size_t length = strlen(text);
    assert_true(font_choose(fb.width, fb.height, &fit));
    for (unsigned i = 0; i < screen_columns(); i++) {
        char wanted = i < length ? text[i] : ' ';
        char there = read_cell(&fit, row, i);
        if (there != wanted)
            fail_msg("row %u, column %u: '%c' and not '%c'", row, i, there, wanted);
    }
}

// ---- the font ----

static void expect_fit(unsigned width, unsigned height, unsigned cell_width, unsigned cell_height)
{
    struct font_fit fit;
    assert_true(font_choose(width, height, &fit));
    assert_int_equal(fit.font.width * fit.scale, cell_width);
    assert_int_equal(fit.font.height * fit.scale, cell_height);
    assert_int_equal(fit.columns, width / cell_width);
    assert_int_equal(fit.rows, height / cell_height);
}

static void test_large_panels_have_large_letters(void **state)
{
    expect_fit(640, 480, 8, 16);
    expect_fit(800, 600, 8, 16);
    expect_fit(1024, 768, 8, 16);
    expect_fit(1920, 1080, 12, 24);
    expect_fit(2560, 1440, 16, 32);
    expect_fit(3840, 2160, 24, 48);
    expect_fit(7680, 4320, 48, 96);
    expect_fit(8, 16, 8, 16); // nothing else is possible
    struct font_fit fit;
    assert_false(font_choose(7, 600, &fit));
    assert_false(font_choose(800, 15, &fit));
}

static void test_fonts_that_are_none(void **state)
{
    struct font font;
    uint8_t file[4 + 256 * 16] = { 0x36, 0x04, 0, 16 };
    assert_true(font_parse(file, sizeof(file), &font));
    assert_ptr_equal(font.glyphs, file + 4);
    assert_false(font_parse(file, sizeof(file) - 1, &font));
    assert_false(font_parse(file, 3, &font));
    file[3] = 0;
    assert_false(font_parse(file, sizeof(file), &font));
    uint32_t second[8 + 64 * 256] = { 0x864ab572, 0, 32, 0, 256, 48, 24, 12 };
    assert_true(font_parse((uint8_t *)second, 32 + 256 * 48, &font));
    assert_int_equal(font.line_bytes, 2);
    assert_false(font_parse((uint8_t *)second, 32 + 256 * 48 - 1, &font));
    second[5] = 47; // not a whole number of lines
    assert_false(font_parse((uint8_t *)second, sizeof(second), &font));
    second[5] = 48;
    second[4] = 255;
    assert_false(font_parse((uint8_t *)second, sizeof(second), &font));
    second[4] = 256;
    second[2] = 0xffffffff;
    assert_false(font_parse((uint8_t *)second, sizeof(second), &font));
}

// ---- pixels ----

static void test_framebuffers_that_make_no_sense(void **state)
{
    start(640, 480, 640, BGR);
    const struct handoff_framebuffer good = fb;
    const struct {
        size_t offset;
        uint32_t value;
    } wrong[] = {
        { offsetof(struct handoff_framebuffer, width), 0 },
        { offsetof(struct handoff_framebuffer, width), 641 },
        { offsetof(struct handoff_framebuffer, height), 0 },
        { offsetof(struct handoff_framebuffer, height), 481 },
        { offsetof(struct handoff_framebuffer, height), 20000 },
        { offsetof(struct handoff_framebuffer, stride), 639 },
        { offsetof(struct handoff_framebuffer, stride), 641 },
        { offsetof(struct handoff_framebuffer, base), 0 },
        { offsetof(struct handoff_framebuffer, red), 0 },
        { offsetof(struct handoff_framebuffer, red), 0x00ff00 },
        { offsetof(struct handoff_framebuffer, blue), 0x5 }, // two runs
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        fb = good;
        memcpy((uint8_t *)&fb + wrong[i].offset, &wrong[i].value, 4);
        assert_int_equal(canvas_bytes(&fb), 0);
    }
}

static void expect_colours(uint32_t back, uint32_t yellow)
{
    bool found = false;
    say("warning: something\n");
    for (unsigned y = 0; y < 24; y++)
        for (unsigned x = 0; x < 200; x++) {
            assert_true(pixel(x, y) == back || pixel(x, y) == yellow);
            found |= pixel(x, y) == yellow;
        }
    assert_true(found);
}

static void test_formats(void **state)
{
    start(640, 480, 640, BGR);
    expect_colours(0x0e1116, 0xe3b341);
    start(640, 480, 700, 0xff, 0xff00, 0xff0000, 0xff000000);
    expect_colours(0x16110e, 0x41b3e3);
    start(641, 480, 643, 0xf800, 0x07e0, 0x1f, 0); // 5:6:5, odd lines
    expect_colours(0x0882, 0xe588);
    start(640, 480, 641, 0xff0000, 0xff00, 0xff, 0); // 3 bytes
    expect_colours(0x0e1116, 0xe3b341);
    start(640, 480, 640, 0x3ff00000, 0xffc00, 0x3ff, 0xc0000000); // 10 bits of each
    expect_colours(0x0e << 22 | 0x11 << 12 | 0x16 << 2, 0xe3u << 22 | 0xb3 << 12 | 0x41 << 2);
}

static void test_nothing_beside_the_lines(void **state)
{
    start(640, 480, 700, BGR);
    say("text\n");
    for (unsigned y = 0; y < 480; y++)
        for (unsigned x = 640; x < 700; x++)
            assert_int_equal(pixel(x, y), 0xa5a5a5a5);
}

static void test_without_a_screen(void **state)
{
    screen_init(&fb, NULL);
    assert_int_equal(screen_columns(), 0);
    screen_write("text\n", 5);
    screen_panel_reserve(5);
    screen_panel_set(NULL);
}

// ---- the log ----

static void test_lines(void **state)
{
    start(640, 480, 640, BGR);
    say("first\nsecond \x01~\n");
    expect_row(0, "first");
    expect_row(1, "second ?~");
    expect_row(2, "");
}

static void test_long_lines_break_between_words(void **state)
{
    start(640, 480, 640, BGR); // 80 columns
    say("0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 a word "
        "more\n");
    expect_row(0, "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 a");
    expect_row(1, "word more");
    start(800, 600, 800, BGR); // 100 columns, two of margin at each side
    say("0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
        "a word more\n");
    expect_row(0, "  0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
                  "0123456789 a word");
    expect_row(1, "      more");
}

// What takes long is drawn cell by cell, in as many steps as there are cells that differ.
static void test_some_at_a_time(void **state)
{
    start(640, 480, 640, BGR);
    say("one\n");
    screen_write("four\nand\n", 9);
    for (unsigned i = 0; i < 4 + 3; i++) {
        expect_row(0, "one");
        expect_row(1, (const char *[]){ "", "f", "fo", "fou", "four", "four", "four" }[i]);
        assert_true(screen_draw(1));
    }
    assert_false(screen_draw(1));
    expect_row(2, "and");
    screen_write("1\n2\n", 4);
    assert_false(screen_draw(3 * 8 * 16));
    expect_row(4, "2");
}

static void test_a_word_that_fits_nowhere(void **state)
{
    char text[200];
    start(640, 480, 640, BGR);
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\n';
    screen_write(text, sizeof(text));
    screen_draw(SCREEN_ALL);
    text[80] = 0;
    expect_row(0, text);
    text[39] = 0;
    expect_row(2, text);
    expect_row(3, "");
}

static void say_number(unsigned n)
{
    char text[] = "line 00\n";
    text[5] = (char)('0' + n / 10);
    text[6] = (char)('0' + n % 10);
    say(text);
}

static void test_scrolls_by_one(void **state)
{
    start(640, 480, 640, BGR); // 30 rows
    for (unsigned i = 0; i < 33; i++)
        say_number(i);
    expect_row(0, "line 03");
    expect_row(29, "line 32");
}

static void test_leaps_in_a_burst(void **state)
{
    start(640, 480, 640, BGR);
    for (unsigned i = 0; i < 31; i++)
        say_number(i);
    screen_write("at once\n", 8);
    screen_draw(SCREEN_ALL);
    expect_row(0, "line 12");
    expect_row(19, "at once");
    expect_row(20, "");
    for (unsigned i = 0; i < 10; i++)
        screen_write("more\n", 5);
    screen_draw(SCREEN_ALL);
    expect_row(0, "line 12"); // nothing moved
    expect_row(29, "more");
}

static void test_only_what_changes_is_drawn(void **state)
{
    start(640, 480, 640, BGR);
    say("same text\n");
    memset(memory, MARK, fb.bytes);
    say("x y\n");
    for (unsigned y = 0; y < 480; y++)
        for (unsigned x = 0; x < 640; x++) {
            bool is_new = y >= 16 && y < 32 && (x < 8 || (x >= 16 && x < 24));
            assert_int_equal(pixel(x, y) != 0xa5a5a5a5, is_new);
        }
}

static void test_typing(void **state)
{
    start(640, 480, 640, BGR);
    say("> ab");
    struct screen_place cursor = screen_place(0, 4);
    assert_int_equal(pixel(cursor.x, cursor.y), 0xc4cad2);
    say("\bx");
    cursor = screen_place(0, 3);
    assert_int_equal(pixel(cursor.x, cursor.y), 0x0e1116);
    say("\b\b\b\b\b\b\b> c \b");
    say("\n");
    expect_row(0, "> c");
    say("next\n");
    expect_row(1, "next");
}

static void test_colours_of_lines(void **state)
{
    const struct {
        const char *line;
        uint8_t colour;
    } lines[] = {
        { "error: it burns", COLOUR_RED },
        { "errors 0", COLOUR_TEXT },
        { "warning: hot", COLOUR_YELLOW },
        { "job: ok: 3 reads", COLOUR_GREEN },
        { "selftest moves: ok: 5 moves", COLOUR_GREEN },
        { "selftest moves: failed: 5 moves", COLOUR_RED },
        { "job: 1.0 of 4.0 s: ok: no verdict", COLOUR_TEXT },
        { "ok 3 - test", COLOUR_GREEN },
        { "not ok 3 - test", COLOUR_RED },
        { "", COLOUR_TEXT },
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        assert_int_equal(screen_line_colour(lines[i].line, strlen(lines[i].line)), lines[i].colour);
}

// ---- the panel ----

static void draw_panel(unsigned rows, char c)
{
    static struct screen_cell cells[SCREEN_ROWS_MAX * SCREEN_COLUMNS_MAX];
    for (unsigned i = 0; i < rows * screen_columns(); i++)
        cells[i] = (struct screen_cell){ (uint8_t)c, COLOUR_TEXT, COLOUR_BACK };
    screen_panel_set(cells);
    screen_draw(SCREEN_ALL);
}

static void test_a_panel_above_the_log(void **state)
{
    char whole[81] = { 0 };
    memset(whole, '#', 80);
    start(640, 480, 640, BGR);
    for (unsigned i = 0; i < 28; i++)
        say_number(i);
    screen_panel_reserve(10);
    screen_draw(SCREEN_ALL);
    draw_panel(10, '#');
    for (unsigned i = 0; i < 10; i++)
        expect_row(i, whole);
    expect_row(10, "line 08"); // the last ones stay in sight
    expect_row(29, "line 27");
    say("goes on\n");
    expect_row(9, whole);
    expect_row(10, "line 09");
    expect_row(29, "goes on");
    screen_panel_reserve(0);
    screen_draw(SCREEN_ALL);
    expect_row(0, "line 00");
    expect_row(28, "goes on");
}

static void test_a_panel_that_stays_draws_nothing(void **state)
{
    start(640, 480, 640, BGR);
    screen_panel_reserve(4);
    screen_draw(SCREEN_ALL);
    draw_panel(4, '#');
    memset(memory, MARK, fb.bytes);
    draw_panel(4, '#');
    for (size_t i = 0; i < fb.bytes; i++)
        assert_int_equal(memory[i], MARK);
}

static void test_the_log_keeps_a_quarter(void **state)
{
    start(640, 480, 640, BGR);
    screen_panel_reserve(1000);
    screen_draw(SCREEN_ALL);
    draw_panel(22, '#');
    say("still here\n");
    expect_row(22, "still here");
}

#define screen_test(f) cmocka_unit_test_teardown(f, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        screen_test(test_large_panels_have_large_letters),
        screen_test(test_fonts_that_are_none),
        screen_test(test_framebuffers_that_make_no_sense),
        screen_test(test_formats),
        screen_test(test_nothing_beside_the_lines),
        screen_test(test_without_a_screen),
        screen_test(test_lines),
        screen_test(test_long_lines_break_between_words),
        screen_test(test_some_at_a_time),
        screen_test(test_a_word_that_fits_nowhere),
        screen_test(test_scrolls_by_one),
        screen_test(test_leaps_in_a_burst),
        screen_test(test_only_what_changes_is_drawn),
        screen_test(test_typing),
        screen_test(test_colours_of_lines),
        screen_test(test_a_panel_above_the_log),
        screen_test(test_a_panel_that_stays_draws_nothing),
        screen_test(test_the_log_keeps_a_quarter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
