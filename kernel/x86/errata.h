// SPDX-License-Identifier: BSD-2-Clause
// Processors that don't do what the manual says.
#pragma once

#include "kernel/base/x86.h"

// Pure: the erratum by which a store may not end MWAIT, by CPUID's leaves 0 and 1; NULL: none
// known.
const char *errata_of_mwait(struct cpuid leaf0, struct cpuid leaf1);
