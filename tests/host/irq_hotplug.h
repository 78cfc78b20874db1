// SPDX-License-Identifier: BSD-2-Clause
// CPUs that leave and come back, for irq_world.h: the test lets their loops take turns.
#pragma once

#include "kernel/run/hotplug.h"
#include "tests/host/irq_world.h"

extern struct hotplug {
    struct cpu_change change; // of CPU 1, unless the test says otherwise
    bool start_fails;         // the CPU that comes back

    // What happened.
    bool ended;              // the change: told on the boot CPU
    bool halted[4];          // for good
    bool timer_stopped[4];   // the local APIC's
    bool halted_enabled;     // with interrupts on
    unsigned fired[4];       // timers of fire() and fire_again(), by CPU
    uint64_t timer_at_start; // what the APIC's timer was set to when a CPU started
} hotplug;

void hotplug_begin(unsigned count, enum irq_mode mode);

// One round of a CPU's loop; rounds of all, until nothing is left to say.
void hotplug_turn(unsigned cpu);
void hotplug_turns(void);

void hotplug_leave(void);
void hotplug_come_back(void);

// An irq of that CPU which can move.
struct irq *hotplug_irq(unsigned cpu, uintptr_t number);

void fire(struct cpu_timer *timer);
void fire_again(struct cpu_timer *timer);                 // every 100 ns
void start_on_cpu(unsigned cpu, struct cpu_timer *timer); // at its due_ns
