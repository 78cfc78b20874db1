// SPDX-License-Identifier: BSD-2-Clause
// The bench's tables for people: each as the Linux patch set's, with a column for each mode, and once more
// with all that was measured.
#include "apps/bench.h"
#include "apps/human.h"
#include "apps/table.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/muldiv.h"

const char *bench_describe(const struct bench_row *row, char *to)
{
    char size[HUMAN_BYTES];
    int used = format_text(to, BENCH_ROW_BYTES, "table %s, %u disk%s, %s, iodepth %u",
                           bench_table_name(row->table), row->disks, row->disks == 1 ? "" : "s",
                           human_size(size, row->bs), row->iodepth);
    if (row->rate_iops && used > 0 && used < BENCH_ROW_BYTES)
        format_text(to + used, BENCH_ROW_BYTES - (size_t)used, ", %lu IOPS", row->rate_iops);
    return to;
}

// What a table varies, its head, and what it compares by.
static const struct {
    const char *varied, *compared;
} heads[BENCH_TABLES] = {
    [BENCH_DISKS] = { "disks", "IOPS" },
    [BENCH_BS] = { "bs", "IOPS" },
    [BENCH_DEPTH] = { "iodepth", "IOPS" },
    [BENCH_LOOPS] = { "loops", "IOPS" },
    [BENCH_LATENCY] = { "IOPS", "p99 in us" },
    [BENCH_BACKGROUND] = { "IOPS", "counted in a second" },
    [BENCH_RATE] = { "IOPS", "p95 in us" },
    [BENCH_COST] = { "disks x iodepth", "cycles per read" },
};

static const char *varied(const struct bench_row *row, char *to)
{
    switch (row->table) {
    case BENCH_DISKS:
        return human_count(to, row->disks);
    case BENCH_BS:
        return human_size(to, row->bs);
    case BENCH_DEPTH:
        return human_count(to, row->iodepth);
    case BENCH_LOOPS:
        return human_count(to, row->loops);
    case BENCH_COST:
        format_text(to, HUMAN_BYTES, "%u x %u%s", row->disks, row->iodepth,
                    row->batch ? " batch" : "");
        return to;
    default:
        return row->rate_iops ? human_count(to, row->rate_iops) : "any";
    }
}

// What its modes are compared by.
static uint64_t compared(enum bench_table table, const struct bench_result *r)
{
    switch (table) {
    case BENCH_LATENCY:
        return r->p99_ns;
    case BENCH_RATE:
        return r->p95_ns;
    case BENCH_BACKGROUND:
        return r->figures[BENCH_COUNTED].median;
    case BENCH_COST:
        return r->figures[BENCH_CYCLES_PER_IO].median;
    default:
        return r->figures[BENCH_IOPS].median;
    }
}

static void add_compared(struct table *t, const struct bench *b, unsigned first, unsigned i)
{
    enum bench_table table = b->plan.rows[i].table;
    bool is_time = table == BENCH_LATENCY || table == BENCH_RATE;
    uint64_t value = compared(table, &b->results[i]);
    unsigned base = bench_base(&b->plan, i);
    int64_t gain = bench_gain(compared(table, &b->results[base]), value);
    char text[HUMAN_BYTES];
    table_cell(t, "%s", is_time ? human_tenths(text, value / 100) : human_count(text, value));
    if (i == base && i != first)
        table_cell(t, "%s", "");
    else if (i != first)
        table_cell(t, "%c%llu.%llu%%", gain < 0 ? '-' : '+', (gain < 0 ? -gain : gain) / 10ull,
                   (gain < 0 ? -gain : gain) % 10ull);
}

static void add_head(struct table *t, const struct bench_row *row, bool has_gain)
{
    char text[HUMAN_BYTES];
    if (row->table == BENCH_RATE && row->budget)
        table_cell(t, "at %s/s", human_count(text, row->budget));
    else
        table_cell(t, "%s", irq_mode_name(row->mode));
    if (has_gain)
        table_cell(t, "%s", "");
}

static void print_compared(const struct bench *b, enum bench_table table, unsigned first,
                           unsigned end, void *cells)
{
    struct table t;
    char text[HUMAN_BYTES];
    unsigned group_first, group_end;
    bench_group(&b->plan, b->plan.rows[first].group, &group_first, &group_end);
    unsigned columns = group_end - group_first;
    table_init(&t, 2 * columns, 0, cells, 2 * columns * (end - first + 1));
    table_cell(&t, "%s", heads[table].varied);
    for (unsigned i = 0; i < columns; i++)
        add_head(&t, &b->plan.rows[first + i], i > 0);
    for (unsigned row = first; row < end; row += columns) {
        if (!b->results[row].there)
            continue;
        table_cell(&t, "%s", varied(&b->plan.rows[row], text));
        for (unsigned i = 0; i < columns; i++)
            add_compared(&t, b, row, row + i);
    }
    table_print(&t);
}

#define DETAILS 13

static void add_times(struct table *t, const struct bench_result *r)
{
    const uint64_t times[] = { r->clat_ns, r->p50_ns, r->p99_ns, r->p999_ns };
    char text[HUMAN_BYTES];
    if (r->slat_ns)
        table_cell(t, "%s", human_ratio(text, r->slat_ns, 1000, 2));
    else
        table_cell(t, "-");
    for (size_t i = 0; i < ARRAY_SIZE(times); i++)
        table_cell(t, "%s", human_tenths(text, times[i] / 100));
}

static void add_details(struct table *t, const struct bench_row *row, const struct bench_result *r)
{
    const struct bench_stat *f = r->figures;
    char text[HUMAN_BYTES];
    table_cell(t, "%s", varied(row, text));
    if (row->table == BENCH_RATE && row->budget)
        table_cell(t, "%s at %s/s", irq_mode_name(row->mode), human_count(text, row->budget));
    else
        table_cell(t, "%s", irq_mode_name(row->mode));
    table_cell(t, "%s", human_count(text, f[BENCH_IOPS].median));
    table_cell(t, "%s%%", human_ratio(text, bench_spread(&f[BENCH_IOPS]), 10, 1));
    table_cell(t, "%s", human_ratio(text, r->notifications, r->msis, 3));
    table_cell(t, "%s", human_count(text, mul_div(r->notifications, NS_PER_S, r->ns)));
    table_cell(t, "%s", human_count(text, f[BENCH_CYCLES_PER_IO].median));
    table_cell(t, "%s", human_ratio(text, f[BENCH_BUSY].median, 10, 1));
    add_times(t, r);
}

static void print_details(const struct bench *b, enum bench_table table, unsigned first,
                          unsigned end, void *cells)
{
    static const char *const names[DETAILS - 1] = {
        "irq",    "IOPS",    "+-",      "notif/MSI", "notif/s", "cycles/IO",
        "busy %", "slat us", "clat us", "p50 us",    "p99 us",  "p99.9 us",
    };
    struct table t;
    table_init(&t, DETAILS, BIT32(1), cells, DETAILS * (end - first + 1));
    table_cell(&t, "%s", heads[table].varied);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        table_cell(&t, "%s", names[i]);
    for (unsigned row = first; row < end; row++)
        if (b->results[row].there)
            add_details(&t, &b->plan.rows[row], &b->results[row]);
    table_print(&t);
}

static bool rows_of(const struct bench *b, enum bench_table table, unsigned *first, unsigned *end)
{
    bool any = false;
    for (*first = 0; b->plan.rows[*first].table != table; ++*first)
        ;
    for (*end = *first; *end < b->plan.count && b->plan.rows[*end].table == table; ++*end)
        any |= b->results[*end].there;
    return any;
}

// What all of a table's rows have in common.
static const char *common(const struct bench_row *row, char to[BENCH_ROW_BYTES])
{
    char size[HUMAN_BYTES], disks[HUMAN_BYTES], depth[HUMAN_BYTES];
    bool one_size = row->table != BENCH_BS;
    bool one_depth = row->table != BENCH_DEPTH && row->table != BENCH_COST;
    bool as_many_disks = row->table != BENCH_DISKS && row->table != BENCH_COST;
    format_text(disks, sizeof(disks), ", %u disk%s", row->disks, row->disks == 1 ? "" : "s");
    format_text(depth, sizeof(depth), ", iodepth %u", row->iodepth);
    format_text(to, BENCH_ROW_BYTES, "random reads%s%s%s%s", one_size ? " of " : "",
                one_size ? human_size(size, row->bs) : "", one_depth ? depth : "",
                as_many_disks ? disks : "");
    return to;
}

void bench_print_table(struct bench *b, enum bench_table table)
{
    unsigned first, end;
    char text[BENCH_ROW_BYTES];
    if (!rows_of(b, table, &first, &end))
        return;
    const struct bench_row *row = &b->plan.rows[first];
    size_t cells = (end - first + 1) * MAX(DETAILS, 2 * BENCH_MODES);
    arena_reset(&b->arena);
    void *to = arena_alloc(&b->arena, cells * TABLE_CELL_BYTES, CACHE_LINE, NODE_ANY);
    info("%s", "");
    info("%s by %s: %s, %u CPU%s, median of %u run%s", heads[table].compared, heads[table].varied,
         common(row, text), cpu_count(), cpu_count() == 1 ? "" : "s", b->repeats,
         b->repeats == 1 ? "" : "s");
    if (table != BENCH_LOOPS)
        print_compared(b, table, first, end, to);
    info("%s", "");
    print_details(b, table, first, end, to);
    info("%s", "");
}
