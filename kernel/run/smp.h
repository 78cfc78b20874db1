// SPDX-License-Identifier: BSD-2-Clause
// Bringing up the CPUs, for the boot steps and hot-plug alone.
#pragma once

#include "kernel/acpi/acpi.h"
#include "kernel/handoff.h"

struct cpu;

// Takes note of the CPUs: the boot CPU first, then MADT's order, of which at most `most` are used
// (0: all). Problem "cpus" where there are fewer than asked for.
bool smp_prepare(const struct madt *madt, const struct srat *srat, unsigned most,
                 struct problem *p);

// Keeps CPUs back for domains: bit n is the n-th of the machine, the boot CPU being the 0th and all others
// in MADT's order. They start as well, get their indexes behind all others, and count for none of the CPUs
// that smp_prepare() is asked for. `places` has CPU_MAX bits, not the first, and stays. Before smp_prepare().
void smp_keep_back(const uint64_t *places);
// The index of such a CPU; CPU_MAX: it isn't there, or didn't start.
unsigned smp_kept_index(unsigned place);

// What a CPU does once its loop has ended; it never comes back.
typedef void (*smp_left)(struct cpu *cpu);

// Starts them, one after the other; each then runs its loop, and `left` behind it. One that doesn't
// start, or whose TSC is another, is left out with a warning. Those that are not used are taken out
// of firmware's hands and halted, so what boot services held is free only after this. Interrupts
// on.
void smp_start(const struct handoff *h, smp_left left);

// Starts one of them, again, after cpu_offline(). Boot CPU; takes at least 10 ms.
bool smp_start_cpu(unsigned index, struct problem *p);
