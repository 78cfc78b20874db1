// SPDX-License-Identifier: BSD-2-Clause
// What is late on a queue, for who watches over it: commands without an answer, and completions without
// an interrupt. The queue's owner, from its loop.
#pragma once

#include "drivers/nvme/disk.h"

// Something is in flight, or waits.
bool nvme_late_is_busy(const struct nvme_queue *q);

// At a tick of the watch: serves completions that nobody was told of.
void nvme_late_interrupt(struct nvme_queue *q);

// Counts what is late, into q->watch, after serving what was answered.
void nvme_late_count(struct nvme_queue *q);

// Tells of what became late at this tick, if anything did, and what follows from that.
void nvme_late_tell(const struct nvme_queue *q, const char *follows);
