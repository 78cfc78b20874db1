// SPDX-License-Identifier: BSD-2-Clause
// The end of a CPU's loop, for smp.c alone; others use cpu_offline() and cpu_online().
#pragma once

struct cpu;

// What is left to do once cpu_offline() has ended this CPU's loop: runs the last messages, hands its
// timers over, tells the boot CPU, halts until INIT.
_Noreturn void hotplug_halt(struct cpu *cpu);
