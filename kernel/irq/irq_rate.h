// SPDX-License-Identifier: BSD-2-Clause
// Inside the IRQ core: posted.rate, the machine's budget of notifications.
#pragma once

#include "lib/types.h"

// The least time from one notification of a CPU to the next; 0: none. All CPUs read it, and it is
// written some times a second at most.
extern uint64_t irq_rate_window;

static inline uint64_t irq_rate_window_ns(void)
{
    return __atomic_load_n(&irq_rate_window, __ATOMIC_RELAXED);
}
