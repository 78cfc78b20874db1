// SPDX-License-Identifier: BSD-2-Clause
// What a domain is told of its disks (granted.h).
#pragma once

#include "drivers/nvme/disk.h"
#include "kernel/domain/device.h"

// Of each namespace of the controller. False: there is no room for as many.
bool nvme_give_tell_disks(const struct nvme_ctrl *c, struct domain_grant *grant);
