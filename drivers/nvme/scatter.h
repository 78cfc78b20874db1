// SPDX-License-Identifier: BSD-2-Clause
// Data that lie in several pieces of memory: how far one command can tell where they are, by PRPs
// where pieces meet at page boundaries, else by an SGL (NVMe Base 2.0, 4.1.1 and 4.1.2). Any CPU.
#pragma once

#include "drivers/nvme/nvme_regs.h"
#include "kernel/run/block.h"

// What there is to tell with.
struct nvme_scatter {
    unsigned block_shift;
    bool sgl;
    uint64_t *list;      // for PRPs or descriptors; NULL: not known yet
    uint32_t list_bytes; // a power of two, within a page
};

// Of the request's blocks from `first` on, how many one command takes: `most` > 0, or less.
uint32_t nvme_scatter_run(const struct nvme_scatter *s, const struct block_req *req, uint32_t first,
                          uint32_t most);

// Writes where these are, of which nvme_scatter_run() said that one command takes them.
void nvme_scatter_point(const struct nvme_scatter *s, const struct block_req *req, uint32_t first,
                        uint32_t blocks, struct nvme_io_sqe *sqe);
