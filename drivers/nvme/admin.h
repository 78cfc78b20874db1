// SPDX-License-Identifier: BSD-2-Clause
// Admin commands: one at a time, polled, each with a deadline. Boot CPU.
#pragma once

#include "drivers/nvme/ctrl.h"

void nvme_admin_start(struct nvme_ctrl *c); // makes the queue in memory

// Runs one admin command to its end. `what` names it for messages; result (may be NULL) is dword 0
// of its completion. Where it failed, c->command.status is the completion's status field.
bool nvme_admin(struct nvme_ctrl *c, struct nvme_sqe *sqe, const char *what, uint32_t *result,
                struct problem *p);

// Identify into c->page.
bool nvme_identify(struct nvme_ctrl *c, unsigned cns, uint32_t nsid, const char *what,
                   struct problem *p);
