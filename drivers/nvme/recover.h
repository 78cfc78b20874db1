// SPDX-License-Identifier: BSD-2-Clause
// What keeps a controller's requests from waiting for ever: the watch over its queues, and the end
// of those of a controller that is gone.
#pragma once

#include "drivers/nvme/disk.h"

// Watches all its I/O queues from now on. Boot CPU, before they have requests.
void nvme_recover_start(struct nvme_ctrl *c);

// The controller is gone: says so once, stops its DMA, and has every queue's owner end all its
// requests. `csts` is what shows it. Any CPU, from its loop.
void nvme_ctrl_gone(struct nvme_ctrl *c, uint32_t csts);
