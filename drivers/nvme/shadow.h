// SPDX-License-Identifier: BSD-2-Clause
// Shadow doorbells (NVMe Base 2.0, 5.8 and B.5): with a controller that is a program, most doorbells
// are stores into memory, which it looks at by itself; its registers are written only where it has
// said that it needs to be told. Boot CPU, while the queues have no requests.
#pragma once

#include "drivers/nvme/disk.h"

// They are to be used: false unless set. Before nvme_init().
void nvme_shadow_set(bool wanted);

// They are wanted, the controller has them, and there is room for all its queues.
bool nvme_shadow_offered(const struct nvme_ctrl *c);

// The command that tells the controller where they are: all zeros again.
struct nvme_sqe nvme_shadow_choice(struct nvme_ctrl *c);

// It took them, or refused: then the queues have none, as after each reset.
void nvme_shadow_answered(struct nvme_ctrl *c, bool taken);
