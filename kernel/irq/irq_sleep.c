// SPDX-License-Identifier: BSD-2-Clause
// A CPU that begins, falls asleep and wakes up: its descriptor and its window go by that. Interrupts off,
// and all of it belongs to the calling CPU.

#include "kernel/base/percpu.h"
#include "kernel/cpu/trace.h"
#include "kernel/cpu/work.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/irq_config.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/irq/irq_rate.h"
#include "kernel/irq/posted.h"
#include "kernel/x86/time.h"

static void start_window(struct cpu *cpu)
{
    const struct irq_config *config = irq_get_config();
    if (cpu->irq_mode != IRQ_ADAPTIVE || !config->window_ns)
        return;
    cpu->window_ns = time_ns() + config->window_ns;
    cpu_timer_program(cpu);
}

// What was posted by the rules of the mode before may have told nobody, so the harvest comes after the
// descriptor is changed.
void irq_start_cpu(void)
{
    struct cpu *cpu = this_cpu();
    cpu->irq_mode = irq_get_mode();
    cpu->loops = (uint16_t)irq_get_config()->loops;
    cpu->loop_harvests = irq_loop_harvests(cpu->irq_mode);
    cpu->window_ns = 0;
    pi_set_control(&cpu->pi, cpu->loop_harvests);
    irq_harvest(cpu);
    start_window(cpu);
    cpu_timer_program(cpu); // it may have come back to timers
}

void irq_follow_mode(void)
{
    uint64_t flags = interrupts_save();
    irq_start_cpu();
    interrupts_restore(flags);
}

static bool can_sleep(struct cpu *cpu, bool suppressed)
{
    if (suppressed ? !pi_any(&cpu->pi) : pi_fall_asleep(&cpu->pi))
        return true;
    irq_harvest(cpu); // in all words: what leads to no irq would keep the CPU awake for ever
    return false;
}

bool irq_sleeps_by_mwait(void)
{
    const struct cpu *cpu = this_cpu();
    return irq_get_config()->mwait && cpu->irq_mode == IRQ_ADAPTIVE && !cpu->mwait_failed;
}

// With posted.rate, a notification that would come too soon after the last one: SN stays set, and the timer
// wakes the CPU in its place.
static bool is_too_soon(struct cpu *cpu)
{
    uint64_t window_ns = irq_rate_window_ns();
    if (likely(!window_ns) || time_ns() >= cpu->notified_ns + window_ns)
        return false;
    cpu->window_ns = cpu->notified_ns + window_ns;
    cpu_timer_program(cpu);
    return true;
}

static void note_notification(struct cpu *cpu)
{
    if (likely(!irq_rate_window_ns()) || cpu->stats.notifications == cpu->notified)
        return;
    cpu->notified = cpu->stats.notifications;
    cpu->notified_ns = time_ns();
}

// With MWAIT, SN stays set: the post itself ends the wait, and no interrupt is needed. Until the CPU
// wakes up, there is nothing to do for a notification but to count it (isr.asm).
bool irq_fall_asleep(void)
{
    struct cpu *cpu = this_cpu();
    if (cpu->irq_mode != IRQ_ADAPTIVE)
        return true;
    if (cpu->window_ns) {
        cpu->window_ns = 0; // a sleeper needs none, and would be woken by it
        cpu_timer_program(cpu);
    }
    bool sleeps = can_sleep(cpu, irq_sleeps_by_mwait() || is_too_soon(cpu));
    cpu->only_wakes = sleeps && !trace_is_on();
    return sleeps;
}

// With MWAIT too, since an urgent post has set ON, and its notification did nothing but wake.
void irq_wake_up(void)
{
    struct cpu *cpu = this_cpu();
    if (cpu->irq_mode != IRQ_ADAPTIVE)
        return;
    cpu->only_wakes = false;
    cpu->window_ns = 0;
    note_notification(cpu);
    pi_wake_up(&cpu->pi);
    start_window(cpu);
}
