// SPDX-License-Identifier: BSD-2-Clause
// From the top: what runs and for how long, how far it is, disks, CPUs, interrupts, and a rule.

#include "kernel/base/panel.h"

#include "kernel/base/panel_paint.h"
#include "kernel/base/report_init.h"
#include "lib/format.h"
#include "lib/string.h"

#define MARGIN 2
#define GAP 4 // between two disks, or CPUs, beside one another
#define KELVIN 273

#define TOP_ROWS 4  // head, blank, progress, blank
#define TAIL_ROWS 4 // blank, interrupts, blank, rule
#define CPU_ROWS_MAX 3
#define CPU_COLUMNS 22 // of one CPU's bar and words, at least
#define PERCENT 5      // of them: behind its bar

#define DISK_WORDS 54 // columns of a disk without its bar:
enum { DISK_NAME = 10, DISK_IOS = 8, DISK_BYTES = 11, DISK_LATENCY = 10, DISK_KELVIN = 7 };
#define DISKS_ABREAST_COLUMNS 120 // a screen as wide as this has room for two
#define BAR_LEAST 6

// ---- how much of what ----

struct plan {
    unsigned width;       // without margins
    unsigned abreast;     // disks beside one another
    unsigned disk_rows;   // with the heading, and the line for those that aren't shown
    unsigned disks_shown; // each by itself
    unsigned cpu_rows, cpus_abreast;
    unsigned cpus_each; // of a level; 0: each has a bar
};

static void plan_cpus(const struct panel *p, struct plan *plan)
{
    unsigned most = MAX((plan->width + GAP) / (CPU_COLUMNS + GAP), 1u);
    plan->cpu_rows = DIV_UP(p->cpus, most);
    plan->cpus_abreast = plan->cpu_rows ? DIV_UP(p->cpus, plan->cpu_rows) : 1;
    if (plan->cpu_rows <= CPU_ROWS_MAX)
        return;
    plan->cpus_abreast = MAX(plan->width, DISK_NAME + 1u) - DISK_NAME;
    plan->cpus_each = DIV_UP(p->cpus, CPU_ROWS_MAX * plan->cpus_abreast);
    plan->cpu_rows = DIV_UP(DIV_UP(p->cpus, plan->cpus_each), plan->cpus_abreast);
}

// Disks get what is left of three fifths of the screen.
static struct plan make_plan(const struct panel *p, unsigned columns, unsigned screen_rows)
{
    struct plan plan = { .width = columns > 2 * MARGIN ? columns - 2 * MARGIN : 1, .abreast = 1 };
    plan_cpus(p, &plan);
    unsigned most = screen_rows * 3 / 5, others = TOP_ROWS + TAIL_ROWS + 1 + plan.cpu_rows;
    unsigned room = most > others + 2 ? most - others - 1 : 1;
    if (p->disks_count > room / 2 && columns >= DISKS_ABREAST_COLUMNS)
        plan.abreast = 2;
    unsigned rows = DIV_UP(p->disks_count, plan.abreast);
    plan.disks_shown = rows <= room ? p->disks_count : (room - 1) * plan.abreast;
    plan.disk_rows = p->disks_count ? 1 + MIN(rows, room) : 0;
    return plan;
}

unsigned panel_rows(const struct panel *p, unsigned columns, unsigned screen_rows)
{
    struct plan plan = make_plan(p, columns, screen_rows);
    return TOP_ROWS + plan.disk_rows + (plan.disk_rows && plan.cpu_rows) + plan.cpu_rows +
           TAIL_ROWS;
}

// ---- rows ----

static void put_head(const struct paint *paint, const struct panel *p)
{
    char time[PAINT_NUMBER_BYTES], text[64];
    paint_row_back(paint, 0, COLOUR_HEAD);
    unsigned at = paint_text(paint, 0, MARGIN, COLOUR_BLUE, "Onebell");
    at = paint_text(paint, 0, at + 2, COLOUR_BRIGHT, p->title);
    paint_text(paint, 0, at + 2, COLOUR_TEXT, p->what);
    format_text(text, sizeof(text), "  %s elapsed", paint_time(time, p->elapsed_s));
    paint_right(paint, 0, paint->columns - MARGIN, COLOUR_BRIGHT, text);
}

static void put_progress(const struct paint *paint, const struct panel *p, unsigned width)
{
    char time[PAINT_NUMBER_BYTES], text[64];
    unsigned row = 2, end = MARGIN + width;
    const unsigned words = 22;
    if (p->permille == PANEL_UNKNOWN)
        return;
    if (width > words + BAR_LEAST)
        paint_bar(paint, row, MARGIN, width - words, COLOUR_BLUE, p->permille);
    format_text(text, sizeof(text), "%llu%%", (unsigned long long)MIN(p->permille, 1000ull) / 10);
    paint_right(paint, row, end > words ? end - words + 6 : end, COLOUR_BRIGHT, text);
    if (p->left_s == PANEL_UNKNOWN)
        return;
    format_text(text, sizeof(text), "%s left", paint_time(time, p->left_s));
    paint_right(paint, row, end, COLOUR_TEXT, text);
}

// Where a disk's words end, from the left of its part.
struct disk_columns {
    unsigned bar, ios, bytes, latency, kelvin, errors;
};

static struct disk_columns disk_columns(unsigned width)
{
    struct disk_columns c = { .errors = width };
    unsigned words = MIN(width, (unsigned)DISK_WORDS);
    c.bar = width - words;
    c.ios = DISK_NAME + c.bar + DISK_IOS;
    c.bytes = c.ios + DISK_BYTES;
    c.latency = c.bytes + DISK_LATENCY;
    c.kelvin = c.latency + DISK_KELVIN;
    return c;
}

static void put_disk_heads(const struct paint *paint, unsigned row, unsigned left, unsigned width)
{
    struct disk_columns c = disk_columns(width);
    paint_text(paint, row, left, COLOUR_DIM, "disk");
    paint_right(paint, row, left + c.ios, COLOUR_DIM, "IOPS");
    paint_right(paint, row, left + c.bytes, COLOUR_DIM, "B/s");
    paint_right(paint, row, left + c.latency, COLOUR_DIM, "mean");
    paint_right(paint, row, left + c.kelvin, COLOUR_DIM, "temp");
    paint_right(paint, row, left + c.errors, COLOUR_DIM, "errors");
}

static enum canvas_colour kelvin_colour(unsigned kelvin)
{
    return kelvin >= KELVIN + 80 ? COLOUR_RED : kelvin >= KELVIN + 70 ? COLOUR_YELLOW : COLOUR_TEXT;
}

static void put_disk(const struct paint *paint, unsigned row, unsigned left, unsigned width,
                     const struct panel_disk *d)
{
    char text[PAINT_NUMBER_BYTES];
    struct disk_columns c = disk_columns(width);
    paint_text(paint, row, left, COLOUR_BRIGHT, d->name);
    if (c.bar >= BAR_LEAST)
        paint_bar(paint, row, left + DISK_NAME, c.bar, COLOUR_BLUE, d->permille);
    paint_right(paint, row, left + c.ios, COLOUR_BRIGHT, paint_number(text, d->ios));
    paint_right(paint, row, left + c.bytes, COLOUR_TEXT, paint_number(text, d->bytes));
    paint_right(paint, row, left + c.latency, COLOUR_TEXT,
                d->mean_ns ? paint_latency(text, d->mean_ns) : "-");
    format_text(text, sizeof(text), "%d C", (int)d->kelvin - KELVIN);
    paint_right(paint, row, left + c.kelvin, kelvin_colour(d->kelvin), d->kelvin ? text : "-");
    paint_right(paint, row, left + c.errors, d->errors ? COLOUR_RED : COLOUR_DIM,
                paint_number(text, d->errors));
}

static void put_other_disks(const struct paint *paint, unsigned row, const struct panel *p,
                            unsigned first)
{
    char ios[PAINT_NUMBER_BYTES], errors[PAINT_NUMBER_BYTES], text[96];
    uint64_t sum = 0, failed = 0;
    for (unsigned i = first; i < p->disks_count; i++) {
        sum += p->disks[i].ios;
        failed += p->disks[i].errors;
    }
    format_text(text, sizeof(text), "and %u more: %s IOPS, %s errors", p->disks_count - first,
                paint_number(ios, sum), paint_number(errors, failed));
    paint_text(paint, row, MARGIN, failed ? COLOUR_RED : COLOUR_DIM, text);
}

static void put_disks(const struct paint *paint, const struct panel *p, const struct plan *plan)
{
    unsigned width = (plan->width - GAP * (plan->abreast - 1)) / plan->abreast;
    unsigned rows = DIV_UP(plan->disks_shown, plan->abreast);
    for (unsigned i = 0; i < plan->abreast; i++)
        put_disk_heads(paint, TOP_ROWS, MARGIN + i * (width + GAP), width);
    for (unsigned i = 0; i < plan->disks_shown; i++)
        put_disk(paint, TOP_ROWS + 1 + i % rows, MARGIN + i / rows * (width + GAP), width,
                 &p->disks[i]);
    if (plan->disks_shown < p->disks_count)
        put_other_disks(paint, TOP_ROWS + 1 + rows, p, plan->disks_shown);
}

static void put_cpu_bars(const struct paint *paint, unsigned row, const struct panel *p,
                         const struct plan *plan)
{
    unsigned n = plan->cpus_abreast, all = plan->width + GAP;
    char text[PAINT_NUMBER_BYTES];
    for (unsigned i = 0; i < p->cpus; i++) {
        unsigned at = row + i / n, left = MARGIN + i % n * all / n;
        unsigned end = MARGIN + (i % n + 1) * all / n - GAP; // of the last one: where all rows end
        format_text(text, sizeof(text), "CPU %u", i);
        paint_text(paint, at, left, COLOUR_DIM, text);
        if (end > left + DISK_NAME + PERCENT)
            paint_bar(paint, at, left + DISK_NAME, end - left - DISK_NAME - PERCENT, COLOUR_GREEN,
                      p->busy[i] * 10u);
        format_text(text, sizeof(text), "%u%%", p->busy[i]);
        paint_right(paint, at, end, COLOUR_TEXT, text);
    }
}

static unsigned mean_busy(const struct panel *p, unsigned first, unsigned count)
{
    unsigned sum = 0;
    count = MIN(count, p->cpus - first);
    for (unsigned i = 0; i < count; i++)
        sum += p->busy[first + i];
    return sum * 10 / count;
}

static void put_cpu_levels(const struct paint *paint, unsigned row, const struct panel *p,
                           const struct plan *plan)
{
    char text[PAINT_NUMBER_BYTES];
    for (unsigned i = 0, cpu = 0; cpu < p->cpus; i++, cpu += plan->cpus_each) {
        unsigned column = i % plan->cpus_abreast, at = row + i / plan->cpus_abreast;
        format_text(text, sizeof(text), "CPU %u", cpu);
        if (!column)
            paint_text(paint, at, MARGIN, COLOUR_DIM, text);
        paint_level(paint, at, MARGIN + DISK_NAME + column, COLOUR_GREEN,
                    mean_busy(p, cpu, plan->cpus_each));
    }
}

static unsigned put_figure(const struct paint *paint, unsigned row, unsigned column,
                           const char *name, const char *value, enum canvas_colour colour)
{
    column = paint_text(paint, row, column, COLOUR_DIM, name);
    return paint_text(paint, row, column + 1, colour, value) + GAP;
}

static void put_interrupts(const struct paint *paint, unsigned row, const struct panel *p)
{
    char text[PAINT_NUMBER_BYTES];
    unsigned at = MARGIN;
    at = put_figure(paint, row, at, "MSIs/s", paint_number(text, p->msis), COLOUR_BRIGHT);
    at = put_figure(paint, row, at, "notifications/s", paint_number(text, p->notifications),
                    COLOUR_BRIGHT);
    unsigned long long hundredths = p->msis ? p->notifications * 100 / p->msis : 0;
    format_text(text, sizeof(text), "%llu.%02llu", hundredths / 100, hundredths % 100);
    at = put_figure(paint, row, at, "per MSI", p->msis ? text : "-", COLOUR_BRIGHT);
    put_figure(paint, row, at, "errors", paint_number(text, p->errors),
               p->errors ? COLOUR_RED : COLOUR_GREEN);
}

void panel_layout(const struct panel *p, unsigned columns, unsigned screen_rows,
                  struct screen_cell *to)
{
    unsigned rows = panel_rows(p, columns, screen_rows);
    struct paint paint = { to, columns, rows };
    struct plan plan = make_plan(p, columns, screen_rows);
    unsigned row = TOP_ROWS + plan.disk_rows + (plan.disk_rows && plan.cpu_rows);
    paint_clear(&paint);
    put_head(&paint, p);
    put_progress(&paint, p, plan.width);
    if (p->disks_count)
        put_disks(&paint, p, &plan);
    if (plan.cpus_each)
        put_cpu_levels(&paint, row, p, &plan);
    else
        put_cpu_bars(&paint, row, p, &plan);
    put_interrupts(&paint, row + plan.cpu_rows + 1, p);
    paint_rule(&paint, rows - 1);
}

void panel_show(const struct panel *p)
{
    static struct screen_cell cells[SCREEN_ROWS_MAX * SCREEN_COLUMNS_MAX];
    if (!screen_columns())
        return;
    unsigned rows = panel_rows(p, screen_columns(), screen_rows());
    if (rows > screen_rows() * 3 / 4)
        return; // no room for both
    screen_panel_reserve(rows);
    panel_layout(p, screen_columns(), screen_rows(), cells);
    screen_panel_set(cells);
    report_send_on();
}
