// SPDX-License-Identifier: BSD-2-Clause
// What the bench runs: rows, in groups whose modes take turns. Pure.
#pragma once

#include "kernel/irq/irq.h"
#include "lib/bits.h"
#include "lib/types.h"

#define BENCH_MODES 5
#define BENCH_ROWS_MAX 256
#define BENCH_REPEATS_MAX 25
#define BENCH_GROUP_MAX 8 // rows of a group

enum bench_table {
    BENCH_DISKS,      // how many disks
    BENCH_BS,         // bytes of a read
    BENCH_DEPTH,      // reads in flight
    BENCH_LOOPS,      // harvests per notification, where notifications harvest
    BENCH_LATENCY,    // at a rate that the disks have no trouble with, and with no rate
    BENCH_BACKGROUND, // what is left over for an app that counts
    BENCH_RATE,       // latency with a budget of notifications and without
    BENCH_COST,       // of so many reads, asleep and awake
    BENCH_TABLES
};
#define BENCH_USUAL (BIT32(BENCH_COST) - 1) // all tables but the last

// Of a table and in it: what is measured at once. Rows of a group differ in their mode alone, or,
// in BENCH_LOOPS, in their loops; in BENCH_RATE in mode and budget.
struct bench_row {
    enum bench_table table;
    enum irq_mode mode;
    unsigned group;
    unsigned disks;
    uint32_t bs;
    unsigned iodepth;
    unsigned loops;     // harvests per notification
    uint64_t rate_iops; // of all disks together; 0: any
    uint64_t budget;    // of notifications a second (posted.rate); 0: none
    uint64_t reads;     // so many in all, however long they take; 0: it ends by time
    bool batch;         // clat=batch
};

struct bench_settings {
    unsigned tables; // bit for each
    bool full;       // all values of what a table varies, not the most telling ones alone
    uint32_t bs;     // where a table doesn't vary it, as the next two
    unsigned iodepth;
    unsigned loops;
    bool batch;
    unsigned disks;  // that there are
    uint64_t budget; // posted.rate
    enum irq_mode modes[BENCH_MODES];
    unsigned modes_count;
};

struct bench_plan {
    struct bench_row rows[BENCH_ROWS_MAX];
    unsigned count;
    unsigned groups;
};

// A run: one row, once.
struct bench_run {
    unsigned row, repeat;
};

const char *bench_table_name(enum bench_table table);

void bench_make_plan(const struct bench_settings *settings, struct bench_plan *plan);

// Rows [*first, *end) are the group's.
void bench_group(const struct bench_plan *plan, unsigned group, unsigned *first, unsigned *end);

// Which row of its group a row is compared with: the first, or itself without a budget.
unsigned bench_base(const struct bench_plan *plan, unsigned row);

// Run `number` of a group whose rows take turns: A B C A B C.
struct bench_run bench_turn(const struct bench_plan *plan, unsigned group, unsigned number);

// CPUs for each disk: all, but where workers would have less than one read a second of the rate.
unsigned bench_numjobs(const struct bench_row *row, unsigned cpus);
