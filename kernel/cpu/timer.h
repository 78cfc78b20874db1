// SPDX-License-Identifier: BSD-2-Clause
// One-shot timers of the calling CPU, run from its loop.
#pragma once

#include "lib/types.h"

struct cpu_timer {
    struct cpu_timer *next;
    uint64_t due_ns;                     // time_ns() at which it fires
    void (*fn)(struct cpu_timer *timer); // may start the timer again
    unsigned cpu;                        // whose it is
    bool armed;
    bool guest; // with the boot CPU, while its own is away
};

// Moves it if it is armed.
void cpu_timer_start(struct cpu_timer *timer, uint64_t due_ns);
void cpu_timer_stop(struct cpu_timer *timer);
