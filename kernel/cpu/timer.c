// SPDX-License-Identifier: BSD-2-Clause
// Timers: a list in order of time, and the local APIC's timer set for its first one.

#include "kernel/cpu/timer.h"

#include "kernel/cpu/work.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/time.h"
#include "kernel/x86/time_init.h"

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
unsigned cpu_run_due_timers(struct cpu *cpu)
{
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
