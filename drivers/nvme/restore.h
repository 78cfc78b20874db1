// SPDX-License-Identifier: BSD-2-Clause
// After a reset: a controller that answers admin commands again is told what it knew before, one
// command after the other, without waiting. Home CPU.
#pragma once

#include "drivers/nvme/admin.h"

enum nvme_restore_state { NVME_RESTORE_GOES_ON, NVME_RESTORE_DONE, NVME_RESTORE_FAILED };

struct nvme_restore {
    struct nvme_ctrl *ctrl;
    enum nvme_restore_state state;
    bool other; // it failed, since it is another disk
    unsigned step;
    unsigned granted;     // queues
    uint64_t deadline_ns; // of the command under way
    void *page;
    struct nvme_admin_command command;
};

void nvme_restore_init(struct nvme_restore *r, struct nvme_ctrl *c);
void nvme_restore_start(struct nvme_restore *r);

// From time to time: takes the answers and sends what is next.
enum nvme_restore_state nvme_restore_look(struct nvme_restore *r);
