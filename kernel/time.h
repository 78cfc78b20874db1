// SPDX-License-Identifier: BSD-2-Clause
// Time: the TSC as a clock, and waits that always end.
#pragma once

#include "lib/types.h"

#ifdef ONEBELL_HOST
uint64_t rdtsc(void); // a test may have a clock of its own
#else
static inline uint64_t rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}
#endif

static inline void cpu_relax(void)
{
    __asm__ volatile("pause" ::: "memory");
}

// Nanoseconds since the kernel started. Any CPU, any context.
uint64_t time_ns(void);

// Waits until the condition holds; false if it still doesn't after timeout_ns. Evaluates the
// condition once more after the deadline, so that a long pause of the CPU is not taken for a
// time-out of the device.
#define poll_until(condition, timeout_ns)                                                          \
    __extension__({                                                                                \
        uint64_t poll_end_ = time_ns() + (timeout_ns);                                             \
        bool poll_ok_;                                                                             \
        while (!(poll_ok_ = (condition)) && time_ns() < poll_end_)                                 \
            cpu_relax();                                                                           \
        poll_ok_ || (condition);                                                                   \
    })

// Waits at least so long. Any CPU.
void time_delay_ns(uint64_t ns);
