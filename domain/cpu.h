// SPDX-License-Identifier: BSD-2-Clause
// A domain's CPU: the kernel's struct cpu, which messages, timers and the loop work on, and what stands
// in place of its descriptor and its local APIC.
#pragma once

#include "kernel/base/percpu.h"
#include "kernel/domain/abi.h"

struct event;

struct program_cpu {
    struct cpu cpu; // the GS base
    struct domain_events *events;
    struct event *looked_at; // whose devices the loop looks at itself
    uint64_t timer_tsc;      // when a timer is due; UINT64_MAX: none is
    uint64_t found;          // handlers that ran since it last waited
    bool never_sleeps;       // something here tells nobody when it is done
};

static inline struct program_cpu *program_cpu_of(struct cpu *cpu)
{
    return container_of(cpu, struct program_cpu, cpu);
}

static inline struct program_cpu *this_program_cpu(void)
{
    return program_cpu_of(this_cpu());
}

// CPU 0's, and memory for all others'. CPU 0, before there is any other.
extern struct program_cpu program_boot_cpu;
void program_add_cpus(unsigned count);

// Adds CPU `index`, whose events are there.
void program_add_cpu(struct program_cpu *cpu, struct domain_events *events);

// ---- irq.c, for the loop ----

// Takes all events over, WAKE as well, so that a sleep isn't ended by what is known. Owner CPU.
void program_take_events(struct program_cpu *cpu);
