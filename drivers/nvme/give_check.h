// SPDX-License-Identifier: BSD-2-Clause
// Whether a controller may be a domain's, and what the domain would have of its registers and disks.
// Boot CPU.
#pragma once

#include "drivers/nvme/disk.h"
#include "kernel/domain/device.h"

// What stands against it, for a domain with these words, is one problem.
bool nvme_give_check(const struct nvme_ctrl *c, const struct domain_words *words,
                     struct problem *p);

// I/O queues for a domain with so many CPUs: at least one, and no more than one for each.
unsigned nvme_give_queues(const struct nvme_ctrl *c, unsigned cpus);

// Of BAR 0, the pages that have these queues' doorbells; the admin queue's, where they can't be told apart.
uint64_t nvme_give_first_page(const struct nvme_ctrl *c);
uint64_t nvme_give_pages_bytes(const struct nvme_ctrl *c, unsigned queues);
