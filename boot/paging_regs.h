// SPDX-License-Identifier: BSD-2-Clause
// Page-table entries (SDM vol. 3, 5.5).
#pragma once

#include "lib/bits.h"

#define PAGE_ENTRIES 512
#define PAGE_ENTRY_P BIT64(0)
#define PAGE_ENTRY_W BIT64(1)
#define PAGE_ENTRY_U BIT64(2)
#define PAGE_ENTRY_PS BIT64(7) // a page of 2 MiB or 1 GiB, not a table
#define PAGE_ENTRY_ADDRESS BITS64(51, 12)
#define PAGE_ENTRY_NX BIT64(63)

// Level 1 holds 4 KiB pages, 4 is the PML4, 5 the PML5.
#define PAGE_SHIFT(level) (12 + 9 * ((level) - 1))
#define PAGE_INDEX(address, level) ((address) >> PAGE_SHIFT(level) & (PAGE_ENTRIES - 1))
