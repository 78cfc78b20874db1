// SPDX-License-Identifier: BSD-2-Clause
// What CPUs that leave and come back call of the machine, and turns of their loops.

#include "tests/host/irq_hotplug.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/cpu/timer.h"
#include "kernel/cpu/work.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/run/hotplug.h"
#include "kernel/run/smp.h"
#include "kernel/x86/apic.h"

struct hotplug hotplug;
static jmp_buf halted;

// ---- the machine ----

noreturn void halt_forever(void)
{
    hotplug.halted[world.current] = true;
    hotplug.halted_enabled |= world.enabled;
    longjmp(halted, 1);
}

void apic_stop_timer(void)
{
    hotplug.timer_stopped[world.current] = true;
}

bool smp_start_cpu(unsigned index, struct problem *p)
{
    if (hotplug.start_fails)
        return problem_set(p, "cpu-not-started", "it is gone");
    unsigned was = world.current;
    world.current = index;
    cpus[index].leaving = false;
    world.timer_at = 0;
    irq_start_cpu();
    hotplug.timer_at_start = world.timer_at;
    hotplug.halted[index] = hotplug.timer_stopped[index] = false;
    cpus[index].online = true;
    world.current = was;
    return true;
}

void error_problem(const struct problem *p); // report.h's fail() is a macro of cmocka's
void error_problem(const struct problem *p)
{
    world.errors++;
}

// ---- turns ----

static void note_end(struct cpu_change *c)
{
    assert_int_equal(world.current, 0);
    hotplug.ended = true;
}

void hotplug_begin(unsigned count, enum irq_mode mode)
{
    start_on(count, (struct irq_config){ .mode = mode });
    hotplug = (struct hotplug){ .change = { .cpu = 1, .done = note_end } };
}

static void run_timers_of(struct cpu *cpu)
{
    while (cpu->timers && cpu->timers->due_ns <= world.now_ns) {
        struct cpu_timer *timer = cpu->timers;
        cpu->timers = timer->next; // as the loop does
        timer->armed = false;
        timer->fn(timer);
    }
}

void hotplug_turn(unsigned index)
{
    struct cpu *cpu = &cpus[index];
    world.current = index;
    world.enabled = true;
    cpu_run_messages(cpu);
    run_timers_of(cpu);
    if (cpu->leaving && !setjmp(halted))
        hotplug_halt(cpu);
    world.enabled = true;
    world.current = 0;
}

void hotplug_turns(void)
{
    for (unsigned i = 0; i < 12 * world.count; i++)
        if (!hotplug.halted[i % world.count])
            hotplug_turn(i % world.count);
}

void hotplug_leave(void)
{
    hotplug.ended = false;
    cpu_offline(&hotplug.change);
    hotplug_turns();
    assert_true(hotplug.ended);
    assert_false(hotplug.halted_enabled);
}

void hotplug_come_back(void)
{
    hotplug.ended = false;
    cpu_online(&hotplug.change);
    hotplug_turns();
    assert_true(hotplug.ended);
}

// ---- what they have ----

static void no_queue(void *arg, unsigned cpu)
{
}

struct irq *hotplug_irq(unsigned cpu, uintptr_t number)
{
    struct irq *irq = new_irq(cpu, number);
    irq_on_move(irq, no_queue);
    return irq;
}

void fire(struct cpu_timer *timer)
{
    hotplug.fired[world.current]++;
}

void fire_again(struct cpu_timer *timer)
{
    hotplug.fired[world.current]++;
    cpu_timer_start(timer, timer->due_ns + 100);
}

void start_on_cpu(unsigned cpu, struct cpu_timer *timer)
{
    world.current = cpu;
    cpu_timer_start(timer, timer->due_ns);
    world.current = 0;
}
