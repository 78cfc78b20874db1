// SPDX-License-Identifier: BSD-2-Clause
// From an MSI to its handler: interrupt context and the loop put it into the CPU's ready set, and
// the loop runs the handlers. Everything here belongs to the calling CPU, but for its vector table,
// where others may enter an irq that moves here (irq_move.c).
//
// Interrupts may come at any time while the loop runs, so what both touch is changed by one instruction
// each, or with interrupts off: ready bits, counters, words of the PIR.

#include "kernel/base/percpu.h"
#include "kernel/cpu/trace.h"
#include "kernel/cpu/work.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/irq_config.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/irq/irq_move.h"
#include "kernel/irq/irq_rate.h"
#include "kernel/irq/posted.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/time.h"
#include "kernel/x86/time_init.h"
#include "lib/mark.h"

// ---- into the ready set: interrupts off ----

// What a harvest took out of one word of the PIR.
static __attribute__((noinline)) void trace_harvest(unsigned w, uint64_t bits)
{
    unsigned vectors = 0;
    trace(TRACE_HARVEST, 0);
    for_each_bit (bit, bits) {
        trace(TRACE_POST, w * 64 + (unsigned)bit);
        vectors++;
    }
    trace(TRACE_HARVEST_END, vectors);
}

// Whose MSI it is, counted; NULL where nobody's.
static inline struct irq *count_msi(struct cpu *cpu, unsigned vector)
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
        count_msi(cpu, w * 64 + (unsigned)bit);
        vectors++;
    }
    return vectors;
}

static inline unsigned take(struct cpu *cpu, unsigned w, uint64_t bits)
{
    if (unlikely(trace_is_on()))
        trace_harvest(w, bits);
    cpu->ready[w] |= bits;
    if (unlikely(bits & cpu->urgent[w]))
        cpu->urgent_due = true;
    return count_msis(cpu, w, bits);
}

// Bucket n holds 2^(n-1) < vectors <= 2^n: it is the number of the highest bit of 2 * vectors - 1.
static inline void count_harvest(struct cpu *cpu, unsigned vectors)
{
    local_add(&cpu->stats.per_harvest[31 ^ __builtin_clz(2 * vectors - 1)], 1);
}

__attribute__((noinline)) bool irq_harvest(struct cpu *cpu)
{
    unsigned vectors = 0;
    uint64_t bits[PI_WORDS];
    if (!pi_take_all(&cpu->pi, bits))
        return false;
#pragma GCC unroll 4
    for (unsigned w = 0; w < PI_WORDS; w++)
        if (bits[w])
            vectors += take(cpu, w, bits[w]);
    count_harvest(cpu, vectors);
    return true;
}

static inline bool harvest(struct cpu *cpu)
{
    MARK_BEGIN("harvest");
    bool found = pi_any(&cpu->pi) && irq_harvest(cpu);
    MARK_END("harvest");
    return found;
}

static inline void run(const struct irq *irq, unsigned vector)
{
    trace(TRACE_HANDLER, vector);
    irq->handler(irq->arg);
    trace(TRACE_HANDLER_END, vector);
}

// Handlers that may not wait for the loop. They are never entered twice: only the outermost
// interrupt runs them, and the loop does so with interrupts off. With posted.preempt, what stands in
// a higher priority class than the notification, which is in service, may come in between: timer
// and IPI, whose own handlers keep interrupts off. So at most two interrupts nest, and an NMI.
static __attribute__((noinline)) void run_all_immediate(struct cpu *cpu, bool preempt)
{
    if (cpu->in_immediate)
        return;
    cpu->in_immediate = true;
    for (unsigned w = 0; w < PI_WORDS; w++) {
        uint64_t bits = cpu->ready[w] & cpu->immediate[w];
        cpu->ready[w] &= ~bits;
        for_each_bit (bit, bits) {
            unsigned vector = w * 64 + (unsigned)bit;
            struct irq *irq = cpu->vectors[vector];
            if (!irq)
                continue;
            if (preempt)
                interrupts_on();
            run(irq, vector);
            interrupts_off();
        }
    }
    cpu->in_immediate = false;
}

static inline void run_immediate(struct cpu *cpu, bool preempt)
{
    if (unlikely(cpu->has_immediate))
        run_all_immediate(cpu, preempt);
}

// While the notification is in service.
static inline void run_immediate_preempted(struct cpu *cpu)
{
    if (unlikely(cpu->has_immediate))
        run_all_immediate(cpu, irq_get_config()->preempt);
}

// ---- interrupt context ----

// With posted.rate, the next notification may be a window away: until then the timer harvests.
static __attribute__((noinline)) void suppress(struct cpu *cpu)
{
    if (cpu->irq_mode != IRQ_POSTED) {
        pi_clear_on(&cpu->pi);
        return;
    }
    pi_set_control(&cpu->pi, true);
    cpu->window_ns = time_ns() + irq_rate_window_ns();
    cpu_timer_program(cpu);
}

void irq_take_device(uint8_t vector)
{
    struct cpu *cpu = this_cpu();
    trace(TRACE_DEVICE, vector);
    struct irq *irq = count_msi(cpu, vector);
    if (irq) {
        cpu->ready[vector / 64] |= BIT64(vector % 64);
        cpu->urgent_due |= irq->urgent;
    }
    run_immediate(cpu, false);
    apic_eoi();
    trace(TRACE_EOI, 0);
}

// Harvest while there is something, at most `loops` times; clear ON; then once more, since what was
// posted before ON was cleared has not notified.
static __attribute__((noinline)) void harvest_and_clear_on(struct cpu *cpu)
{
    unsigned loop = 0;
    for (; loop < cpu->loops && harvest(cpu); loop++)
        run_immediate_preempted(cpu);
    if (unlikely(irq_rate_window_ns()))
        suppress(cpu);
    else
        pi_clear_on(&cpu->pi);
    trace(TRACE_CLEAR_ON, 0);
    loop += harvest(cpu);
    run_immediate_preempted(cpu);
    cpu->stats.loops[MIN(loop, CPU_STATS_LOOPS - 1u)]++;
}

// In adaptive mode a sleeper's notification only ends the halt: the loop, which goes on behind it,
// harvests; as a rule isr.asm has seen to it, and it doesn't come here. One that finds the CPU awake is
// an urgent one's, or came while it fell asleep.
void irq_take_notification(void)
{
    struct cpu *cpu = this_cpu();
    trace(TRACE_NOTIFY, 0);
    cpu->stats.notifications++;
    if (!cpu->loop_harvests || !atomic_load_explicit(&cpu->sleeping, memory_order_relaxed))
        harvest_and_clear_on(cpu);
    apic_eoi();
    trace(TRACE_EOI, 0);
}

// posted.rate: what came within a window goes on to be suppressed. Once nothing did, posts notify again,
// and those until then have told nobody.
static void harvest_for_notification(struct cpu *cpu, uint64_t now)
{
    uint64_t window_ns = irq_rate_window_ns();
    bool found = harvest(cpu);
    cpu->stats.moderated += found;
    cpu->window_ns = found && window_ns ? now + window_ns : 0;
    if (cpu->window_ns)
        return;
    pi_set_control(&cpu->pi, false);
    harvest(cpu);
}

// A sleeper in adaptive mode: as for a notification, the loop harvests.
static void wake_for_notification(struct cpu *cpu, uint64_t now)
{
    cpu->window_ns = 0;
    if (!pi_any(&cpu->pi))
        return;
    cpu->stats.moderated++;
    cpu->notified_ns = now;
}

// The window: a CPU that is busy in an app's code doesn't harvest, so its timer does.
// What timers are due is noted in timer_due, so from here on the hardware is the window's alone until
// the loop runs them.
static __attribute__((noinline)) void window(struct cpu *cpu)
{
    uint64_t now = time_ns();
    if (now >= cpu->window_ns) {
        trace(TRACE_WINDOW, 0);
        if (cpu->irq_mode == IRQ_POSTED) {
            harvest_for_notification(cpu, now);
        } else if (atomic_load_explicit(&cpu->sleeping, memory_order_relaxed)) {
            wake_for_notification(cpu, now);
        } else {
            cpu->window_ns = now + irq_get_config()->window_ns;
            cpu->stats.windows += harvest(cpu);
        }
        run_immediate(cpu, false); // those too that an interrupt came upon and left
    }
    if (cpu->window_ns)
        apic_timer_set(time_tsc_at(cpu->window_ns));
}

void irq_take_timer(void)
{
    struct cpu *cpu = this_cpu();
    trace(TRACE_TIMER, 0);
    cpu->stats.timers++;
    cpu->timer_due = true;
    if (cpu->window_ns)
        window(cpu);
    apic_eoi();
    trace(TRACE_EOI, 0);
}

// ---- the loop ----

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

static unsigned run_ready(struct cpu *cpu, unsigned w)
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
        trace_harvest(w, bits);
    uint64_t specials = bits & (cpu->urgent[w] | cpu->immediate[w]);
    unsigned vectors = specials ? run_specials(cpu, w, specials) : 0;
    for_each_bit (bit, bits & ~specials) {
        struct irq *irq = count_msi(cpu, w * 64 + (unsigned)bit);
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
        const struct irq *irq = count_msi(cpu, w * 64 + (unsigned)bit);
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

unsigned irq_poll(void)
{
    struct cpu *cpu = this_cpu();
    unsigned ran = cpu->loop_harvests ? loop_harvest(cpu) : 0;
    for (unsigned w = 0; w < cpu->words; w++)
        if (__atomic_load_n(&cpu->ready[w], __ATOMIC_RELAXED))
            ran += run_ready(cpu, w);
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
