// SPDX-License-Identifier: BSD-2-Clause
// What a CPU's loop and hot-plug take from messages and timers. Inside the kernel only. The looks are
// inline, since the loop takes one in each round.
#pragma once

#include <stdatomic.h>

#include "kernel/base/percpu.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"

// cpu_post() for a CPU that may be about to leave.
void cpu_post_always(unsigned cpu, struct cpu_msg *msg);

// Runs what is in the inbox, which must be empty before a CPU halts for good; returns how many.
// Owner CPU, from its loop.
unsigned cpu_run_inbox(struct cpu *cpu);

static inline unsigned cpu_run_messages(struct cpu *cpu)
{
    return unlikely(atomic_load_explicit(&cpu->inbox, memory_order_relaxed)) ? cpu_run_inbox(cpu)
                                                                             : 0;
}

// Runs the timers that are due, once the timer's interrupt has come; returns how many. Owner CPU,
// from its loop.
unsigned cpu_run_due_timers(struct cpu *cpu);

static inline unsigned cpu_run_timers(struct cpu *cpu)
{
    return __atomic_load_n(&cpu->timer_due, __ATOMIC_RELAXED) ? cpu_run_due_timers(cpu) : 0;
}

// Sets the timer's hardware for what comes first: the earliest cpu_timer, or the window. Owner CPU.
void cpu_timer_program(struct cpu *cpu);
