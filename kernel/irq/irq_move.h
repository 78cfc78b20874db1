// SPDX-License-Identifier: BSD-2-Clause
// Inside the IRQ core: the steps of a move.
#pragma once

#include "kernel/irq/irq.h"

// Moves an irq of the calling CPU to another one, as irq_set_affinity() does. Owner CPU, from its
// loop, interrupts on.
bool irq_move_here(struct irq *irq, unsigned to, struct problem *p);

// True on the CPU that the irq goes to.
bool irq_is_here(const struct irq *irq);

// irq.c: a free vector of the CPU, which leads to the irq from now on, and giving it back. Any CPU.
bool irq_take_vector(struct irq *irq, unsigned cpu, uint8_t *vector, struct problem *p);
void irq_give_vector(unsigned cpu, uint8_t vector);

// irq_run.c: harvests this CPU's PIR, then takes the vector out of the ready set; true if it was
// in. Owner CPU, from its loop.
bool irq_drain_ready(uint8_t vector);
