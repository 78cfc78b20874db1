// SPDX-License-Identifier: BSD-2-Clause
// app=bench: the tables of docs/performance.md in one boot. Its runs are jobs (apps/job.h) that only read.
#pragma once

#include "apps/arena.h"
#include "apps/bench_plan.h"
#include "apps/bench_stat.h"
#include "apps/disks.h"
#include "apps/histogram.h"

// What is told as a median of all repeats.
enum bench_figure {
    BENCH_IOPS,
    BENCH_CYCLES_PER_IO,
    BENCH_BUSY,      // thousandths of the time of all CPUs
    BENCH_COUNTED,   // a second, by the counting app
    BENCH_NJ_PER_IO, // nanojoules
    BENCH_FIGURES
};

// What a row's repeats have measured so far.
struct bench_row_sum {
    uint64_t values[BENCH_FIGURES][BENCH_REPEATS_MAX];
    unsigned repeats;
    bool has_energy;
    uint64_t ios, msis, notifications, moderated, ns;
    struct histogram slat, clat; // TSC cycles
};

// What is kept of a row for the tables.
struct bench_result {
    bool there;
    bool has_energy;
    struct bench_stat figures[BENCH_FIGURES];
    uint64_t ios, msis, notifications, moderated, ns;
    uint64_t slat_ns, clat_ns, p50_ns, p95_ns, p99_ns, p999_ns;
};

struct job_sum;
struct bench {
    struct bench_plan plan;
    struct bench_settings settings;
    struct disks disks; // without those that have failed
    unsigned repeats;
    uint64_t runtime_us;
    struct arena arena;
    struct bench_result *results; // by row
    struct bench_row_sum *sums;   // of a group's rows
    struct job_sum *sum;          // of a run
    uint64_t began_ns;
    unsigned runs_done;
};

// bench_mode.c: modes that the machine has, least first; and a change to one of them, with its loops and
// its budget. Boot CPU.
unsigned bench_modes(enum irq_mode modes[BENCH_MODES]);
bool bench_set_mode(enum irq_mode mode, unsigned loops, uint64_t budget, struct problem *p);

// bench_background.c: an app that counts on each CPU, a short while in each round of its loop; and how
// far it came in a second, all CPUs together. Boot CPU.
void bench_begin_counting(struct arena *arena);
uint64_t bench_end_counting(void);

// bench_live.c: the screen's panel, between runs; and what a run has done. Boot CPU.
struct job;
void bench_live_show(const struct bench *b, const struct bench_row *row, uint64_t left_s);
void bench_live_add(const struct job *job);

// bench_json.c: what it is about to do; and a row, once all of its repeats are done.
void bench_send_plan(const struct bench *b, const struct cmdline *c, uint64_t estimate_s);
void bench_report_row(struct bench *b, unsigned row, struct bench_row_sum *sum);

// bench_report.c: a row in words, and a table for people.
#define BENCH_ROW_BYTES 96
const char *bench_describe(const struct bench_row *row, char *to);
void bench_print_table(struct bench *b, enum bench_table table);
