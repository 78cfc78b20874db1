// SPDX-License-Identifier: BSD-2-Clause
// Taking a CPU out of use, and bringing it back.
#pragma once

#include "kernel/cpu/msg.h"
#include "lib/problem.h"
#include "lib/types.h"

struct cpu;

// A CPU's leave or return. Embed it; valid until done() has been called on the boot CPU.
struct cpu_change {
    struct cpu_msg msg;
    unsigned cpu; // not the boot CPU
    bool ok;
    struct problem problem; // where not ok
    void (*done)(struct cpu_change *change);
};

// Takes a CPU out of use: its irqs, with their queues, and its timers go to other CPUs, then it
// halts. The caller has seen to it that nothing of its own waits for completions there.
// Brings it back: it starts anew, and its timers and the irqs that were allocated for it return.
// Both: boot CPU, from its loop, one change at a time.
void cpu_offline(struct cpu_change *change);
void cpu_online(struct cpu_change *change);

// For smp_start(): what is left to do once cpu_offline() has ended this CPU's loop. Runs the last
// messages, hands its timers over, tells the boot CPU, halts until INIT.
noreturn void hotplug_halt(struct cpu *cpu);
