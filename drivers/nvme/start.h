// SPDX-License-Identifier: BSD-2-Clause
// The controllers that there are, and their way up: in steps, each of which waits for what the one
// before began, so that several take the time of one. Boot CPU.
#pragma once

#include "drivers/nvme/disk.h"

// Once, before the first.
void nvme_start_init(void);

// One more, at the end of the list. `later`: controllers that share the CPUs' vectors with it and
// start after it.
struct nvme_ctrl *nvme_start_add(struct pci_dev *dev, unsigned later);

// It has steps to take; the next one would wait; and taking it. False: it failed, and is left disabled,
// without bus mastering.
bool nvme_start_is_under_way(const struct nvme_ctrl *c);
bool nvme_start_waits(const struct nvme_ctrl *c);
bool nvme_start_step(struct nvme_ctrl *c, struct problem *p);

// It takes no more steps.
void nvme_start_fail(struct nvme_ctrl *c);

// Forgets its function, which is no more, or is another's: it is gone for good. Its names stay, and
// requests for it end as BLOCK_GONE.
void nvme_start_drop(struct nvme_ctrl *c);
