// SPDX-License-Identifier: BSD-2-Clause
// Page-table entries (SDM vol. 3, 5.5), as the kernel's own tables and those of domains have them.
#pragma once

#include "lib/bits.h"

#define PTE_P BIT64(0)
#define PTE_W BIT64(1)
#define PTE_U BIT64(2)
#define PTE_PWT BIT64(3)
#define PTE_PCD BIT64(4)
#define PTE_LARGE BIT64(7)
#define PTE_G BIT64(8)
#define PTE_NX BIT64(63)
#define PTE_ADDRESS BITS64(51, 12)

#define PTE_ENTRIES 512
