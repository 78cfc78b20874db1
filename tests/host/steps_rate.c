// SPDX-License-Identifier: BSD-2-Clause
// posted.rate: a device sends, and its timer fires, at any step of a CPU above the budget. Nothing is lost,
// and once nothing comes any more, posts notify.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/irq/irq_rate.h"
#include "kernel/x86/vectors.h"
#include "tests/host/step_machine.h"

enum { PLAIN, URGENT, IMMEDIATE, KINDS };

static struct irq *irq;
static unsigned sent, seen;

static void handle(void *arg)
{
    seen = sent;
}

static void send(void *arg)
{
    sent++;
    machine_send(irq);
}

static bool timer_is_set(void)
{
    return world.timer_at;
}

static void fire(void *arg)
{
    for (;;) {
        steps_wait(timer_is_set);
        world.now_ns = MAX(world.now_ns, world.timer_at);
        world.timer_at = 0;
        machine_request(0, VECTOR_TIMER);
        step();
    }
}

static unsigned begin(enum irq_mode mode, unsigned kind)
{
    struct problem p;
    machine_start(1, (struct irq_config){ .mode = mode });
    irq_rate_window = 1000;
    irq = irq_alloc(&world.device, 0, 0, handle, NULL, "moderated", &p);
    if (kind == URGENT)
        assert_true(irq_set_urgent(irq, true, &p));
    if (kind == IMMEDIATE)
        irq_set_immediate(irq);
    sent = seen = 0;
    return machine_cpu(0);
}

static void check(unsigned count)
{
    assert_int_equal(sent, count);
    assert_int_equal(seen, count);
    assert_int_equal(cpus[0].stats.spurious, 0);
    machine_is_at_rest();
}

// The first one begins a window; the second and the timer come some steps later, in either order.
static bool comes_after(enum irq_mode mode, unsigned kind, unsigned steps, unsigned later,
                        bool timer_first)
{
    unsigned cpu = begin(mode, kind);
    unsigned first = steps_add(STEPS_NO_CPU, send, NULL);
    unsigned second = steps_add(STEPS_NO_CPU, send, NULL);
    unsigned timer = steps_add(STEPS_NO_CPU, fire, NULL);
    steps_run(timer, 1); // it waits
    steps_run(first, STEPS_ALL);
    bool awake = steps_run(cpu, steps);
    steps_run(timer_first ? timer : second, STEPS_ALL);
    steps_run(cpu, later);
    steps_run(timer_first ? second : timer, STEPS_ALL);
    steps_rest();
    check(2);
    return awake;
}

static void nothing_is_lost_in(enum irq_mode mode)
{
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (unsigned timer_first = 0; timer_first < 2; timer_first++)
            for (unsigned later = 1; later < 200; later += 1 + later / 4) {
                unsigned steps = 1;
                while (comes_after(mode, kind, steps, later, timer_first))
                    steps++;
                assert_true(steps > 50);
            }
}

static void nothing_is_lost_in_posted_mode(void **state)
{
    nothing_is_lost_in(IRQ_POSTED);
}

static void nothing_is_lost_in_adaptive_mode(void **state)
{
    nothing_is_lost_in(IRQ_ADAPTIVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_in_posted_mode),
        cmocka_unit_test(nothing_is_lost_in_adaptive_mode),
    };
    return cmocka_run_group_tests_name("rate, step by step", tests, NULL, NULL);
}
