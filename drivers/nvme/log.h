// SPDX-License-Identifier: BSD-2-Clause
// Log pages, and what the SMART page says of a disk. Boot CPU.
#pragma once

#include "drivers/nvme/ctrl.h"

// Reads the first `bytes` of a page into c->page, at most NVME_PAGE; a multiple of 4. An
// asynchronous event that belongs to the page stays pending. `what` names it for messages.
bool nvme_get_log(struct nvme_ctrl *c, unsigned lid, size_t bytes, const char *what,
                  struct problem *p);

// block_dev.health. A controller that has no answer is warned of.
bool nvme_health(struct block_dev *dev, struct block_health *out);
