// SPDX-License-Identifier: BSD-2-Clause
// The loop's side of what irq_take.c begins: it runs the handlers of what is in the ready set, and, where it
// harvests itself, of what is in the PIR. Everything here belongs to the calling CPU.
//
// Interrupts may come at any time, so what both touch is changed by one instruction each, or with interrupts
// off: ready bits, counters, words of the PIR.

#include "kernel/cpu/work.h"
#include "kernel/irq/irq_harvest.h"
#include "kernel/irq/irq_move.h"

bool irq_pending(void)
{
    struct cpu *cpu = this_cpu();
    uint64_t any = 0, harvests = cpu->loop_harvests ? ~0ull : 0;
    for (unsigned w = 0; w < cpu->words; w++)
        any |= cpu->ready[w] |
               (atomic_load_explicit(&cpu->pi.pir[w], memory_order_relaxed) & harvests);
    return any || cpu->fault_due;
}

static void run_immediate_off(struct cpu *cpu)
{
    interrupts_off();
    run_immediate(cpu, false);
    interrupts_on();
}

// An interrupt may set ready bits at any time, so each is one instruction.
static inline void set_ready(struct cpu *cpu, unsigned w, uint64_t bits)
{
    __atomic_fetch_or(&cpu->ready[w], bits, __ATOMIC_RELAXED);
}

static inline uint64_t take_ready(struct cpu *cpu, unsigned w, uint64_t mask)
{
    return __atomic_fetch_and(&cpu->ready[w], ~mask, __ATOMIC_ACQ_REL) & mask;
}

// Urgent ones don't wait for the handlers that were ready before them, only for the one that runs.
static __attribute__((noinline)) unsigned run_urgent(struct cpu *cpu)
{
    unsigned ran = 0;
    __atomic_store_n(&cpu->urgent_due, false, __ATOMIC_RELAXED);
    for (unsigned w = 0; w < cpu->words; w++)
        for_each_bit (bit, take_ready(cpu, w, cpu->urgent[w] & ~cpu->immediate[w])) {
            struct irq *irq = cpu->vectors[w * 64 + (unsigned)bit];
            if (irq)
                run(irq, w * 64 + (unsigned)bit);
            ran++;
        }
    return ran;
}

static inline void run_urgent_if_due(struct cpu *cpu)
{
    if (unlikely(cpu->urgent_due))
        run_urgent(cpu);
}

static __attribute__((noinline)) unsigned run_ready(struct cpu *cpu, unsigned w)
{
    unsigned ran = 0;
    run_urgent_if_due(cpu);
    uint64_t bits = take_ready(cpu, w, ~cpu->immediate[w]);
    for_each_bit (bit, bits) {
        struct irq *irq = cpu->vectors[w * 64 + (unsigned)bit];
        if (!irq)
            continue;
        run_urgent_if_due(cpu);
        run(irq, w * 64 + (unsigned)bit);
        ran++;
    }
    return ran;
}

// They go by way of the ready set: an interrupt may come between, and run an immediate one.
static __attribute__((noinline)) unsigned run_specials(struct cpu *cpu, unsigned w, uint64_t bits)
{
    unsigned vectors = count_msis(cpu, w, bits);
    set_ready(cpu, w, bits);
    run_immediate_off(cpu);
    run_urgent(cpu);
    return vectors;
}

static __attribute__((noinline)) unsigned run_posted_rare(struct cpu *cpu, unsigned w,
                                                          uint64_t bits)
{
    if (trace_is_on())
        irq_trace_harvest(w, bits);
    uint64_t specials = bits & (cpu->urgent[w] | cpu->immediate[w]);
    unsigned vectors = specials ? run_specials(cpu, w, specials) : 0;
    for_each_bit (bit, bits & ~specials) {
        struct irq *irq = count_msi(cpu, w * 64 + bit);
        run_urgent_if_due(cpu);
        if (irq)
            run(irq, w * 64 + (unsigned)bit);
        vectors++;
    }
    return vectors;
}

// Straight from the PIR to the handlers.
static inline unsigned run_posted(struct cpu *cpu, unsigned w, uint64_t bits)
{
    if (unlikely(cpu->rare))
        return run_posted_rare(cpu, w, bits);
    unsigned vectors = 0;
    for_each_bit (bit, bits) {
        const struct irq *irq = count_msi(cpu, w * 64 + bit);
        if (likely(irq))
            irq->handler(irq->arg);
        vectors++;
    }
    return vectors;
}

static unsigned run_posted_words(struct cpu *cpu)
{
    unsigned vectors = 0;
    uint64_t bits[PI_WORDS];
    if (!pi_take_all(&cpu->pi, bits))
        return 0;
    for (unsigned w = 0; w < PI_WORDS; w++)
        if (bits[w])
            vectors += run_posted(cpu, w, bits[w]);
    return vectors;
}

// What is urgent stays in the PIR until its word's turn, where its notification finds it.
static unsigned run_posted_words_rare(struct cpu *cpu)
{
    unsigned vectors = 0;
    for (unsigned w = 0; w < cpu->words; w++) {
        uint64_t bits = pi_take(&cpu->pi, w);
        if (bits)
            vectors += run_posted_rare(cpu, w, bits);
    }
    return vectors;
}

static __attribute__((noinline)) unsigned run_posted_many(struct cpu *cpu)
{
    return cpu->rare ? run_posted_words_rare(cpu) : run_posted_words(cpu);
}

// One word has all of most CPUs' irqs.
static inline unsigned run_posted_one(struct cpu *cpu)
{
    uint64_t bits = pi_take(&cpu->pi, 0);
    return bits ? run_posted(cpu, 0, bits) : 0;
}

static inline unsigned loop_harvest(struct cpu *cpu)
{
    MARK_BEGIN("harvest");
    unsigned vectors = likely(cpu->words == 1) ? run_posted_one(cpu) : run_posted_many(cpu);
    if (vectors)
        count_harvest(cpu, vectors);
    MARK_END("harvest");
    return vectors;
}

// A move's drain, or an interrupt that came in between, may have left some behind.
static unsigned run_immediate_left(struct cpu *cpu)
{
    uint64_t any = 0;
    for (unsigned w = 0; w < PI_WORDS; w++)
        any |= cpu->ready[w] & cpu->immediate[w];
    if (any)
        run_immediate_off(cpu);
    return any != 0;
}

static __attribute__((noinline)) unsigned run_rare(struct cpu *cpu)
{
    unsigned ran = cpu->urgent_due ? run_urgent(cpu) : 0;
    if (cpu->has_immediate)
        ran += run_immediate_left(cpu);
    if (cpu->fault_due) {
        cpu->fault_due = false;
        irq_run_fault_handler();
        ran++;
    }
    return ran;
}

static __attribute__((noinline)) void harvest_and_let_notify(struct cpu *cpu)
{
    __atomic_store_n(&cpu->only_wakes, false, __ATOMIC_RELAXED);
    interrupts_off();
    if (is_plain(cpu) && cpu->words == 1)
        harvest_plain_and_clear_on(cpu);
    else
        irq_harvest_and_clear_on(cpu);
    interrupts_on();
}

// Where nothing is urgent, immediate or traced.
static inline unsigned run_plain(struct cpu *cpu, unsigned w)
{
    unsigned ran = 0;
    for_each_bit (bit, __atomic_exchange_n(&cpu->ready[w], 0, __ATOMIC_ACQ_REL)) {
        const struct irq *irq = cpu->vectors[w * 64 + bit];
        if (unlikely(!irq))
            continue;
        irq->handler(irq->arg);
        ran++;
    }
    return ran;
}

// While handlers run, a notification has nothing to do that can't wait for their end: it is counted (isr.asm),
// and ON stays set until then, as in Linux, whose handlers run within it. So there is one at most.
static inline unsigned run_held(struct cpu *cpu, unsigned w)
{
    uint64_t before = cpu->stats.notifications;
    __atomic_store_n(&cpu->only_wakes, true, __ATOMIC_RELAXED);
    unsigned ran = run_plain(cpu, w);
    __atomic_store_n(&cpu->only_wakes, false, __ATOMIC_RELAXED);
    if (__atomic_load_n(&cpu->stats.notifications, __ATOMIC_RELAXED) != before)
        harvest_and_let_notify(cpu);
    return ran;
}

static inline unsigned run_word(struct cpu *cpu, unsigned w)
{
    if (unlikely(cpu->rare))
        return run_ready(cpu, w);
    return is_plain(cpu) ? run_held(cpu, w) : run_plain(cpu, w);
}

void irq_begin_inner_loop(void)
{
    struct cpu *cpu = this_cpu();
    if (cpu->only_wakes)
        harvest_and_let_notify(cpu);
}

unsigned irq_poll(void)
{
    struct cpu *cpu = this_cpu();
    unsigned ran = cpu->loop_harvests ? loop_harvest(cpu) : 0;
    for (unsigned w = 0; w < cpu->words; w++)
        if (__atomic_load_n(&cpu->ready[w], __ATOMIC_RELAXED))
            ran += run_word(cpu, w);
    if (unlikely(cpu->rare))
        ran += run_rare(cpu);
    return ran;
}

bool irq_drain_ready(uint8_t vector)
{
    struct cpu *cpu = this_cpu();
    uint64_t bit = BIT64(vector % 64);
    interrupts_off();
    harvest(cpu);
    bool pending = cpu->ready[vector / 64] & bit;
    cpu->ready[vector / 64] &= ~bit;
    interrupts_on();
    return pending;
}

void irq_again(struct irq *irq)
{
    set_ready(this_cpu(), irq->vector / 64, BIT64(irq->vector % 64));
}
