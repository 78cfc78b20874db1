// SPDX-License-Identifier: BSD-2-Clause
// app=burnin: its state, and what its files share.
#pragma once

#include "apps/disks.h"
#include "apps/histogram.h"
#include "kernel/base/cmdline.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/run/block.h"
#include "lib/pattern.h"
#include "lib/written.h"

enum burnin_step {
    BURNIN_WRITE,
    BURNIN_READ,
    BURNIN_COMPARE,
    BURNIN_VERIFY,
    BURNIN_ZEROES,
    BURNIN_TRIM,
    BURNIN_COPY,
    BURNIN_FLUSH, // not by word: it follows whatever changes data
    BURNIN_STEPS
};

struct burnin_step_kind {
    const char *name; // of the word, and of the step's JSON object
    enum block_op op;
    bool changes; // what is on the disk
    bool looks;   // at data, of which something has to be known
};
extern const struct burnin_step_kind burnin_steps[BURNIN_STEPS];

#define BURNIN_STEPS_MOST 16 // by word

struct burnin_plan {
    enum burnin_step steps[2 * BURNIN_STEPS_MOST];
    unsigned count;
};

// What a disk's region holds once all is written; a copy has then brought the second half of its
// places what the first half has.
enum burnin_content { BURNIN_UNKNOWN, BURNIN_PATTERN, BURNIN_ZEROED };

struct burnin_io {
    struct block_req req;
    struct block_source sources[2];
    uint64_t start_tsc;
    uint64_t place; // number of the I/O in the region
    uint32_t sequence;
    bool with_others; // it compares with data that the disk doesn't have
};

// What one step did, in all passes.
struct burnin_way {
    uint64_t ios, bytes, errors;
    uint64_t tsc; // how long it took
    struct histogram latency;
};

struct burnin_disk {
    struct burnin *burnin;
    struct block_dev *dev;
    unsigned cpu;
    struct cpu_msg msg;
    uint64_t tag;
    uint64_t region; // blocks
    uint64_t places; // I/Os that cover it; the last one may be shorter
    uint32_t io_blocks;
    struct burnin_plan plan;
    struct burnin_io *ios;

    unsigned step;      // of the plan
    unsigned pass;      // 1 for the first
    uint64_t next, end; // places that this step has not begun with
    unsigned in_flight;
    bool given_up;
    uint64_t done; // blocks of all steps; the boot CPU reads it
    uint64_t step_tsc;
    unsigned told;
    struct written written; // or zeroed
    enum burnin_content content;
    bool copied, copy_failed;
    struct burnin_way ways[BURNIN_STEPS];
    uint64_t verdicts[PATTERN_VERDICTS]; // of blocks that were read
};

struct health;

struct burnin {
    uint64_t size; // bytes; 0: all
    uint32_t bs;
    unsigned iodepth, passes;
    uint64_t seed;
    struct burnin_plan plan; // as asked for
    struct disks disks;
    struct burnin_disk **list;
    struct health *health;
    unsigned waiting; // disks that are not over
    bool stop;
    struct cpu_timer progress;
    uint64_t began_ns;
    uint64_t line_ns, interval_ns; // when the next line on its progress is due, and between two
};

// ---- burnin_plan.c ----

// steps= with a flush after each that changes data.
bool burnin_plan_parse(const struct cmdline_value *words, struct burnin_plan *out,
                       struct problem *p);

// What of it the disk can do: the rest is left out, with a warning.
void burnin_plan_for(const struct burnin_plan *all, const struct block_dev *dev,
                     struct burnin_plan *out);

unsigned burnin_plan_counts(const struct burnin_plan *plan, enum burnin_step step);

// The places that a step works on: from *first on, so many.
uint64_t burnin_step_places(const struct burnin_disk *d, enum burnin_step step, uint64_t *first);

// ---- burnin_data.c; the disk's CPU ----

uint32_t burnin_blocks_at(const struct burnin_disk *d, uint64_t place);
void burnin_fill(const struct burnin_disk *d, const struct burnin_io *io); // for a write

// For a comparison: what is there, or other data. False: nobody knows what is there.
bool burnin_expect(const struct burnin_disk *d, const struct burnin_io *io);
void burnin_check(struct burnin_disk *d, const struct burnin_io *io); // what was read

bool burnin_is_told(struct burnin_disk *d); // an error: the first few of each disk are

// ---- burnin_report.c; boot CPU ----

void burnin_describe(const struct burnin *b);
void burnin_show_progress(const struct burnin *b);
uint64_t burnin_blocks_to_do(const struct burnin_disk *d); // of all steps and passes
uint64_t burnin_errors(const struct burnin_disk *d);       // of I/O, and bad blocks
uint64_t burnin_seconds_left(const struct burnin *b, uint64_t elapsed_ns);
void burnin_report(const struct burnin *b);

// ---- burnin_live.c: the screen's panel; boot CPU ----

void burnin_live_begin(const struct burnin *b);
void burnin_live_show(const struct burnin *b);
