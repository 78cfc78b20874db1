// SPDX-License-Identifier: BSD-2-Clause
// Where a request is cut into commands: at the most that one command takes, and at boundaries that
// none may cross. Pure.
#pragma once

#include "lib/types.h"

struct nvme_cuts {
    uint32_t most;     // blocks of one command; > 0
    uint32_t boundary; // no command crosses a multiple of so many blocks (NOIOB); 0: none
    uint64_t zone;     // nor of so many (ZSZE); 0: none
};

// Blocks, up to `left` > 0, that the command for `lba` takes.
uint32_t nvme_piece(const struct nvme_cuts *cuts, uint64_t lba, uint32_t left);
