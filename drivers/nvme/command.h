// SPDX-License-Identifier: BSD-2-Clause
// From a block request to its commands, one after the other. The queue's owner, from its loop.
#pragma once

#include "drivers/nvme/disk.h"

struct nvme_op {
    uint8_t opcode;
    bool moves_data;
    const char *words; // "read"
    uint32_t cdw13;
};
extern const struct nvme_op nvme_ops[BLOCK_OPS];

// Its data are in several pieces of memory.
static inline bool nvme_is_scattered(const struct block_req *req)
{
    return nvme_ops[req->op].moves_data && req->pieces && !req->buffer;
}

// Of a request's blocks from `first` on, how many its next command takes.
uint32_t nvme_command_blocks(const struct nvme_queue *q, const struct nvme_ns *ns,
                             const struct block_req *req, uint32_t first);

// The command for these, in slot `id`, whose list is written where it needs one.
struct nvme_io_sqe nvme_command(struct nvme_queue *q, const struct nvme_ns *ns,
                                const struct block_req *req, unsigned id, uint32_t first,
                                uint32_t blocks);
