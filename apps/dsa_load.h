// SPDX-License-Identifier: BSD-2-Clause
// The load of app=dsa: each worker keeps so many operations in flight on a queue of an accelerator, and
// looks at what each has done.
#pragma once

#include "kernel/cpu/msg.h"
#include "kernel/run/copy.h"
#include "lib/problem.h"

#define DSA_WORKERS_MAX 256

struct dsa_config {
    enum copy_op op;
    uint32_t bs;
    unsigned iodepth;    // of each worker
    unsigned batch;      // operations that go out together; 0: each by itself
    unsigned wqs;        // workers; 0: one on each device for each CPU that has a queue there
    uint64_t count;      // operations of all workers together; 0: it ends by time
    uint64_t runtime_us; // where it doesn't end by count
};

struct dsa_item {
    struct copy_req req;
    bool out; // submitted, and not seen again
    uint32_t crc;
    bool differs; // what a comparison is to find
    uint32_t differs_at;
    uint8_t *to, *from;
} __attribute__((aligned(CACHE_LINE)));

struct dsa_worker {
    // What each completion touches
    uint64_t completed;
    uint64_t left; // submits no more than that
    uint64_t end_tsc;
    unsigned in_flight;
    // The rest
    uint64_t submitted, errors, verify_errors, twice;
    unsigned cpu;
    unsigned iodepth;
    struct copy_dev *dev;
    struct dsa_item *items;
    struct dsa_load *load;
    struct cpu_msg msg;
    uint64_t began_tsc, ended_tsc;
} __attribute__((aligned(CACHE_LINE)));

// What a run has counted.
struct dsa_sum {
    uint64_t submitted, completed, errors, verify_errors, twice;
    uint64_t tsc;                 // from the first start to the last end
    uint64_t msis, notifications; // of the workers' CPUs
    uint64_t busy_tsc;            // of these
    unsigned wqs, devices, cpus;
};

struct dsa_load {
    struct dsa_config config;
    struct dsa_worker *workers[DSA_WORKERS_MAX];
    unsigned count;
    unsigned running;
    bool stop;
};

// Makes the workers: worker n on device n, counted round, and on the next CPU each time all devices have had
// one. Problems: "dsa-none" (no device), "dsa-wqs", "dsa-bs", "dsa-op", "dsa-batch". Boot CPU.
bool dsa_load_open(struct dsa_load *load, struct problem *p);

// Runs it once; may be done again. Boot CPU.
void dsa_load_execute(struct dsa_load *load, struct dsa_sum *sum);
