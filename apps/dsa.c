// SPDX-License-Identifier: BSD-2-Clause
// app=dsa: rows, one after the other: a mode each, and for posted ones the harvests per notification.
#include "apps/dsa.h"

#include "apps/bench.h"
#include "apps/load.h"
#include "kernel/base/report.h"
#include "kernel/cpu/trace.h"
#include "kernel/run/app.h"
#include "kernel/run/loop.h"
#include "lib/mark.h"

static const struct option options[] = {
    { .name = "op",
      .kind = OPTION_CHOICE,
      .fallback = "memfill",
      .choices = "memmove|memfill|crc",
      .help = "what the accelerators do" },
    { .name = "wqs",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = DSA_WORKERS_MAX,
      .help = "work queues in use, of all accelerators; 0: all" },
    { .name = "runtime",
      .kind = OPTION_TIME,
      .fallback = "1s",
      .min = 1000,
      .max = 86400ull * 1000000,
      .help = "how long each row of the table takes" },
    { .name = "count",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = 1ull << 40,
      .help = "descriptors of each row, however long they take; 0: it ends by time" },
    { .name = "rows",
      .kind = OPTION_CHOICE,
      .fallback = "all",
      .choices = "all|modes|now",
      .help = "all modes, posted with 2 to 6 loops; once each; or the mode in force alone" },
    { .name = "beside",
      .kind = OPTION_CHOICE,
      .fallback = "none",
      .choices = "none|reads",
      .help =
          "what else runs: random reads of each disk by each CPU, as filename=, bs=, iodepth= and "
          "verify= say" },
    LOAD_OPTIONS,
    { .name = NULL },
};

#define LOOPS_FIRST 2 // as in the patch set's table
#define LOOPS_LAST 6

// ---- rows ----

static void add_row(struct dsa_row *rows, unsigned *count, enum irq_mode mode, unsigned loops)
{
    struct problem p;
    if (irq_mode_is_possible(mode, &p))
        rows[(*count)++] = (struct dsa_row){ .mode = mode, .loops = loops };
}

static unsigned make_rows(const struct cmdline *c, struct dsa_row *rows)
{
    unsigned count = 0, usual = irq_get_config()->loops;
    if (cmdline_is(c, "rows", "now")) {
        add_row(rows, &count, irq_get_mode(), usual);
        return count;
    }
    add_row(rows, &count, IRQ_MSI, usual);
    add_row(rows, &count, IRQ_REMAPPED, usual);
    if (cmdline_is(c, "rows", "modes"))
        add_row(rows, &count, IRQ_POSTED, usual);
    for (unsigned loops = LOOPS_FIRST; cmdline_is(c, "rows", "all") && loops <= LOOPS_LAST; loops++)
        add_row(rows, &count, IRQ_POSTED, loops);
    add_row(rows, &count, IRQ_ADAPTIVE, usual);
    return count;
}

// ---- reads beside ----

static struct {
    struct load load;
    bool on;
    unsigned running;
    bool stop;
} beside;

static void drained(struct load_cpu *cpu)
{
    beside.stop = --beside.running == 0;
}

static void begin_reads(void)
{
    for (unsigned cpu = 0; beside.on && cpu < cpu_count(); cpu++)
        load_run(&beside.load, cpu);
}

static void end_reads(void)
{
    beside.stop = false;
    beside.running = cpu_count();
    for (unsigned cpu = 0; beside.on && cpu < cpu_count(); cpu++)
        load_pause(&beside.load, cpu, drained);
    if (beside.on)
        cpu_run_until(&beside.stop);
}

static bool prepare_reads(const struct cmdline *c, struct problem *p)
{
    beside.on = cmdline_is(c, "beside", "reads");
    return !beside.on || load_prepare(&beside.load, c, p);
}

// ---- the app ----

static void check_row(const struct dsa_row *row)
{
    const struct dsa_sum *sum = &row->sum;
    if (sum->errors || sum->verify_errors || sum->twice || sum->completed != sum->submitted)
        error("dsa-run",
              "irq=%s: of %lu operations %lu ended, %lu in error, %lu with wrong data, %lu of them "
              "twice",
              irq_mode_name(row->mode), sum->submitted, sum->completed, sum->errors,
              sum->verify_errors, sum->twice);
}

// False: there is no use in going on.
static bool run_row(struct dsa_load *load, struct dsa_row *row)
{
    struct problem p;
    if (!bench_set_mode(row->mode, row->loops, irq_get_config()->rate, &p)) {
        error_problem(&p);
        return false;
    }
    uint64_t before = beside.on ? load_sum(&beside.load).completed : 0;
    begin_reads();
    MARK_BEGIN("lap");
    dsa_load_execute(load, &row->sum);
    MARK_END("lap");
    end_reads();
    row->reads = beside.on ? load_sum(&beside.load).completed - before : 0;
    row->there = true;
    check_row(row);
    dsa_report_row(&load->config, row);
    return !row->sum.errors;
}

static void read_config(const struct cmdline *c, struct dsa_config *config)
{
    *config = (struct dsa_config){
        .op = (enum copy_op)cmdline_get(c, "op")->number,
        .bs = (uint32_t)cmdline_number(c, "bs"),
        .iodepth = (unsigned)cmdline_number(c, "iodepth"),
        .wqs = (unsigned)cmdline_number(c, "wqs"),
        .count = cmdline_number(c, "count"),
        .runtime_us = cmdline_number(c, "runtime"),
    };
}

static void run_rows(struct dsa_load *load, struct dsa_row *rows, unsigned count)
{
    struct problem p;
    enum irq_mode mode = irq_get_mode();
    unsigned loops = irq_get_config()->loops;
    for (unsigned i = 0; i < count; i++)
        if (!run_row(load, &rows[i]))
            break;
    trace_stop(); // what follows is no work
    bench_set_mode(mode, loops, irq_get_config()->rate, &p);
    dsa_report_table(&load->config, rows, count);
}

static void run(const struct cmdline *c)
{
    static struct dsa_load load;
    static struct dsa_row rows[DSA_ROWS_MAX];
    struct problem p;
    read_config(c, &load.config);
    if (!dsa_load_open(&load, &p) || !prepare_reads(c, &p)) {
        error_problem(&p);
        return;
    }
    run_rows(&load, rows, make_rows(c, rows));
}

APP(app_dsa) = {
    .name = "dsa",
    .help = "accelerators (Intel DSA): how many completions a second, by each way to deliver",
    .options = options,
    .run = run,
};
