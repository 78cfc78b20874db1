// SPDX-License-Identifier: BSD-2-Clause
// Descriptor tables: GDT and TSS per CPU, one IDT for all.
#pragma once

struct cpu;

// Fills the IDT. Boot CPU, once, before desc_load().
void desc_init(void);

// The CPU's stacks for NMI, #DF and #MC. Before its first desc_load().
void desc_alloc_stacks(struct cpu *cpu);

// Gives this CPU its GDT, its TSS with a stack of its own for NMI, #DF and #MC, and the IDT.
// `cpu` is the calling CPU's structure, with GS already pointing at it.
void desc_load(struct cpu *cpu);
