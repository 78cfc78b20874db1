// SPDX-License-Identifier: BSD-2-Clause
// Each CPU's run-to-completion loop: ready irqs, messages, timers, one flush of doorbells, sleep.

#include "kernel/cpu.h"

#include "kernel/apic.h"
#include "kernel/block.h"
#include "kernel/irq.h"
#include "kernel/percpu.h"
#include "kernel/time.h"
#include "kernel/time_init.h"
#include "kernel/trace.h"
#include "lib/mark.h"

#define SPIN_SHARES 8ull

// ---- messages ----

// A CPU that is out of use runs nothing: the boot CPU does it in its place (a queue's message finds
// its way to the queue's owner from there).
void cpu_post(unsigned index, struct cpu_msg *msg)
{
    cpu_post_always(cpu_is_online(index) ? index : 0, msg);
}

void cpu_post_always(unsigned index, struct cpu_msg *msg)
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

static __attribute__((noinline)) unsigned run_messages(struct cpu *cpu)
{
    unsigned ran = 0;
    for (struct cpu_msg *msg = take_in_order(cpu), *next; msg; msg = next, ran++) {
        next = msg->next; // fn may reuse it
        msg->fn(msg);
    }
    return ran;
}

unsigned cpu_run_messages(struct cpu *cpu)
{
    return unlikely(atomic_load_explicit(&cpu->inbox, memory_order_relaxed)) ? run_messages(cpu)
                                                                             : 0;
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

// The window's interrupt sets the hardware as well, so it must not come in between.
void cpu_timer_program(struct cpu *cpu)
{
    uint64_t flags = interrupts_save();
    uint64_t due = cpu->timers ? cpu->timers->due_ns : UINT64_MAX;
    if (cpu->window_ns)
        due = MIN(due, cpu->window_ns);
    if (due != UINT64_MAX)
        apic_timer_set(time_tsc_at(due));
    else
        apic_timer_cancel();
    interrupts_restore(flags);
}

void cpu_timer_start(struct cpu_timer *timer, uint64_t due_ns)
{
    struct cpu *cpu = this_cpu();
    if (timer->armed)
        unlink_timer(cpu, timer);
    timer->guest &= cpu->index == 0;
    if (!timer->guest)
        timer->cpu = cpu->index;
    timer->due_ns = due_ns;
    struct cpu_timer **link = &cpu->timers;
    while (*link && (*link)->due_ns <= due_ns)
        link = &(*link)->next;
    timer->next = *link;
    *link = timer;
    timer->armed = true;
    if (cpu->timers == timer)
        cpu_timer_program(cpu);
}

void cpu_timer_stop(struct cpu_timer *timer)
{
    if (timer->armed)
        unlink_timer(this_cpu(), timer);
    timer->guest = false;
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
    cpu_timer_program(cpu);
    return ran;
}

// ---- the loop ----

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
}

static void sleep_now(struct cpu *cpu)
{
    trace(TRACE_SLEEP, 0);
    cpu->stats.sleeps++;
    if (irq_get_config()->mwait)
        monitor_and_wait(cpu);
    else
        interrupts_on_and_halt();
    interrupts_off();
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

// The more MSIs the last busy stretch brought, the longer it is worth looking on: a single one is
// waited for asleep, SPIN_SHARES or more get the whole of idle.spin.
static void tune_spin(struct cpu *cpu)
{
    uint64_t brought = cpu->stats.msis - cpu->msis_before;
    uint64_t shares = brought ? MIN(brought - 1, SPIN_SHARES) : 0;
    cpu->spin_tsc = time_tsc_span(irq_get_config()->spin_ns) / SPIN_SHARES * shares;
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
    enum irq_mode mode = irq_get_mode();
    MARK_BEGIN("idle");
    if (mode == IRQ_ADAPTIVE)
        tune_spin(cpu);
    if (mode == IRQ_POLL)
        watch(cpu);
    else if (mode != IRQ_ADAPTIVE || !spin(cpu, start))
        go_to_sleep(cpu);
    cpu->round_tsc = rdtsc();
    cpu->stats.idle_tsc += cpu->round_tsc - start;
    MARK_END("idle");
}

void cpu_run_until(const bool *stop)
{
    struct cpu *cpu = this_cpu();
    MARK_BEGIN("loop");
    while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
        if (irq_poll() + cpu_run_messages(cpu) + run_timers(cpu))
            cpu->round_tsc = 0;
        block_flush();
        if (!has_work(cpu) && !__atomic_load_n(stop, __ATOMIC_ACQUIRE))
            idle(cpu);
    }
    MARK_END("loop");
}
