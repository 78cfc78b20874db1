// SPDX-License-Identifier: BSD-2-Clause
// Inside the IRQ core: what interrupt context (irq_take.c) and the loop (irq_run.c) have in common. Owner CPU.
#pragma once

#include "kernel/base/percpu.h"
#include "kernel/cpu/trace.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/irq_config.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/irq/irq_rate.h"
#include "kernel/irq/posted.h"
#include "lib/mark.h"

void irq_trace_harvest(unsigned w, uint64_t bits); // what was taken out of one word of the PIR

// Handlers of ready irqs that may not wait for the loop. Interrupts off, but on within where `preempt`.
void irq_run_all_immediate(struct cpu *cpu, bool preempt);

// What there is to do for a notification, interrupts off.
void irq_harvest_and_clear_on(struct cpu *cpu);

// In posted mode, with nothing urgent, immediate or traced, and no posted.rate.
static inline bool is_plain(const struct cpu *cpu)
{
    return cpu->irq_mode == IRQ_POSTED && !cpu->rare && !irq_rate_window_ns();
}

// Whose MSI it is, counted; NULL where nobody's.
static inline struct irq *count_msi(struct cpu *cpu, uint64_t vector)
{
    struct irq *irq = cpu->vectors[vector];
    if (!irq) {
        local_add(&cpu->stats.spurious, 1);
        return NULL;
    }
    local_add(&cpu->stats.msis, 1);
    local_add(&irq->counts[cpu->index], 1);
    return irq;
}

// Of one word: returns how many.
static inline unsigned count_msis(struct cpu *cpu, unsigned w, uint64_t bits)
{
    unsigned vectors = 0;
    for_each_bit (bit, bits) {
        count_msi(cpu, w * 64 + bit);
        vectors++;
    }
    return vectors;
}

// Bucket n holds 2^(n-1) < vectors <= 2^n: it is the number of the highest bit of 2 * vectors - 1.
static inline void count_harvest(struct cpu *cpu, unsigned vectors)
{
    local_add(&cpu->stats.per_harvest[31 ^ __builtin_clz(2 * vectors - 1)], 1);
}

static inline bool harvest(struct cpu *cpu)
{
    MARK_BEGIN("harvest");
    bool found = pi_any(&cpu->pi) && irq_harvest(cpu);
    MARK_END("harvest");
    return found;
}

// The same, where is_plain(), and one word has all irqs, as on most CPUs.
static inline bool harvest_plain(struct cpu *cpu)
{
    MARK_BEGIN("harvest");
    uint64_t bits = pi_take(&cpu->pi, 0);
    if (bits) {
        cpu->ready[0] |= bits;
        count_harvest(cpu, count_msis(cpu, 0, bits));
    }
    MARK_END("harvest");
    return bits;
}

static inline void count_loops(struct cpu *cpu, unsigned loop)
{
    cpu->stats.loops[MIN(loop, CPU_STATS_LOOPS - 1u)]++;
}

// A stray post in another word is found where there is nothing else.
static inline void harvest_plain_and_clear_on(struct cpu *cpu)
{
    unsigned loop = 0;
    while (harvest_plain(cpu) && ++loop < cpu->loops)
        ;
    if (unlikely(!loop))
        loop = harvest(cpu);
    pi_clear_on(&cpu->pi);
    loop += harvest_plain(cpu);
    count_loops(cpu, loop);
}

static inline void run(const struct irq *irq, unsigned vector)
{
    trace(TRACE_HANDLER, vector);
    irq->handler(irq->arg);
    trace(TRACE_HANDLER_END, vector);
}

static inline void run_immediate(struct cpu *cpu, bool preempt)
{
    if (unlikely(cpu->has_immediate))
        irq_run_all_immediate(cpu, preempt);
}
