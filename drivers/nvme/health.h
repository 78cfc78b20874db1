// SPDX-License-Identifier: BSD-2-Clause
// How a disk is: block_dev.health and sample_health. Boot CPU.
#pragma once

#include "kernel/run/block.h"

// A controller that has no answer is warned of.
bool nvme_health(struct block_dev *dev, struct block_health *out);

// One sample at a time; one that a reset forgets is not missed.
uint16_t nvme_sample_health(struct block_dev *dev);
