// SPDX-License-Identifier: BSD-2-Clause
// Each CPU's loop, as kernel/run/loop.c has it, but for the sleep, which is a call: what SN says meanwhile, and
// by which instruction the CPU waits, is the kernel's.

#include "kernel/run/loop.h"

#include "domain/call.h"
#include "domain/cpu.h"
#include "kernel/cpu/work.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/irq_config.h"
#include "kernel/run/spin.h"
#include "kernel/x86/time_init.h"
#include "lib/mark.h"

static void nothing(void)
{
}

static void (*flush)(void) = nothing;

void loop_set_flush(void (*fn)(void))
{
    flush = fn;
}

void loop_flush(void)
{
    flush();
}

// As the timer's interrupt does.
static inline void look_at_clock(struct cpu *cpu)
{
    if (cpu->timers && rdtsc() >= program_cpu_of(cpu)->timer_tsc)
        cpu->timer_due = true;
}

static bool has_work(struct cpu *cpu)
{
    look_at_clock(cpu);
    return irq_pending() || cpu->timer_due ||
           atomic_load_explicit(&cpu->inbox, memory_order_seq_cst);
}

// The order matters: take all events, say that we sleep, look once more, call. What comes after the events
// were taken sets a bit again, which ends the sleep; who posts first leaves its message where we look, then
// sees that we sleep.
static void go_to_sleep(struct program_cpu *pc)
{
    struct cpu *cpu = &pc->cpu;
    program_take_events(pc);
    atomic_store_explicit(&cpu->sleeping, true, memory_order_seq_cst);
    if (!has_work(cpu))
        domain_call(DOMAIN_CALL_SLEEP, cpu->timers ? cpu->timers->due_ns : UINT64_MAX, 0, 0);
    atomic_store_explicit(&cpu->sleeping, false, memory_order_relaxed);
}

// Looks on for a while: what comes within costs no call.
static bool spin(struct cpu *cpu, uint64_t start)
{
    while (rdtsc() - start < cpu->spin_tsc) {
        if (has_work(cpu)) {
            cpu->stats.spins++;
            return true;
        }
        cpu_relax();
    }
    return false;
}

static void tune_spin(struct program_cpu *pc)
{
    pc->cpu.spin_tsc = spin_share(time_tsc_span(irq_get_config()->spin_ns), pc->found);
    pc->found = 0;
}

static void watch(struct cpu *cpu)
{
    while (!has_work(cpu)) {
        program_cpu_of(cpu)->events->rounds++;
        cpu_relax();
    }
}

// An empty round: time that counts as idle, from the end of the last empty one.
static void idle(struct cpu *cpu)
{
    uint64_t start = cpu->round_tsc ? cpu->round_tsc : rdtsc();
    struct program_cpu *pc = program_cpu_of(cpu);
    MARK_BEGIN("idle");
    if (cpu->irq_mode == IRQ_ADAPTIVE)
        tune_spin(pc);
    if (cpu->irq_mode == IRQ_POLL || pc->never_sleeps)
        watch(cpu);
    else if (cpu->irq_mode != IRQ_ADAPTIVE || !spin(cpu, start))
        go_to_sleep(pc);
    cpu->round_tsc = rdtsc();
    cpu->stats.idle_tsc += cpu->round_tsc - start;
    MARK_END("idle");
}

static inline bool run_round(struct cpu *cpu)
{
    unsigned found = irq_poll(), ran = found + cpu_run_messages(cpu) + cpu_run_timers(cpu);
    program_cpu_of(cpu)->found += found;
    if (ran)
        cpu->round_tsc = 0;
    flush();
    return ran;
}

// A round that finds nothing has looked at all that there is.
void cpu_run_until(const bool *stop)
{
    struct cpu *cpu = this_cpu();
    struct domain_events *events = program_cpu_of(cpu)->events;
    bool was_looping = cpu->looping;
    cpu->looping = true;
    MARK_BEGIN("loop");
    while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
        events->rounds++;
        look_at_clock(cpu);
        bool ran = run_round(cpu);
        if (!ran && !__atomic_load_n(stop, __ATOMIC_ACQUIRE))
            idle(cpu);
    }
    MARK_END("loop");
    cpu->looping = was_looping;
}
