// SPDX-License-Identifier: BSD-2-Clause
// Cuts requests into commands.

#include "drivers/nvme/pieces.h"

static uint32_t up_to(uint64_t boundary, uint64_t lba, uint32_t blocks)
{
    return boundary ? (uint32_t)MIN(boundary - lba % boundary, (uint64_t)blocks) : blocks;
}

uint32_t nvme_piece(const struct nvme_cuts *cuts, uint64_t lba, uint32_t left)
{
    return up_to(cuts->zone, lba, up_to(cuts->boundary, lba, MIN(left, cuts->most)));
}
