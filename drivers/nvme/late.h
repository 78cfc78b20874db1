// SPDX-License-Identifier: BSD-2-Clause
// What is late on a queue, for who watches over it: commands without an answer, and completions without
// an interrupt. The queue's owner, from its loop.
#pragma once

#include "drivers/nvme/disk.h"

// A tick of the watch, which goes on as long as something is in flight or waits: `look` at the queue.
void nvme_late_tick(struct cpu_timer *watch, void (*look)(struct nvme_queue *q));

// At a look: serves completions that nobody was told of.
void nvme_late_interrupt(struct nvme_queue *q);

// Counts what is late, into q->watch, after serving what was answered.
void nvme_late_count(struct nvme_queue *q);

// Tells of what became late at this tick, if anything did, and what follows from that.
void nvme_late_tell(const struct nvme_queue *q, const char *follows);
