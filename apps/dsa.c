// SPDX-License-Identifier: BSD-2-Clause
// app=dsa: its words, and what runs beside.
#include "apps/dsa.h"

#include "apps/load.h"
#include "kernel/base/report.h"
#include "kernel/run/app.h"
#include "kernel/run/loop.h"

static const struct option options[] = {
    { .name = "op",
      .kind = OPTION_CHOICE,
      .fallback = "memfill",
      .choices = "memmove|memfill|crc|compare|noop",
      .help = "what the accelerators do" },
    { .name = "batch",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = 64,
      .help =
          "operations of a CPU's turn that go out together, as one descriptor; 0: each by itself" },
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

// ---- reads beside ----

static struct {
    struct load load;
    bool on;
    unsigned running;
    bool stop;
    uint64_t before;
} beside;

static void drained(struct load_cpu *cpu)
{
    beside.stop = --beside.running == 0;
}

static void begin_reads(struct dsa_row *row)
{
    beside.before = beside.on ? load_sum(&beside.load).completed : 0;
    for (unsigned cpu = 0; beside.on && cpu < cpu_count(); cpu++)
        load_run(&beside.load, cpu);
}

static void end_reads(struct dsa_row *row)
{
    beside.stop = false;
    beside.running = cpu_count();
    for (unsigned cpu = 0; beside.on && cpu < cpu_count(); cpu++)
        load_pause(&beside.load, cpu, drained);
    if (!beside.on)
        return;
    cpu_run_until(&beside.stop);
    row->reads = load_sum(&beside.load).completed - beside.before;
}

static bool prepare_reads(const struct cmdline *c, struct problem *p)
{
    beside.on = cmdline_is(c, "beside", "reads");
    return !beside.on || load_prepare(&beside.load, c, p);
}

// ---- the app ----

static void read_config(const struct cmdline *c, struct dsa_config *config)
{
    *config = (struct dsa_config){
        .op = (enum copy_op)cmdline_get(c, "op")->number,
        .bs = (uint32_t)cmdline_number(c, "bs"),
        .iodepth = (unsigned)cmdline_number(c, "iodepth"),
        .batch = (unsigned)cmdline_number(c, "batch"),
        .wqs = (unsigned)cmdline_number(c, "wqs"),
        .count = cmdline_number(c, "count"),
        .runtime_us = cmdline_number(c, "runtime"),
    };
}

static void run(const struct cmdline *c)
{
    static struct dsa_load load;
    static const struct dsa_beside reads = { begin_reads, end_reads };
    struct problem p;
    read_config(c, &load.config);
    if (!dsa_load_open(&load, &p) || !prepare_reads(c, &p)) {
        error_problem(&p);
        return;
    }
    dsa_table_run(&load, (enum dsa_rows)cmdline_get(c, "rows")->number, &reads);
}

APP(app_dsa) = {
    .name = "dsa",
    .help = "accelerators (Intel DSA): how many completions a second, by each way to deliver",
    .options = options,
    .bare = { "op" },
    .run = run,
};
