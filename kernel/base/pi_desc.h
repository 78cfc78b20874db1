// SPDX-License-Identifier: BSD-2-Clause
// The posted-interrupt descriptor as it lies in memory (VT-d 9.11): a remapping unit writes it, one
// CPU reads it. What the CPU does with it is in kernel/irq/posted.h.
#pragma once

#include <stdatomic.h>

#include "lib/bits.h"
#include "lib/types.h"

#define PI_WORDS 4 // 256 vectors

#define PI_CONTROL_ON BIT64(0)               // notification outstanding
#define PI_CONTROL_SN BIT64(1)               // suppress notifications
#define PI_CONTROL_NV BITS64(23, 16)         // notification vector
#define PI_CONTROL_NDST BITS64(63, 32)       // x2APIC: the 32-bit id
#define PI_CONTROL_NDST_XAPIC BITS64(47, 40) // xAPIC: 8 bits of it

struct pi_desc {
    _Atomic uint64_t pir[PI_WORDS]; // bit n: vector n was posted
    _Atomic uint64_t control;
    uint64_t reserved[3]; // must be zero
} __attribute__((aligned(64)));
static_assert(sizeof(struct pi_desc) == 64, "VT-d 9.11");
static_assert(offsetof(struct pi_desc, control) == 32, "VT-d 9.11");
