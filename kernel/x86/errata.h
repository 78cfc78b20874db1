// SPDX-License-Identifier: BSD-2-Clause
// Processors that don't do what the manual says.
#pragma once

#include "kernel/base/x86.h"

// Pure: the erratum by which a store may not end MWAIT, by CPUID's leaves 0 and 1; NULL: none
// known.
const char *errata_of_mwait(struct cpuid leaf0, struct cpuid leaf1);

// Pure: ring 3 may read what is mapped for ring 0 alone (Meltdown), by CPUID's leaves 0 and 7 and, where leaf 7
// says that there is one, MSR_ARCH_CAPABILITIES.
#define CPUID_7_D_ARCH_CAPABILITIES BIT32(29)
bool errata_shows_kernel(struct cpuid leaf0, struct cpuid leaf7, uint64_t capabilities);
