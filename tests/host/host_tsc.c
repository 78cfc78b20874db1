// SPDX-License-Identifier: BSD-2-Clause
// The host's own TSC, for tests without a clock of their own.

#include "kernel/x86/time.h"

uint64_t rdtsc(void)
{
    return __builtin_ia32_rdtsc();
}
