// SPDX-License-Identifier: BSD-2-Clause
// Time: the TSC as a clock, and waits that always end.
#pragma once

#include "kernel/base/x86.h"
#include "lib/types.h"

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

// TSC cycles per second, as calibrated.
uint64_t time_tsc_hz(void);
