// SPDX-License-Identifier: BSD-2-Clause
// Each CPU's run-to-completion loop: ready irqs, messages, timers, one flush of doorbells, sleep.

#include "kernel/run/loop.h"

#include "kernel/base/report.h"
#include "kernel/cpu/trace.h"
#include "kernel/cpu/work.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/posted.h"
#include "kernel/run/spin.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/time.h"
#include "kernel/x86/time_init.h"
#include "lib/mark.h"

#define MWAIT_MOST_NS (10 * NS_PER_MS) // then the timer looks whether the monitor has failed
#define MWAIT_MISS_NS NS_PER_MS        // ends of shorter waits tell nothing
#define MWAIT_LATE_NS (NS_PER_MS / 2)  // a virtual CPU that its host had put aside tells nothing
#define MWAIT_MISSES 2ull              // one may be a post that came together with the timer

static void nothing(void)
{
}

static void (*flush)(void) = nothing, (*first)(void) = nothing, (*second)(void);

static void flush_both(void)
{
    first();
    second();
}

void loop_set_flush(void (*fn)(void))
{
    first = fn;
    if (!second)
        flush = fn;
}

void loop_add_flush(void (*fn)(void))
{
    second = fn;
    __atomic_store_n(&flush, flush_both, __ATOMIC_RELEASE);
}

void loop_flush(void)
{
    flush();
}

static bool has_work(const struct cpu *cpu)
{
    return irq_pending() || cpu->timer_due ||
           atomic_load_explicit(&cpu->inbox, memory_order_seq_cst);
}

// The processor watches the descriptor's line for a post (SDM vol. 3, 10.10); interrupts end the
// wait as well.
static void monitor_and_wait(struct cpu *cpu)
{
    cpu_monitor(&cpu->pi);
    if (irq_pending())
        interrupts_on();
    else
        interrupts_on_and_mwait();
    interrupts_off();
}

// A store that doesn't end the wait would lie there for ever, since SN is set: the timer ends each,
// and what it then finds was missed.
static void wait_watched(struct cpu *cpu)
{
    uint64_t start = time_ns(), notifications = cpu->stats.notifications;
    uint64_t due = cpu->timers ? cpu->timers->due_ns : UINT64_MAX;
    due = MIN(due, start + MWAIT_MOST_NS);
    apic_timer_set(time_tsc_at(due));
    monitor_and_wait(cpu);
    uint64_t end = time_ns();
    if (cpu->timer_due && pi_any(&cpu->pi) && cpu->stats.notifications == notifications &&
        end - start >= MWAIT_MISS_NS && end < due + MWAIT_LATE_NS)
        cpu->stats.mwait_misses++;
}

static void sleep_now(struct cpu *cpu)
{
    trace(TRACE_SLEEP, 0);
    cpu->stats.sleeps++;
    if (irq_sleeps_by_mwait()) {
        wait_watched(cpu);
    } else {
        interrupts_on_and_halt();
        interrupts_off();
    }
    trace(TRACE_WAKE, 0);
    cpu->stats.wakes += irq_pending() || pi_any(&cpu->pi);
}

// The order matters: say that we sleep, let posts notify, look once more, halt. Whoever has work for
// us first leaves it where we look, then sees that we sleep.
static void go_to_sleep(struct cpu *cpu)
{
    interrupts_off();
    atomic_store_explicit(&cpu->sleeping, true, memory_order_seq_cst);
    if (!has_work(cpu) && irq_fall_asleep())
        sleep_now(cpu);
    irq_wake_up();
    atomic_store_explicit(&cpu->sleeping, false, memory_order_relaxed);
    interrupts_on();
}

// Once, for the first CPU: its kind is the others', and each falls back by itself.
static void give_up_mwait(struct cpu *cpu)
{
    static bool told;
    cpu->mwait_failed = true;
    if (!__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
        warn("mwait-missed",
             "CPU %u: posted interrupts didn't end its MWAIT, and lay unseen until its timer came: "
             "it sleeps by HLT from now on, as others will that it happens to; use idle=hlt",
             cpu->index);
}

// Looks on for a while: what comes within costs no sleep and no notification.
static bool spin(struct cpu *cpu, uint64_t start)
{
    if (cpu->spin_tsc)
        trace(TRACE_SPIN, 0);
    while (rdtsc() - start < cpu->spin_tsc) {
        if (has_work(cpu)) {
            cpu->stats.spins++;
            return true;
        }
        cpu_relax();
    }
    return false;
}

// By the MSIs that the last busy stretch brought, at most idle.spin.
static void tune_spin(struct cpu *cpu, const struct irq_config *config)
{
    uint64_t brought = cpu->stats.msis - cpu->msis_before;
    cpu->spin_tsc = spin_share(time_tsc_span(config->spin_ns), brought);
    cpu->msis_before = cpu->stats.msis;
}

// Looks on until there is work: all that polling does while idle is in the idle region, so that the
// rounds of the loop are those that find something, as where the CPU sleeps.
static void watch(const struct cpu *cpu)
{
    while (!has_work(cpu))
        cpu_relax();
}

// An empty round: time that counts as idle, from the end of the last empty one.
static void idle(struct cpu *cpu)
{
    uint64_t start = cpu->round_tsc ? cpu->round_tsc : rdtsc();
    MARK_BEGIN("idle");
    if (cpu->irq_mode == IRQ_ADAPTIVE)
        tune_spin(cpu, irq_get_config());
    if (cpu->irq_mode == IRQ_POLL)
        watch(cpu);
    else if (cpu->irq_mode != IRQ_ADAPTIVE || !spin(cpu, start))
        go_to_sleep(cpu);
    if (unlikely(cpu->stats.mwait_misses >= MWAIT_MISSES) && !cpu->mwait_failed)
        give_up_mwait(cpu);
    cpu->round_tsc = rdtsc();
    cpu->stats.idle_tsc += cpu->round_tsc - start;
    MARK_END("idle");
}

static inline __attribute__((always_inline)) void run_round(struct cpu *cpu)
{
    if (irq_poll() + cpu_run_messages(cpu) + cpu_run_timers(cpu))
        cpu->round_tsc = 0;
    flush();
}

void cpu_run_round(void)
{
    run_round(this_cpu());
}

static inline bool is_set(const bool *stop)
{
    return __atomic_load_n(stop, __ATOMIC_ACQUIRE);
}

static __attribute__((noinline)) void go_on_until(struct cpu *cpu, const bool *stop)
{
    while (!is_set(stop)) {
        if (!has_work(cpu))
            idle(cpu);
        run_round(cpu);
    }
}

void cpu_wait_until(const bool *stop)
{
    struct cpu *cpu = this_cpu();
    cpu->msis_before = cpu->stats.msis; // no spin
    go_on_until(cpu, stop);
}

void cpu_run_until(const bool *stop)
{
    struct cpu *cpu = this_cpu();
    bool was_looping = cpu->looping;
    cpu->looping = true;
    if (was_looping)
        irq_begin_inner_loop();
    MARK_BEGIN("loop");
    if (!is_set(stop))
        run_round(cpu); // what was submitted before it is flushed
    go_on_until(cpu, stop);
    MARK_END("loop");
    cpu->looping = was_looping;
}
