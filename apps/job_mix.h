// SPDX-License-Identifier: BSD-2-Clause
// Workers that do more than one kind of I/O as fast as they can: that mix, flush, keep a pace, or
// write what is checked: as it is read during the job, and all of it afterwards.
#pragma once

#include "apps/job.h"
#include "lib/pace.h"
#include "lib/written.h"

// What an I/O is for. Flushes, and what is read back in the end, are not among the job's I/Os.
enum job_way { JOB_READ, JOB_WRITE, JOB_TRIM, JOB_SYNC, JOB_READ_BACK, JOB_WAYS };

// Of I/Os of one kind.
struct job_counts {
    uint64_t ios, errors;
    struct histogram latency;
};

struct job_mix;
struct job_mix_io {
    struct job_mix *mix;
    uint64_t start_tsc;
    uint64_t number;   // of a write: its own; of a flush: writes that it makes durable
    uint64_t place;    // number of the I/O in the disk's region
    uint32_t sequence; // of what is written; of what is read: what it must be, 0: not known
    uint8_t channel;   // when it isn't urgent
    enum job_way way;
    bool in_flight;
    struct job_mix_io *next;  // idle
    struct block_req reqs[2]; // of one buffer: for reads, and for all else; as last prepared
};

struct job_mix {
    struct job_worker *worker;
    const struct job_config *config;
    struct job_mix_io *ios, *idle;
    unsigned in_flight;
    uint64_t reads, others; // begun
    unsigned unsynced;      // writes begun since the last flush was
    uint64_t durable;       // writes, from the first one on, that a flush has covered
    uint64_t seed;
    bool paced;
    struct pace pace;
    struct cpu_timer timer;
    struct written *written; // NULL: what is written isn't checked
    uint64_t read_back;      // writes whose places were read back
    // Makes an idle I/O the next one; false: none may begin now.
    bool (*choose)(struct job_mix *m, struct job_mix_io *io, uint64_t now);
    struct job_counts counts[JOB_WAYS];
};

// Does a job need such workers?
bool job_is_mixed(const struct job_config *config);

// Bytes of memory for a worker of a disk, besides its buffers.
uint64_t job_mix_bytes(const struct job_config *config, const struct block_dev *dev);

// Makes the worker's; its share of the region stands.
void job_mix_make(struct job_worker *w, const struct job *job);

// Owner CPU. Each ends with job_end_worker().
void job_mix_start(struct job_worker *w);
void job_mix_read_back(struct job_worker *w);

// Forgets what was measured so far. Owner CPU.
void job_mix_measure(struct job_worker *w);
