// SPDX-License-Identifier: BSD-2-Clause
// What a job's workers and CPUs have counted, added up. Boot CPU, after the job's end.
#pragma once

#include "apps/job_mix.h"

// The work of one disk, or of all.
struct job_sum {
    const char *filename;
    unsigned cpus, disks;
    unsigned workers, streams; // workers, and those of them that go by streams
    uint64_t submitted, completed, errors, verify_errors;
    uint64_t tsc;             // of the worker that took longest
    struct histogram latency; // of all reads
    struct histogram urgent;  // of those
    struct histogram slat;    // time in submission, where it was measured
    bool is_part;             // of these: what it verified, and urgent errors, aren't told apart
    uint64_t bs;              // bytes of each
    struct job_counts *ways;  // by enum job_way; NULL: it only reads
};

// What interrupts and CPUs did during the run; it can't be told apart by disk.
struct job_totals {
    uint64_t msis, notifications, moderated;
    uint64_t busy_tsc;      // of CPUs that have workers, or take MSIs
    uint64_t tsc, idle_tsc; // of all CPUs
    bool has_energy;
    uint64_t energy_uj; // of all packages
};

// Before job_sum_up(): memory for what the job's kind needs.
void job_sum_prepare(const struct job *job, struct job_sum *sum);

// One sum for each disk (NULL: none), and one of all.
void job_sum_up(const struct job *job, struct job_sum *disks, struct job_sum *all);
void job_sum_cpus(const struct job *job, struct job_totals *t);

// I/Os that ended well while the job measured: errors count from the begin, and of flushes, too.
uint64_t job_sum_good(const struct job_sum *sum);

// Per second, times `scale`: I/Os, or bytes where `each` is their size.
uint64_t job_sum_rate(const struct job_sum *sum, uint64_t each, uint64_t scale);
