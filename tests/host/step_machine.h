// SPDX-License-Identifier: BSD-2-Clause
// A machine for step.h: CPUs with local APICs that run the real loop and the real interrupt handlers,
// and devices that send MSIs through a remapping unit.
#pragma once

#include "kernel/irq/irq.h"
#include "tests/host/irq_world.h"
#include "tests/host/step.h"

// A new machine, without irqs or actors.
void machine_start(unsigned count, struct irq_config config);

// The CPU's loop, as an actor, until machine_stop. It waits where it halts, until an interrupt, or a
// post if it uses MWAIT.
unsigned machine_cpu(unsigned cpu);
extern bool machine_stop;

// An actor that sends one MSI of the irq, in the unit's steps: PIR, ON, notification.
unsigned machine_device(struct irq *irq);
void machine_send(struct irq *irq);

// From now on the APICs' timers expire by themselves, once it is their time. When a CPU's is to; 0: never.
void machine_use_timers(void);
uint64_t machine_timer(unsigned cpu);

// What interrupts the current CPU, whose actor takes it in some other way than its loop does: in service
// from here on. -1: nothing.
int machine_accept(void);

// An interrupt for a CPU, from wherever.
void machine_request(unsigned cpu, uint8_t vector);

// All CPUs in use have halted, have nothing pending, and are woken by posts where they are to be.
void machine_is_at_rest(void);
