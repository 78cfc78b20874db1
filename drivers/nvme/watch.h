// SPDX-License-Identifier: BSD-2-Clause
// The watch over each queue with commands in flight: a coarse tick, on the queue's owner, that finds
// completions without an interrupt, commands without an answer, and controllers that fail. It
// serves the first; of the others it tells recover.c.
#pragma once

#include "drivers/nvme/disk.h"

// Watches all its I/O queues from now on. Boot CPU, before they have requests.
void nvme_watch_start(struct nvme_ctrl *c);
