// SPDX-License-Identifier: BSD-2-Clause
// Admin commands, polled. The boot CPU's.
#pragma once

#include "drivers/nvme/ctrl.h"

void nvme_admin_start(struct nvme_ctrl *c); // makes the queue in memory

// Runs one admin command to its end. `what` names it for messages; result (may be NULL) is dword 0
// of its completion. Where it failed, c->command.status is the completion's status field.
bool nvme_admin(struct nvme_ctrl *c, struct nvme_sqe *sqe, const char *what, uint32_t *result,
                struct problem *p);

// The same without waiting: its done() is called from nvme_admin_poll(), or another command's wait.
// False: no slot is free.
bool nvme_admin_send(struct nvme_ctrl *c, struct nvme_sqe *sqe, struct nvme_admin_command *command);
void nvme_admin_poll(struct nvme_ctrl *c);
uint64_t nvme_admin_deadline_ns(void); // how long one may take

// One has got no answer in that time; nothing but a reset ends it.
bool nvme_admin_is_late(const struct nvme_ctrl *c);

// While its controller is disabled: commands in flight are forgotten.
void nvme_admin_reset(struct nvme_ctrl *c);

// Identify into c->page.
bool nvme_identify(struct nvme_ctrl *c, unsigned cns, uint32_t nsid, const char *what,
                   struct problem *p);
