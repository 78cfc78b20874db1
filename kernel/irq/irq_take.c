// SPDX-License-Identifier: BSD-2-Clause
// From an MSI to its handler: interrupt context and the loop (irq_run.c) put it into the CPU's ready set, and
// the loop runs the handlers. Everything here belongs to the calling CPU, but for its vector table,
// where others may enter an irq that moves here (irq_move.c).
//
// Interrupts may come at any time while the loop runs, so what both touch is changed by one instruction
// each, or with interrupts off: ready bits, counters, words of the PIR.

#include "kernel/cpu/work.h"
#include "kernel/irq/irq_harvest.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/time.h"
#include "kernel/x86/time_init.h"

// ---- into the ready set: interrupts off ----

// What a harvest took out of one word of the PIR.
void irq_trace_harvest(unsigned w, uint64_t bits)
{
    unsigned vectors = 0;
    trace(TRACE_HARVEST, 0);
    for_each_bit (bit, bits) {
        trace(TRACE_POST, w * 64 + (unsigned)bit);
        vectors++;
    }
    trace(TRACE_HARVEST_END, vectors);
}

static inline unsigned take(struct cpu *cpu, unsigned w, uint64_t bits)
{
    if (unlikely(trace_is_on()))
        irq_trace_harvest(w, bits);
    cpu->ready[w] |= bits;
    if (unlikely(bits & cpu->urgent[w]))
        cpu->urgent_due = true;
    return count_msis(cpu, w, bits);
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

// Handlers that may not wait for the loop. They are never entered twice: only the outermost
// interrupt runs them, and the loop does so with interrupts off. With posted.preempt, what stands in
// a higher priority class than the notification, which is in service, may come in between: timer
// and IPI, whose own handlers keep interrupts off. So at most two interrupts nest, and an NMI.
void irq_run_all_immediate(struct cpu *cpu, bool preempt)
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

// While the notification is in service.
static inline void run_immediate_preempted(struct cpu *cpu)
{
    if (unlikely(cpu->has_immediate))
        irq_run_all_immediate(cpu, irq_get_config()->preempt);
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
void irq_harvest_and_clear_on(struct cpu *cpu)
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
    count_loops(cpu, loop);
}

// In adaptive mode a sleeper's notification only ends the halt: the loop, which goes on behind it,
// harvests; as a rule isr.asm has seen to it, and it doesn't come here. One that finds the CPU awake is
// an urgent one's, or came while it fell asleep.
static __attribute__((noinline)) void take_rare_notification(struct cpu *cpu)
{
    trace(TRACE_NOTIFY, 0);
    if (!cpu->loop_harvests || !atomic_load_explicit(&cpu->sleeping, memory_order_relaxed))
        irq_harvest_and_clear_on(cpu);
    apic_eoi();
    trace(TRACE_EOI, 0);
}

void irq_take_notification(void)
{
    struct cpu *cpu = this_cpu();
    cpu->stats.notifications++;
    if (unlikely(!is_plain(cpu) || cpu->words != 1))
        return take_rare_notification(cpu);
    harvest_plain_and_clear_on(cpu);
    apic_eoi();
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
