// SPDX-License-Identifier: BSD-2-Clause
// What the world and the controller model share.
#pragma once

#include "tests/host/nvme_model.h"

struct model *world_add(void); // a zeroed one, with its PCI function
struct model *world_find(const volatile void *reg, size_t *offset); // whose register
