// SPDX-License-Identifier: BSD-2-Clause
// A controller as a generator of interrupt requests (kernel/irq/generator.h): admin commands that change
// nothing make it send the message of MSI-X entry 0, which the admin queue always uses (NVMe Base 2.0,
// 3.1.3.10).
#pragma once

#include "drivers/nvme/ctrl.h"

// Makes it known. Boot CPU, once the controller runs.
void nvme_generator_add(struct nvme_ctrl *c);
