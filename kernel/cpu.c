// SPDX-License-Identifier: BSD-2-Clause
// Each CPU's run-to-completion loop: ready irqs, messages, timers, one flush of doorbells, sleep.

#include "kernel/cpu.h"

#include "kernel/apic.h"
#include "kernel/block.h"
#include "kernel/irq.h"
#include "kernel/percpu.h"
#include "kernel/time.h"
#include "kernel/time_init.h"

// ---- messages ----

void cpu_post(unsigned index, struct cpu_msg *msg)
{
    struct cpu *to = cpu_get(index);
    struct cpu_msg *head = atomic_load_explicit(&to->inbox, memory_order_relaxed);
    do {
        msg->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&to->inbox, &head, msg, memory_order_seq_cst,
                                                    memory_order_relaxed));
    // Ordered against go_to_sleep(): either it sees the message, or we see it sleeping.
    if (atomic_load_explicit(&to->sleeping, memory_order_seq_cst))
        apic_send(to->apic_id, VECTOR_IPI);
}

static struct cpu_msg *take_in_order(struct cpu *cpu)
{
    struct cpu_msg *newest = atomic_exchange_explicit(&cpu->inbox, NULL, memory_order_acquire);
    struct cpu_msg *oldest = NULL;
    while (newest) {
        struct cpu_msg *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static unsigned run_messages(struct cpu *cpu)
{
    if (!atomic_load_explicit(&cpu->inbox, memory_order_relaxed))
        return 0;
    unsigned ran = 0;
    for (struct cpu_msg *msg = take_in_order(cpu), *next; msg; msg = next, ran++) {
        next = msg->next; // fn may reuse it
        msg->fn(msg);
    }
    return ran;
}

// ---- timers ----

static void unlink_timer(struct cpu *cpu, struct cpu_timer *timer)
{
    for (struct cpu_timer **link = &cpu->timers; *link; link = &(*link)->next)
        if (*link == timer) {
            *link = timer->next;
            break;
        }
    timer->armed = false;
}

void cpu_timer_start(struct cpu_timer *timer, uint64_t due_ns)
{
    struct cpu *cpu = this_cpu();
    if (timer->armed)
        unlink_timer(cpu, timer);
    timer->due_ns = due_ns;
    struct cpu_timer **link = &cpu->timers;
    while (*link && (*link)->due_ns <= due_ns)
        link = &(*link)->next;
    timer->next = *link;
    *link = timer;
    timer->armed = true;
    if (cpu->timers == timer)
        apic_timer_set(time_tsc_at(due_ns));
}

void cpu_timer_stop(struct cpu_timer *timer)
{
    if (timer->armed)
        unlink_timer(this_cpu(), timer);
}

// The interrupt may come before its time (the counter is shorter than the TSC, or a timer was
// stopped), so the first one left sets the hardware again.
static unsigned run_timers(struct cpu *cpu)
{
    if (!__atomic_load_n(&cpu->timer_due, __ATOMIC_RELAXED))
        return 0;
    __atomic_store_n(&cpu->timer_due, false, __ATOMIC_RELAXED);
    unsigned ran = 0;
    uint64_t now = time_ns();
    while (cpu->timers && cpu->timers->due_ns <= now) {
        struct cpu_timer *timer = cpu->timers;
        unlink_timer(cpu, timer);
        timer->fn(timer);
        ran++;
    }
    if (cpu->timers)
        apic_timer_set(time_tsc_at(cpu->timers->due_ns));
    return ran;
}

// ---- the loop ----

static bool has_work(const struct cpu *cpu)
{
    return irq_pending() || cpu->timer_due ||
           atomic_load_explicit(&cpu->inbox, memory_order_seq_cst);
}

static void go_to_sleep(struct cpu *cpu)
{
    interrupts_off();
    atomic_store_explicit(&cpu->sleeping, true, memory_order_seq_cst);
    if (has_work(cpu)) {
        interrupts_on();
    } else {
        cpu->stats.sleeps++;
        interrupts_on_and_halt();
    }
    atomic_store_explicit(&cpu->sleeping, false, memory_order_relaxed);
}

// An empty round: time that counts as idle, from the end of the last empty one.
static void idle(struct cpu *cpu)
{
    uint64_t start = cpu->round_tsc ? cpu->round_tsc : rdtsc();
    if (irq_get_mode() == IRQ_POLL)
        cpu_relax();
    else
        go_to_sleep(cpu);
    cpu->round_tsc = rdtsc();
    cpu->stats.idle_tsc += cpu->round_tsc - start;
}

void cpu_run_until(const bool *stop)
{
    struct cpu *cpu = this_cpu();
    while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
        unsigned ran = irq_poll() + run_messages(cpu) + run_timers(cpu);
        block_flush();
        if (ran)
            cpu->round_tsc = 0;
        else
            idle(cpu);
    }
}
