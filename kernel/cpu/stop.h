// SPDX-License-Identifier: BSD-2-Clause
// Stopping all other CPUs by NMI: for good, before the run ends, or while one tells where all of
// them are.
#pragma once

#include "kernel/x86/mce.h"
#include "lib/types.h"

struct trap_frame;

// What a CPU that stands by leaves to the one that asked it to.
struct cpu_state {
    const struct trap_frame *frame; // where it was
    struct mce_log mce;
};

// Halts all others for good, and waits until they have, 100 ms at most. Only CPUs that run our code
// get the NMI: what firmware has parked may have no handler for it any more. False: another CPU
// does that already, so the caller is to stand by. Again by the same CPU: true. Any CPU, any
// context.
bool cpu_stop_others(void);

// Has all others stand by until they are released, as above.
bool cpu_hold_others(void);
void cpu_release_others(void);

// From the NMI's handler: true where one of these asked for it. Comes back then only if this CPU is
// the one that asked, which no NMI may stop, or was released.
bool cpu_stand_by(const struct trap_frame *frame);

// From an exception, where another CPU has asked, or is about to: halts for good.
noreturn void cpu_stand_by_for_good(const struct trap_frame *frame);

// Waits until all others stand by of themselves, since what happened here happens to all.
void cpu_wait_for_others(uint64_t timeout_ns);

// NULL: that CPU doesn't stand by. For the CPU that asked.
const struct cpu_state *cpu_state_of(unsigned cpu);
