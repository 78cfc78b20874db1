// SPDX-License-Identifier: BSD-2-Clause
// Log pages. Boot CPU.
#pragma once

#include "drivers/nvme/ctrl.h"

// Get Log Page for the first `bytes` of a page, a multiple of 4, into `page`. An asynchronous event
// that belongs to it stays pending.
struct nvme_sqe nvme_log_command(const struct nvme_ctrl *c, unsigned lid, size_t bytes,
                                 const void *page);

// The same into c->page, to its end. `what` names it for messages.
bool nvme_get_log(struct nvme_ctrl *c, unsigned lid, size_t bytes, const char *what,
                  struct problem *p);
