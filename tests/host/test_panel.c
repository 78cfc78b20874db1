// SPDX-License-Identifier: BSD-2-Clause
// The panel's layout: figures in, cells out, on screens and machines of all sizes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/base/panel.h"
#include "kernel/base/panel_paint.h"
#include "kernel/base/report_init.h"
#include "lib/string.h"

void report_send_on(void) // there is no screen
{
}

static struct screen_cell cells[SCREEN_ROWS_MAX * SCREEN_COLUMNS_MAX];
static struct panel_disk disks[300];
static uint8_t busy[4096];
static unsigned columns, rows;

static struct panel panel(unsigned disks_count, unsigned cpus)
{
    for (unsigned i = 0; i < ARRAY_SIZE(disks); i++)
        disks[i] = (struct panel_disk){ .name = "nvme0n1",
                                        .ios = 312400 + i,
                                        .bytes = 1279000000,
                                        .mean_ns = 102100,
                                        .kelvin = 314,
                                        .permille = 500 };
    for (unsigned i = 0; i < ARRAY_SIZE(busy); i++)
        busy[i] = (uint8_t)(i % 101);
    return (struct panel){ .title = "job",
                           .what = "randread of 4 KiB",
                           .elapsed_s = 62,
                           .left_s = 3600,
                           .permille = 250,
                           .disks = disks,
                           .disks_count = disks_count,
                           .busy = busy,
                           .cpus = cpus,
                           .msis = 1000,
                           .notifications = 540 };
}

static void lay_out(const struct panel *p, unsigned width, unsigned screen_rows)
{
    columns = width;
    rows = panel_rows(p, width, screen_rows);
    assert_true((size_t)rows * columns < ARRAY_SIZE(cells));
    memset(cells, 0xee, sizeof(cells));
    panel_layout(p, width, screen_rows, cells);
}

// A row's text; bars are '#', '.' where they are empty.
static const char *row_text(unsigned row)
{
    static char text[SCREEN_COLUMNS_MAX + 1];
    unsigned length = 0;
    for (unsigned i = 0; i < columns; i++) {
        const struct screen_cell *c = &cells[row * columns + i];
        text[i] = c->code >= ' '                ? (char)c->code
                  : c->code == SCREEN_RULE      ? '-'
                  : c->colour == COLOUR_TRACK   ? '.'
                  : c->code <= SCREEN_BAR_WHOLE ? '#'
                                                : '|';
        if (text[i] != ' ')
            length = i + 1;
    }
    text[length] = 0;
    return text;
}

static void test_a_small_screen(void **state)
{
    struct panel p = panel(2, 2);
    disks[1].errors = 3;
    disks[1].kelvin = 0;
    disks[1].mean_ns = 0;
    p.errors = 3;
    lay_out(&p, 80, 30);
    assert_int_equal(rows, 13);
    assert_string_equal(row_text(0), "  Onebell  job  randread of 4 KiB"
                                     "                                 1:02 elapsed");
    assert_string_equal(row_text(1), "");
    assert_string_equal(row_text(2),
                        "  ##############........................................   25%"
                        "    1:00:00 left");
    assert_string_equal(row_text(4),
                        "  disk                                IOPS        B/s      mean"
                        "   temp  errors");
    assert_string_equal(row_text(5),
                        "  nvme0n1   ###########...........    312k      1.27G    102 us"
                        "   41 C       0");
    assert_string_equal(row_text(6),
                        "  nvme0n1   ###########...........    312k      1.27G         -"
                        "      -       3");
    assert_string_equal(row_text(8), "  CPU 0     .....................   0%"
                                     "    CPU 1     #....................   1%");
    assert_string_equal(row_text(10),
                        "  MSIs/s 1000    notifications/s 540    per MSI 0.54    errors 3");
    assert_string_equal(row_text(12), "----------------------------------------"
                                      "----------------------------------------");
    assert_int_equal(cells[6 * columns + 77].colour, COLOUR_RED);
}

// Whatever it shows, it fits, and cells outside of it aren't touched.
static void test_all_sizes(void **state)
{
    static const unsigned counts[] = { 0, 1, 2, 7, 24, 64, 256 };
    static const unsigned cpus[] = { 1, 2, 3, 16, 64, 255, 1024, 4096 };
    for (unsigned width = 1; width <= SCREEN_COLUMNS_MAX; width += 7)
        for (unsigned height = 1; height <= SCREEN_ROWS_MAX; height += 7)
            for (unsigned i = 0; i < ARRAY_SIZE(counts); i++)
                for (unsigned j = 0; j < ARRAY_SIZE(cpus); j++) {
                    struct panel p = panel(counts[i], cpus[j]);
                    lay_out(&p, width, height);
                    for (unsigned k = 0; k < rows * columns; k++)
                        assert_true(cells[k].colour < COLOURS && cells[k].back < COLOURS);
                    assert_int_equal(cells[rows * columns].code, 0xee);
                    if (height >= 30 && width >= 80)
                        assert_true(rows <= height * 3 / 4);
                }
}

static void test_more_disks_than_rows(void **state)
{
    struct panel p = panel(64, 2);
    disks[63].errors = 2;
    lay_out(&p, 160, 45); // two abreast
    assert_int_equal(rows, 27);
    const char *heads = row_text(4), *second = strstr(heads + 4, "disk");
    assert_non_null(second);
    assert_int_equal(second - heads, 2 + 76 + 4);
    assert_non_null(strstr(row_text(20), "and 34 more: 10.6M IOPS, 2 errors"));
    p = panel(28, 2);
    lay_out(&p, 160, 45); // these all fit
    for (unsigned row = 5; row < 19; row++) {
        assert_non_null(strstr(row_text(row), "nvme0n1"));
        assert_null(strstr(row_text(row), "more"));
    }
}

static void test_cpus_as_levels(void **state)
{
    struct panel p = panel(1, 128);
    memset(busy, 0, sizeof(busy));
    busy[127] = 100;
    busy[1] = 1;
    lay_out(&p, 160, 45);
    const struct screen_cell *levels = &cells[7 * columns + 12];
    for (unsigned i = 0; i < 128; i++) {
        assert_int_equal(levels[i].code, SCREEN_LEVEL + (i == 127 ? 8 : i == 1));
        assert_int_equal(levels[i].back, COLOUR_TRACK);
    }
    assert_int_equal(levels[128].code, ' ');
}

static void test_levels_of_several_cpus(void **state)
{
    struct panel p = panel(1, 4096);
    memset(busy, 50, sizeof(busy));
    lay_out(&p, 160, 45);
    assert_int_equal(cells[7 * columns + 12].code, SCREEN_LEVEL + 4);
    assert_non_null(strstr(row_text(7), "CPU 0 "));
    assert_int_equal(rows, 4 + 2 + 1 + 3 + 4);
}

static void test_what_nobody_knows(void **state)
{
    struct panel p = panel(1, 1);
    p.permille = p.left_s = PANEL_UNKNOWN;
    p.msis = 0;
    lay_out(&p, 100, 40);
    assert_string_equal(row_text(2), "");
    assert_non_null(strstr(row_text(9), "per MSI -"));
    p.permille = 0;
    lay_out(&p, 100, 40);
    assert_null(strstr(row_text(2), "left"));
    assert_non_null(strstr(row_text(2), "0%"));
}

static void test_temperatures_have_colours(void **state)
{
    static const struct {
        uint16_t kelvin;
        uint8_t colour;
    } all[] = {
        { 342, COLOUR_TEXT }, { 343, COLOUR_YELLOW }, { 352, COLOUR_YELLOW }, { 353, COLOUR_RED }
    };
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        struct panel p = panel(1, 1);
        disks[0].kelvin = all[i].kelvin;
        lay_out(&p, 80, 30);
        assert_int_equal(cells[5 * columns + 69].code, 'C');
        assert_int_equal(cells[5 * columns + 69].colour, all[i].colour);
    }
}

static void test_bars(void **state)
{
    struct screen_cell row[10];
    struct paint p = { row, 10, 1 };
    static const struct {
        uint64_t permille;
        uint8_t code, colour; // of the third cell
    } all[] = {
        { 0, SCREEN_BAR_WHOLE, COLOUR_TRACK },  { 200, SCREEN_BAR_WHOLE, COLOUR_TRACK },
        { 213, SCREEN_BAR, COLOUR_BLUE },       { 250, SCREEN_BAR + 3, COLOUR_BLUE },
        { 300, SCREEN_BAR_WHOLE, COLOUR_BLUE }, { 5000, SCREEN_BAR_WHOLE, COLOUR_BLUE },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        paint_bar(&p, 0, 0, 10, COLOUR_BLUE, all[i].permille);
        assert_int_equal(row[2].code, all[i].code);
        assert_int_equal(row[2].colour, all[i].colour);
    }
    paint_bar(&p, 0, 0, 10, COLOUR_BLUE, 1); // a little is not nothing
    assert_int_equal(row[0].colour, COLOUR_BLUE);
    assert_int_equal(row[0].code, SCREEN_BAR);
}

static void test_numbers(void **state)
{
    char text[PAINT_NUMBER_BYTES];
    assert_string_equal(paint_number(text, 0), "0");
    assert_string_equal(paint_number(text, 9999), "9999");
    assert_string_equal(paint_number(text, 10000), "10.0k");
    assert_string_equal(paint_number(text, 999999), "999k");
    assert_string_equal(paint_number(text, 1280000), "1.28M");
    assert_string_equal(paint_number(text, 1050000000), "1.05G");
    assert_string_equal(paint_number(text, UINT64_MAX), "18446744073G");
    assert_string_equal(paint_time(text, 59), "0:59");
    assert_string_equal(paint_time(text, 3599), "59:59");
    assert_string_equal(paint_time(text, 360001), "100:00:01");
    assert_string_equal(paint_latency(text, 7940), "7.94 us");
    assert_string_equal(paint_latency(text, 102100), "102 us");
    assert_string_equal(paint_latency(text, 12850000), "12.8 ms");
    assert_string_equal(paint_latency(text, 3000000000), "3.00 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_small_screen),
        cmocka_unit_test(test_all_sizes),
        cmocka_unit_test(test_more_disks_than_rows),
        cmocka_unit_test(test_cpus_as_levels),
        cmocka_unit_test(test_levels_of_several_cpus),
        cmocka_unit_test(test_what_nobody_knows),
        cmocka_unit_test(test_temperatures_have_colours),
        cmocka_unit_test(test_bars),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
