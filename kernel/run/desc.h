// SPDX-License-Identifier: BSD-2-Clause
// Descriptor tables: GDT and TSS per CPU, one IDT for all.
#pragma once

#include "lib/types.h"

struct cpu;

struct gate {
    uint64_t low, high;
};

// Fills the IDT. Boot CPU, once, before desc_load().
void desc_init(void);

// The CPU's stacks for NMI, #DF and #MC. Before its first desc_load().
void desc_alloc_stacks(struct cpu *cpu);

// Gives this CPU its GDT, its TSS with a stack of its own for NMI, #DF and #MC, and the IDT.
// `cpu` is the calling CPU's structure, with GS already pointing at it.
void desc_load(struct cpu *cpu);

// For an IDT of one's own, of VECTORS gates for ring 0 alone: one gate, on the same stack as in the
// ordinary one; and this CPU's change to it, until its next desc_load().
const void *desc_entry(unsigned vector); // the ordinary one
void desc_set_gate(struct gate *gate, const void *entry, unsigned vector);
void desc_load_idt(const struct gate *gates);
