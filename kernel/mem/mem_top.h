// SPDX-License-Identifier: BSD-2-Clause
// RAM from the top of regions: for the DMA arena, and for domains.
#pragma once

#include "lib/types.h"

// Takes `bytes` from the highest region of the node (NODE_ANY: of any) that has at least `least` bytes
// below `limit`, as high as `align` allows; not zeroed. 0: there is none. Any CPU.
uint64_t mem_take_top(uint64_t bytes, uint64_t align, uint64_t least, unsigned node,
                      uint64_t limit);
