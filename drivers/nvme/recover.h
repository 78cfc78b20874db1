// SPDX-License-Identifier: BSD-2-Clause
// What keeps a controller's requests from waiting for ever: late commands are aborted, a controller
// that fails is reset and set up again, and where that doesn't help it is given up and its requests
// end. recover_plan.h says what follows what. All of it runs on the boot CPU by timers and messages,
// so that other disks are served meanwhile; each queue's owner leaves its queue alone, takes back
// its commands and goes on when it is told to.
#pragma once

#include "drivers/nvme/disk.h"

// Looks after a controller with queues from now on. Boot CPU.
void nvme_recover_start(struct nvme_ctrl *c);

// Resets it. Boot CPU, from its loop.
void nvme_recover_reset(struct nvme_ctrl *c);

// For slots.c; controllers that run. Takes it out of use, as soon as nothing else is under way with it:
// ask until it is over, which means that it is gone and all its requests have ended. Then, when
// something is there again, has it set up, if it is the same disk; until it returns no more.
void nvme_recover_remove(struct nvme_ctrl *c);
void nvme_recover_return(struct nvme_ctrl *c);
bool nvme_recover_is_over(const struct nvme_ctrl *c);
bool nvme_recover_returns(const struct nvme_ctrl *c);

// What there was, for people: nothing where nothing was.
void nvme_recover_print(const struct nvme_ctrl *c);
