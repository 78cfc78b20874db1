// SPDX-License-Identifier: BSD-2-Clause
// Asynchronous events (NVMe Base 2.0, 5.2): what a controller tells of its own accord, and what is
// done about it. Boot CPU.
#pragma once

#include "drivers/nvme/admin.h"

// Chooses, and listens, once the controller runs.
void nvme_events_start(struct nvme_ctrl *c);

// Interrupts for so many completions (0: for each), or so long after the first of them. Before
// nvme_init().
void nvme_set_coalescing(unsigned count, uint64_t us);

// What the host chooses, once there are queues: the events that it is told of; that failed commands
// name delays before retries, and namespaces may have extended formats, where there are such;
// coalescing, where it is wanted; and shadow doorbells, where there are such.
unsigned nvme_choices(const struct nvme_ctrl *c);
struct nvme_sqe nvme_choice(struct nvme_ctrl *c, unsigned i);
void nvme_choice_answered(struct nvme_ctrl *c, unsigned i, bool taken);

// Sends the requests that events answer; after a reset, again.
void nvme_events_listen(struct nvme_ctrl *c);

// Looks for events, as somebody has to after so long; 0: there will be none.
void nvme_events_poll(struct nvme_ctrl *c);
uint64_t nvme_events_wait_ns(const struct nvme_ctrl *c);

unsigned nvme_events_count(const struct nvme_ctrl *c); // that came
