// SPDX-License-Identifier: BSD-2-Clause
// The sources of a copy: how many one command takes, and how it tells them (NVM Command Set 1.0,
// 3.2.2, format 0). Pure.
#pragma once

#include "drivers/nvme/nvme_regs.h"
#include "kernel/run/block.h"

// What one command can tell.
struct nvme_copy {
    uint32_t source_most; // blocks of a range; up to 65,536
    uint32_t ranges_most;
};

// Of the request's blocks from `first` on, how many one command takes: `most` > 0, or less.
uint32_t nvme_copy_run(const struct nvme_copy *c, const struct block_req *req, uint32_t first,
                       uint32_t most);

// Writes the ranges of these, of which nvme_copy_run() said that one command takes them; their tags
// are what the mask leaves of their first LBA. Returns how many.
unsigned nvme_copy_list(const struct nvme_copy *c, const struct block_req *req, uint32_t first,
                        uint32_t blocks, uint32_t tag_mask, struct nvme_copy_range *list);
