// SPDX-License-Identifier: BSD-2-Clause
// Interrupt context: what isr.asm calls, interrupts off. They note what came; the work is the
// loop's, but for handlers that asked to run at once.
#pragma once

#include "lib/types.h"

void irq_take_device(uint8_t vector); // a device's own vector: remapped, or plain MSI
void irq_take_notification(void);
void irq_take_timer(void);
void irq_take_ipi(void);
void irq_take_fault(void);
void irq_take_error(void);
void irq_take_spurious(void);

// Harvests this CPU's PIR into its ready set: all words, whether they have irqs or not. False: there was
// nothing. Owner CPU, interrupts off.
struct cpu;
bool irq_harvest(struct cpu *cpu);

// Takes the mode over that is in force, and puts this CPU's descriptor into the state of a CPU that is
// awake: a notification that was on its way when the CPU left is gone, so ON must not stand. Starts its
// window. Owner CPU, in its loop or before that, interrupts off.
void irq_start_cpu(void);
