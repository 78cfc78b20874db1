// SPDX-License-Identifier: BSD-2-Clause
// A CPU leaves while others are about to send it something: whoever pauses wherever, each message is
// run once, and each MSI handled.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/cpu/msg.h"
#include "kernel/irq/irq_move.h"
#include "kernel/run/hotplug.h"
#include "kernel/run/loop.h"
#include "kernel/run/smp.h"
#include "kernel/x86/apic.h"
#include "tests/host/step_machine.h"

#define LEAVES 1 // the CPU

static struct cpu_change change;
static bool ended;
static struct cpu_msg trigger, late;
static unsigned late_ran;
static struct irq *irq;
static unsigned sent, seen;

// ---- the machine ----

static bool never(void)
{
    return false;
}

noreturn void halt_forever(void)
{
    for (;;)
        steps_wait(never);
}

void apic_stop_timer(void)
{
}

bool smp_start_cpu(unsigned index, struct problem *p)
{
    return problem_set(p, "cpu-not-started", "not here");
}

void error_problem(const struct problem *p); // report.h's fail() is a macro of cmocka's
void error_problem(const struct problem *p)
{
    world.errors++;
}

static void run_until_it_leaves(void *arg)
{
    struct cpu *cpu = this_cpu();
    cpu_run_until(&cpu->leaving);
    hotplug_halt(cpu);
}

// ---- the play ----

static void end(struct cpu_change *c)
{
    ended = true;
}

static void run_late(struct cpu_msg *msg)
{
    late_ran++;
}

static void send_late(struct cpu_msg *msg)
{
    cpu_post(LEAVES, &late);
}

static void handle(void *arg)
{
    seen = sent;
}

static void moved(void *arg, unsigned cpu)
{
}

static void send_msi(void *arg)
{
    sent++;
    machine_send(irq);
}

static void begin(const struct irq_config *config, unsigned sender)
{
    struct problem p;
    machine_start(3, *config);
    for (unsigned i = 0; i < 3; i++)
        steps_add(i, run_until_it_leaves, NULL);
    keep_vectors(LEAVES, 130);
    irq = irq_alloc(&world.device, 0, LEAVES, handle, NULL, "leaving", &p);
    give_vectors_back(LEAVES);
    irq_on_move(irq, moved);
    sent = seen = late_ran = 0;
    ended = false;
    trigger.fn = send_late;
    late.fn = run_late;
    cpu_post(sender, &trigger);
    change = (struct cpu_change){ .cpu = LEAVES, .done = end };
    cpu_offline(&change);
}

static void check(void)
{
    assert_true(ended && change.ok);
    assert_false(cpus[LEAVES].online);
    assert_int_equal(late_ran, 1);
    assert_int_equal(seen, sent);
    assert_int_not_equal(irq->cpu, LEAVES);
    assert_null(cpus[LEAVES].inbox);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(cpus[i].stats.spurious, 0);
    machine_is_at_rest();
}

// The sender pauses, perhaps between its look and its message, while the CPU leaves.
static bool sender_pauses(const struct irq_config *config, unsigned sender, unsigned steps,
                          unsigned more)
{
    begin(config, sender);
    bool awake = steps_run(sender, steps);
    steps_run(LEAVES, more);
    steps_run(2 - sender, STEPS_ALL);
    steps_run(LEAVES, STEPS_ALL);
    steps_run(2 - sender, STEPS_ALL);
    steps_rest();
    check();
    return awake;
}

static const struct irq_config configs[] = {
    { .mode = IRQ_REMAPPED },
    { .mode = IRQ_POSTED },
    { .mode = IRQ_ADAPTIVE },
};

static void messages_that_are_late_are_run(void **state)
{
    for (unsigned c = 0; c < ARRAY_SIZE(configs); c++)
        for (unsigned sender = 0; sender < 3; sender += 2)
            for (unsigned more = 1; more < 1000; more += 1 + more / 4)
                for (unsigned steps = 1; sender_pauses(&configs[c], sender, steps, more);)
                    steps++;
}

static bool device_sends(const struct irq_config *config, unsigned steps, unsigned own)
{
    begin(config, 2);
    unsigned device = steps_add(STEPS_NO_CPU, send_msi, NULL);
    bool awake = steps_run(LEAVES, steps);
    steps_run(device, own);
    steps_run(LEAVES, STEPS_ALL);
    steps_rest();
    check();
    return awake;
}

static void msis_of_a_cpu_that_leaves_are_handled(void **state)
{
    for (unsigned c = 0; c < ARRAY_SIZE(configs); c++)
        for (unsigned own = 1; own < 4; own++)
            for (unsigned steps = 1; device_sends(&configs[c], steps, own);)
                steps++;
}

// Another CPU moves an irq there, and pauses anywhere in it.
static struct irq *arriving;
static struct irq_move arrival;

static void arrived(struct irq_move *move)
{
}

static bool irq_arrives(const struct irq_config *config, unsigned steps, unsigned more)
{
    struct problem p;
    begin(config, 0);
    arriving = irq_alloc(&world.device, 1, 2, handle, NULL, "arriving", &p);
    irq_on_move(arriving, moved);
    arrival = (struct irq_move){ .irq = arriving, .to = LEAVES, .done = arrived };
    world.current = 2;
    irq_set_affinity(&arrival);
    world.current = 0;
    bool awake = steps_run(2, steps);
    steps_run(LEAVES, more);
    steps_run(0, STEPS_ALL);
    steps_rest();
    check();
    assert_int_not_equal(arriving->cpu, LEAVES); // it turned back, or never went
    assert_ptr_equal(cpus[arriving->cpu].vectors[arriving->vector], arriving);
    return awake;
}

static void no_irq_stays_with_a_cpu_that_left(void **state)
{
    for (unsigned c = 0; c < ARRAY_SIZE(configs); c++)
        for (unsigned more = 1; more < 1000; more += 1 + more / 2)
            for (unsigned steps = 1; irq_arrives(&configs[c], steps, more);)
                steps++;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_that_are_late_are_run),
        cmocka_unit_test(msis_of_a_cpu_that_leaves_are_handled),
        cmocka_unit_test(no_irq_stays_with_a_cpu_that_left),
    };
    return cmocka_run_group_tests_name("hotplug, step by step", tests, NULL, NULL);
}
