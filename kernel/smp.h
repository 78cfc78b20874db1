// SPDX-License-Identifier: BSD-2-Clause
// Bringing up the CPUs, for main.c alone.
#pragma once

#include "kernel/acpi.h"
#include "kernel/handoff.h"

// Makes the structures of the CPUs to use: the boot CPU first, then MADT's order, at most `most`
// (0: all). Problem "cpus" where there are fewer than asked for.
bool smp_prepare(const struct madt *madt, const struct srat *srat, unsigned most,
                 struct problem *p);

// Starts them, one after the other; each then runs its loop.
bool smp_start(const struct handoff *h, struct problem *p);

// How many bytes of its stack a CPU has ever used, interrupts included: stacks start as zeros. Any CPU.
unsigned smp_stack_used(unsigned cpu);

// Halts all others for good, before the run ends. Only CPUs that run our code get the NMI: what
// firmware has parked may have no handler for it any more. Any CPU, any context.
void smp_stop_others(void);
bool smp_is_stopping(void);

// Starts one of them, again, after cpu_offline(). Boot CPU; takes at least 10 ms.
bool smp_start_cpu(unsigned index, struct problem *p);
