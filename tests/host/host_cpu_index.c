// SPDX-License-Identifier: BSD-2-Clause
// The boot CPU, for tests that don't say which CPU runs.

#include "kernel/base/cpus.h"

unsigned cpu_index(void)
{
    return 0;
}
