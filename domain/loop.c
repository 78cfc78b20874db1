// SPDX-License-Identifier: BSD-2-Clause
// Each CPU's loop, as kernel/run/loop.c has it, but for the sleep, which is a call: how long the CPU looks on
// before it halts, and what SN says meanwhile, is the kernel's.

#include "kernel/run/loop.h"

#include "domain/call.h"
#include "domain/cpu.h"
#include "kernel/cpu/work.h"
#include "kernel/irq/irq.h"
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
    MARK_BEGIN("idle");
    if (cpu->irq_mode == IRQ_POLL || program_cpu_of(cpu)->never_sleeps)
        watch(cpu);
    else
        go_to_sleep(program_cpu_of(cpu));
    cpu->round_tsc = rdtsc();
    cpu->stats.idle_tsc += cpu->round_tsc - start;
    MARK_END("idle");
}

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
        if (irq_poll() + cpu_run_messages(cpu) + cpu_run_timers(cpu))
            cpu->round_tsc = 0;
        flush();
        if (!has_work(cpu) && !__atomic_load_n(stop, __ATOMIC_ACQUIRE))
            idle(cpu);
    }
    MARK_END("loop");
    cpu->looping = was_looping;
}
