// SPDX-License-Identifier: BSD-2-Clause
// Sums of what a job has read, by an accelerator.
#pragma once

#include "apps/job.h"
#include "kernel/run/copy.h"

// Of one I/O.
struct job_crc {
    struct copy_req req;
    struct job_worker *w;
    struct job_io *io;
    uint32_t block; // which is summed
    uint64_t read_tsc;
};

void job_crc_init(struct job_crc *c, struct job_worker *w, struct job_io *io);
