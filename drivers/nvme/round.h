// SPDX-License-Identifier: BSD-2-Clause
// Rounds: each of a controller's queues has its owner do something, and once all have, the CPU that
// sent them out goes on. It waits for nothing meanwhile.
#pragma once

#include "drivers/nvme/disk.h"

struct nvme_round_stop;

struct nvme_round {
    struct nvme_ctrl *ctrl;
    struct nvme_round_stop *stops; // one for each queue
    unsigned home;                 // where it ends
    unsigned out;                  // queues that haven't come back
    void (*work)(struct nvme_queue *q);
    void (*done)(struct nvme_round *round);
};

// For the controller's queues, once it has them. Boot CPU.
void nvme_round_init(struct nvme_round *round, struct nvme_ctrl *c);

// Sends it out: work() on each queue's owner, from its loop, and then done() on the calling CPU, from
// its loop. Not while it is out.
void nvme_round_go(struct nvme_round *round, void (*work)(struct nvme_queue *q),
                   void (*done)(struct nvme_round *round));
