// SPDX-License-Identifier: BSD-2-Clause
// The bench's run: group by group, the rows of each by turns.
#include "apps/bench.h"

#include "apps/dsa.h"
#include "apps/human.h"
#include "apps/job_sum.h"
#include "apps/latency.h"
#include "kernel/base/report.h"
#include "kernel/base/result.h"
#include "kernel/mem/mem.h"
#include "kernel/run/app.h"
#include "kernel/x86/time.h"
#include "lib/mark.h"
#include "lib/muldiv.h"
#include "lib/string.h"

#define BETWEEN_RUNS_MS 15 // what a run takes besides, for the estimate

static const struct option options[] = {
    DISKS_OPTION,
    { .name = "bench",
      .kind = OPTION_CHOICE,
      .fallback = "quick",
      .choices = "quick|full|disks|bs|depth|loops|latency|background|rate|cost|dsa",
      .help = "all tables, with few steps or with all; or one table with all steps" },
    { .name = "repeats",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = BENCH_REPEATS_MAX,
      .help = "runs of each row; 0: 3 where quick, else 5" },
    { .name = "runtime",
      .kind = OPTION_TIME,
      .fallback = "0",
      .max = 86400ull * 1000000,
      .help = "how long each of them takes; 0: 250ms where quick, else 1s" },
    { .name = "bs",
      .kind = OPTION_SIZE,
      .fallback = "4k",
      .min = 512,
      .max = 64 * MIB,
      .help = "bytes of a read, but in table bs" },
    { .name = "iodepth",
      .kind = OPTION_NUMBER,
      .fallback = "32",
      .min = 1,
      .max = 4096,
      .help = "reads in flight for each disk and CPU, but in table depth" },
    { .name = "clat",
      .kind = OPTION_CHOICE,
      .fallback = "exact",
      .choices = "exact|batch",
      .help = "time each completion, or all that one look at a queue finds at once" },
    { .name = NULL },
};

// ---- one run ----

static struct job_config config_of(const struct bench *b, const struct bench_row *row)
{
    bool paced =
        row->table == BENCH_LATENCY || row->table == BENCH_BACKGROUND || row->table == BENCH_RATE;
    return (struct job_config){
        .random = true,
        .batch = row->batch,
        .bs = row->bs,
        .iodepth = row->iodepth,
        .runtime_us = row->reads ? 0 : b->runtime_us,
        .numjobs = bench_numjobs(row, cpu_count()),
        .rate_iops = row->rate_iops,
        .rate_is_shared = true,
        .slat = paced,
        .size = row->reads / row->disks * row->bs,
        .seed = 1,
    };
}

static void choose_disks(const struct bench *b, const struct bench_row *row, struct disks *out)
{
    out->count = row->disks;
    memcpy(out->list, b->disks.list, row->disks * sizeof(*out->list));
}

static void keep(struct bench_row_sum *to, enum bench_figure figure, uint64_t value)
{
    to->values[figure][to->repeats] = value;
}

static void add_run(struct bench_row_sum *to, const struct job_sum *sum,
                    const struct job_totals *totals, uint64_t counted)
{
    keep(to, BENCH_IOPS, job_sum_rate(sum, 1, 1));
    keep(to, BENCH_CYCLES_PER_IO, sum->completed ? totals->busy_tsc / sum->completed : 0);
    keep(to, BENCH_BUSY, mul_div(totals->tsc - totals->idle_tsc, 1000, totals->tsc));
    keep(to, BENCH_COUNTED, counted);
    keep(to, BENCH_NJ_PER_IO, mul_div(totals->energy_uj, 1000, sum->completed));
    to->has_energy = totals->has_energy;
    to->repeats++;
    to->ios += sum->completed;
    to->msis += totals->msis;
    to->notifications += totals->notifications;
    to->moderated += totals->moderated;
    to->ns += latency_ns(sum->tsc);
    histogram_merge(&to->clat, &sum->latency);
    histogram_merge(&to->slat, &sum->slat);
}

static bool is_in(const struct disks *d, const struct block_dev *dev)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->list[i] == dev)
            return true;
    return false;
}

static void put_aside(struct bench *b, const struct block_dev *dev)
{
    size_t count = 0;
    for (size_t i = 0; i < b->disks.count; i++)
        if (b->disks.list[i] != dev)
            b->disks.list[count++] = b->disks.list[i];
    b->disks.count = count;
}

// Disks that had errors take part no more: their rows would compare errors. False: there was one.
static bool check_disks(struct bench *b, const struct bench_row *row, const struct job *job)
{
    char text[BENCH_ROW_BYTES];
    bool all_good = true, lost = false;
    for (size_t i = 0; i < job->workers_count; i++) {
        const struct job_worker *w = job->workers[i];
        lost |= w->given_up;
        if (!w->errors && !w->given_up)
            continue;
        all_good = false;
        if (is_in(&b->disks, w->dev))
            warn("bench-disk", "%s %s: %s is left out, and the bench goes on without this disk",
                 w->dev->name, w->given_up ? "is gone or doesn't answer" : "had errors",
                 bench_describe(row, text));
        put_aside(b, w->dev);
    }
    if (lost) // it may still write to its buffers
        arena_abandon(&b->arena);
    return all_good;
}

// False: the row is left out, and a warning has said why.
static bool run_once(struct bench *b, const struct bench_row *row, struct bench_row_sum *to)
{
    char text[BENCH_ROW_BYTES];
    struct job job = { .config = config_of(b, row), .arena = &b->arena, .quiet = true };
    struct job_totals totals = { 0 };
    struct problem p;
    arena_reset(&b->arena);
    choose_disks(b, row, &job.disks);
    job.again = to->repeats;
    if (!bench_set_mode(row->mode, row->loops, row->budget, &p) || !job_open(&job, &p)) {
        warn("bench-row", "%s is left out: %s", bench_describe(row, text), p.message);
        return false;
    }
    bool counts = row->table == BENCH_BACKGROUND;
    if (counts)
        bench_begin_counting(&b->arena);
    MARK_BEGIN("lap");
    job_execute(&job);
    MARK_END("lap");
    uint64_t counted = counts ? bench_end_counting() : 0;
    bench_live_add(&job);
    if (!check_disks(b, row, &job))
        return false;
    memset(b->sum, 0, sizeof(*b->sum));
    job_sum_up(&job, NULL, b->sum);
    job_sum_cpus(&job, &totals);
    add_run(to, b->sum, &totals, counted);
    return true;
}

// ---- groups ----

// By what runs have taken so far.
static uint64_t seconds_left(const struct bench *b)
{
    unsigned runs = b->plan.count * b->repeats;
    uint64_t run_ns = b->runs_done ? (time_ns() - b->began_ns) / b->runs_done
                                   : b->runtime_us * NS_PER_US + BETWEEN_RUNS_MS * NS_PER_MS;
    return DIV_UP((runs - b->runs_done) * run_ns, NS_PER_S);
}

static void show_progress(const struct bench *b, const struct bench_row *row)
{
    char text[BENCH_ROW_BYTES], left[HUMAN_BYTES];
    unsigned runs = b->plan.count * b->repeats;
    info("bench: %s: run %u of %u, %s left", bench_describe(row, text), b->runs_done + 1, runs,
         human_duration(left, seconds_left(b)));
}

static bool has_disks(const struct bench *b, const struct bench_row *row)
{
    char text[BENCH_ROW_BYTES];
    if (row->disks <= b->disks.count)
        return true;
    warn("bench-row", "%s is left out: only %zu disks are left", bench_describe(row, text),
         b->disks.count);
    return false;
}

// All of its rows, or none: they are there to be compared.
static void run_group(struct bench *b, unsigned group)
{
    unsigned first, end;
    bench_group(&b->plan, group, &first, &end);
    unsigned rows = end - first, runs = rows * b->repeats;
    bool ok = has_disks(b, &b->plan.rows[first]);
    memset(b->sums, 0, rows * sizeof(*b->sums));
    if (ok)
        show_progress(b, &b->plan.rows[first]);
    for (unsigned i = 0; i < runs && ok; i++, b->runs_done++) {
        struct bench_run run = bench_turn(&b->plan, group, i);
        bench_live_show(b, &b->plan.rows[run.row], seconds_left(b));
        ok = run_once(b, &b->plan.rows[run.row], &b->sums[run.row - first]);
    }
    for (unsigned i = 0; i < rows && ok; i++)
        bench_report_row(b, first + i, &b->sums[i]);
    if (end == b->plan.count || b->plan.rows[end].table != b->plan.rows[first].table)
        bench_print_table(b, b->plan.rows[first].table);
}

// ---- the app ----

static void read_settings(const struct cmdline *c, struct bench *b)
{
    bool quick = cmdline_is(c, "bench", "quick");
    struct bench_settings *s = &b->settings;
    uint64_t repeats = cmdline_number(c, "repeats"), runtime = cmdline_number(c, "runtime");
    s->full = !quick;
    s->tables = BENCH_USUAL;
    for (unsigned table = 0; table < BENCH_TABLES; table++)
        if (cmdline_is(c, "bench", bench_table_name(table)))
            s->tables = BIT32(table);
    s->bs = (uint32_t)cmdline_number(c, "bs");
    s->iodepth = (unsigned)cmdline_number(c, "iodepth");
    s->loops = irq_get_config()->loops;
    s->budget = irq_get_config()->rate;
    s->disks = (unsigned)b->disks.count;
    s->modes_count = bench_modes(s->modes);
    s->batch = cmdline_is(c, "clat", "batch");
    b->repeats = repeats ? (unsigned)repeats : quick ? 3 : 5;
    b->runtime_us = runtime ? runtime : quick ? 250000 : 1000000;
}

static void report_end(const struct bench *b)
{
    unsigned there = 0;
    char took[HUMAN_BYTES];
    for (unsigned i = 0; i < b->plan.count; i++)
        there += b->results[i].there;
    result_say("%u of %u rows", there, b->plan.count);
    if (there)
        info("bench: ok: %u of %u rows in %s; nothing was written", there, b->plan.count,
             human_duration(took, (time_ns() - b->began_ns) / NS_PER_S));
    else
        error("bench-nothing", "no row of the bench could be measured; the warnings above say why");
}

// What accelerators complete, as app=dsa tells it: where there are any.
static void run_accelerators(const struct cmdline *c, const struct bench *b)
{
    static struct dsa_load load;
    struct problem p;
    if (!cmdline_is(c, "bench", "dsa") && (b->settings.tables != BENCH_USUAL || !copy_first()))
        return;
    load.config = (struct dsa_config){ .op = COPY_FILL,
                                       .bs = b->settings.bs,
                                       .iodepth = b->settings.iodepth,
                                       .runtime_us = b->runtime_us };
    if (dsa_load_open(&load, &p))
        dsa_table_run(&load, b->settings.full ? DSA_ROWS_ALL : DSA_ROWS_MODES, NULL);
    else
        error_problem(&p);
}

static void bench_run(const struct cmdline *c)
{
    static struct arena arena; // what one run leaves in it serves the next
    struct bench *b = arena_alloc(arena_of_run(), sizeof(*b), CACHE_LINE, NODE_ANY);
    enum irq_mode mode = irq_get_mode();
    struct problem p;
    if (!cmdline_is(c, "bench", "dsa") && !disks_select(c, &b->disks, &p)) {
        error_problem(&p);
        return;
    }
    read_settings(c, b);
    if (cmdline_is(c, "bench", "dsa")) {
        run_accelerators(c, b);
        return;
    }
    if (cmdline_is(c, "bench", "rate") && !b->settings.budget) {
        error("bench-rate", "bench=rate compares with and without a budget of notifications, and "
                            "there is none: say posted.rate=N, notifications a second");
        return;
    }
    bench_make_plan(&b->settings, &b->plan);
    b->arena = arena;
    b->results =
        arena_alloc(arena_of_run(), b->plan.count * sizeof(*b->results), CACHE_LINE, NODE_ANY);
    b->sums = arena_alloc(arena_of_run(), BENCH_GROUP_MAX * sizeof(*b->sums), CACHE_LINE, NODE_ANY);
    b->sum = arena_alloc(arena_of_run(), sizeof(*b->sum), CACHE_LINE, NODE_ANY);
    bench_send_plan(b, c, seconds_left(b));
    b->began_ns = time_ns();
    for (unsigned group = 0; group < b->plan.groups && !app_is_asked_to_stop(); group++)
        run_group(b, group);
    bench_set_mode(mode, b->settings.loops, b->settings.budget, &p);
    run_accelerators(c, b);
    report_end(b);
    if (arena_of_run()) // there may be a next one
        arena = b->arena;
}

APP(app_bench) = {
    .name = "bench",
    .help = "compares the ways to deliver interrupts, in tables; reads only",
    .options = options,
    .bare = { "bench" },
    .run = bench_run,
};
