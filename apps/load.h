// SPDX-License-Identifier: BSD-2-Clause
// A load for tests: each CPU keeps so many random reads of each disk in flight, until it is paused.
// What a CPU counts, it alone writes.
#pragma once

#include "apps/disks.h"
#include "kernel/cpu/msg.h"
#include "kernel/run/block.h"
#include "lib/problem.h"

// Entries of an app's table.
#define LOAD_OPTIONS                                                                               \
    DISKS_OPTION,                                                                                  \
        { .name = "bs",                                                                            \
          .kind = OPTION_SIZE,                                                                     \
          .fallback = "4k",                                                                        \
          .min = 512,                                                                              \
          .max = MIB,                                                                              \
          .help = "bytes of a read" },                                                             \
        { .name = "iodepth",                                                                       \
          .kind = OPTION_NUMBER,                                                                   \
          .fallback = "32",                                                                        \
          .min = 1,                                                                                \
          .max = 1024,                                                                             \
          .help = "reads in flight for each disk and CPU" },                                       \
        { .name = "verify",                                                                        \
          .kind = OPTION_CHOICE,                                                                   \
          .fallback = "none",                                                                      \
          .choices = "none|crc32c|0|1",                                                            \
          .help = "check the stamps that mkdisk wrote" }

struct load_counts {
    uint64_t submitted, completed, errors, verify_errors;
};

struct load_cpu {
    struct load *load;
    struct load_counts counts;
    uint64_t random;
    struct block_req *reqs; // for each disk `iodepth`; no device: its buffer was lost
    unsigned in_flight;
    bool paused;
    struct cpu_msg run, pause;
    void (*drained)(struct load_cpu *cpu); // on the boot CPU
} __attribute__((aligned(CACHE_LINE)));

struct load {
    struct disks disks;
    uint32_t bs;
    unsigned iodepth;
    bool verify;
    struct load_cpu *cpus; // all that there are
};

// Reads the options and prepares the reads. Problems: those of disks_select(), "load-bs",
// "load-memory".
bool load_prepare(struct load *load, const struct cmdline *c, struct problem *p);

// Starts a CPU's load, or resumes it once it has drained. Boot CPU.
void load_run(struct load *load, unsigned cpu);

// Submits no more; drained() is called when all has completed. Boot CPU, while the load runs.
void load_pause(struct load *load, unsigned cpu, void (*drained)(struct load_cpu *cpu));

// The sum over all CPUs; exact once all have drained. Any time.
struct load_counts load_sum(const struct load *load);
