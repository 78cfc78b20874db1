// SPDX-License-Identifier: BSD-2-Clause
// Controllers that leave the kernel for a domain, and come back (kernel/domain/device.h). Boot CPU.
//
// The domain has the I/O queues and their doorbells. The admin queue stays the kernel's, in memory that
// the controller doesn't reach meanwhile, at addresses where the domain has nothing: who rings its doorbell,
// which may share a page with the others', has the controller fetch from an address that is blocked.
#pragma once

#include "drivers/nvme/disk.h"

// All that run by now may be given to domains: where there are any, after nvme_init().
void nvme_give_start(void);

// This one may.
void nvme_give_add(struct nvme_ctrl *c);

// For slots.c. Takes it from a domain that has it, which goes on without: ask until it is removed. It stays so
// until the domain has ended.
void nvme_give_remove(struct nvme_ctrl *c);
bool nvme_give_is_lost(const struct nvme_ctrl *c); // it is gone, and the domain still has it
bool nvme_give_is_removed(const struct nvme_ctrl *c);

// At the end of a run: one that a domain has had has data in its cache that only an orderly shutdown
// writes down. False: it is the kernel's.
bool nvme_give_shut_down(struct nvme_ctrl *c);
