// SPDX-License-Identifier: BSD-2-Clause
// Which CPUs are threads of one core. Pure.
#pragma once

#include "kernel/base/x86.h"

#define CPUID_TOPOLOGY_LEVELS 0xb // each CPU with an x2APIC has this leaf (SDM vol. 3, 11.12.8)
#define TOPOLOGY_A_SHIFT BITS32(4, 0)
#define TOPOLOGY_C_TYPE BITS32(15, 8)
#define TOPOLOGY_TYPE_SMT 1

// By sub-leaf 0: without the bits that it counts, x2APIC ids are those of cores.
static inline bool topology_is_one_core(struct cpuid level0, uint32_t id, uint32_t other_id)
{
    uint64_t shift = field_get(TOPOLOGY_C_TYPE, level0.c) == TOPOLOGY_TYPE_SMT
                         ? field_get(TOPOLOGY_A_SHIFT, level0.a)
                         : 0;
    return id >> shift == other_id >> shift;
}
