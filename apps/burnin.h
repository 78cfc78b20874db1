// SPDX-License-Identifier: BSD-2-Clause
// app=burnin: its state, and what its two files share.
#pragma once

#include "apps/disks.h"
#include "apps/histogram.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/run/block.h"
#include "lib/pattern.h"
#include "lib/written.h"

enum burnin_phase { BURNIN_WRITING, BURNIN_FLUSHING, BURNIN_READING, BURNIN_PHASES };

struct burnin_io {
    struct block_req req;
    uint64_t start_tsc;
    uint64_t place; // number of the I/O in the region
    uint32_t sequence;
};

// What one kind of phase did, in all passes.
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
    struct burnin_io *ios;

    enum burnin_phase phase;
    unsigned pass; // 1 for the first
    uint64_t next; // I/Os of this phase that have begun
    unsigned in_flight;
    bool given_up;
    uint64_t done; // blocks written and read; the boot CPU reads it
    uint64_t phase_tsc;
    unsigned told;
    struct written written;
    struct burnin_way ways[BURNIN_PHASES];
    uint64_t verdicts[PATTERN_VERDICTS]; // of blocks
};

struct health;

struct burnin {
    uint64_t size; // bytes; 0: all
    uint32_t bs;
    unsigned iodepth, passes;
    uint64_t seed;
    struct disks disks;
    struct burnin_disk **list;
    struct health *health;
    unsigned waiting; // disks that are not over
    bool stop;
    struct cpu_timer progress;
    uint64_t began_ns, interval_ns;
};

// burnin_report.c; boot CPU.
void burnin_describe(const struct burnin *b);
void burnin_show_progress(const struct burnin *b);
void burnin_report(const struct burnin *b);
