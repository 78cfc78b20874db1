// SPDX-License-Identifier: BSD-2-Clause
// A domain's CPU: the kernel's struct cpu, which messages, timers and the loop work on, and what stands
// in place of its descriptor and its local APIC.
#pragma once

#include "kernel/base/percpu.h"
#include "kernel/domain/abi.h"

struct event;

struct domain_cpu {
    struct cpu cpu; // the GS base
    struct domain_events *events;
    struct event *looked_at; // whose devices the loop looks at itself
    uint64_t timer_tsc;      // when a timer is due; UINT64_MAX: none is
    bool never_sleeps;       // something here tells nobody when it is done
};

static inline struct domain_cpu *domain_cpu_of(struct cpu *cpu)
{
    return container_of(cpu, struct domain_cpu, cpu);
}

static inline struct domain_cpu *this_domain_cpu(void)
{
    return domain_cpu_of(this_cpu());
}

// CPU 0's, and memory for all others'. CPU 0, before there is any other.
extern struct domain_cpu domain_boot_cpu;
void domain_add_cpus(unsigned count);

// Adds CPU `index`, whose events are there.
void domain_add_cpu(struct domain_cpu *cpu, struct domain_events *events);

// ---- irq.c, for the loop ----

// Takes all events over, WAKE as well, so that a sleep isn't ended by what is known. Owner CPU.
void domain_take_events(struct domain_cpu *cpu);
