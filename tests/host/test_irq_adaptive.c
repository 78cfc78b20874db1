// SPDX-License-Identifier: BSD-2-Clause
// Adaptive mode on a modelled CPU: SN follows sleep, the window of a busy CPU, urgent irqs.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/cpu/timer.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/irq/irq_move.h"
#include "kernel/irq/posted.h"
#include "tests/host/irq_world.h"

static const struct irq_config windowed = { .mode = IRQ_ADAPTIVE, .window_ns = 1000 };
static const struct irq_config mwait = { .mode = IRQ_ADAPTIVE, .mwait = true };

static uint64_t on_and_sn(void)
{
    return cpus[0].pi.control & (PI_CONTROL_ON | PI_CONTROL_SN);
}

static void not_here(struct cpu_timer *timer)
{
    fail_msg("only the loop runs timers");
}

static void adaptive_posts_without_notification_while_awake(void **state)
{
    start(IRQ_ADAPTIVE);
    struct irq *irq = new_irq(0, 1);
    assert_false(pi_post(&cpus[0].pi, irq->vector, false));
    assert_true(irq_pending());
    assert_true(irq_poll());
    assert_int_equal(world.handled[1], 1);
    assert_true(world.enabled);
}

static void a_sleeper_is_notified_and_its_notification_only_wakes(void **state)
{
    start(IRQ_ADAPTIVE);
    struct irq *irq = new_irq(0, 1);
    assert_true(irq_fall_asleep());
    cpus[0].sleeping = true;
    assert_true(pi_post(&cpus[0].pi, irq->vector, false));
    irq_take_notification();
    assert_true(pi_any(&cpus[0].pi));
    irq_wake_up();
    cpus[0].sleeping = false;
    assert_int_equal(cpus[0].pi.control & (PI_CONTROL_ON | PI_CONTROL_SN), PI_CONTROL_SN);
    irq_poll();
    assert_int_equal(world.handled[1], 1);
}

// isr.asm counts it, then, and does no more.
static void a_notification_only_wakes_those_that_sleep(void **state)
{
    start(IRQ_ADAPTIVE);
    struct irq *irq = new_irq(0, 1);
    assert_false(cpus[0].only_wakes);
    assert_true(irq_fall_asleep());
    assert_true(cpus[0].only_wakes);
    irq_wake_up();
    assert_false(cpus[0].only_wakes);
    pi_post(&cpus[0].pi, irq->vector, false);
    assert_false(irq_fall_asleep()); // and nobody harvests for it
    assert_false(cpus[0].only_wakes);
    start(IRQ_POSTED);
    assert_true(irq_fall_asleep());
    assert_false(cpus[0].only_wakes);
}

// What was posted while SN was set notified nobody: the sleeper must look again.
static void a_post_before_sn_is_cleared_keeps_the_cpu_awake(void **state)
{
    start(IRQ_ADAPTIVE);
    struct irq *irq = new_irq(0, 1);
    pi_post(&cpus[0].pi, irq->vector, false);
    assert_false(irq_fall_asleep());
    irq_wake_up();
    irq_poll();
    assert_int_equal(world.handled[1], 1);
}

static void a_sleeper_has_no_window(void **state)
{
    start_with(windowed);
    irq_wake_up();
    assert_int_equal(world.timer_at, 1000);
    assert_true(irq_fall_asleep());
    assert_int_equal(world.timer_at, 0);
    world.now_ns = 700;
    irq_wake_up();
    assert_int_equal(world.timer_at, 1700);
}

// Where each MSI interrupts, nobody needs one.
static void only_adaptive_cpus_have_a_window(void **state)
{
    static const enum irq_mode modes[] = { IRQ_REMAPPED, IRQ_POSTED, IRQ_POLL, IRQ_MSI };
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        start_with((struct irq_config){ .mode = modes[i], .window_ns = 1000 });
        assert_int_equal(world.timer_at, 0);
        assert_true(irq_fall_asleep());
        irq_wake_up();
        assert_int_equal(world.timer_at, 0);
    }
}

// SN and ON are the notification's there, awake or asleep.
static void only_adaptive_cpus_change_sn(void **state)
{
    start(IRQ_POSTED);
    cpus[0].pi.control |= PI_CONTROL_ON; // a notification is on its way
    assert_true(irq_fall_asleep());
    irq_wake_up();
    assert_int_equal(on_and_sn(), PI_CONTROL_ON);
    start(IRQ_POLL);
    assert_int_equal(on_and_sn(), PI_CONTROL_SN);
}

// A timer that falls due before the window must not be its end.
static void the_window_outlives_other_timers(void **state)
{
    struct cpu_timer early = { .fn = not_here };
    start_with(windowed);
    irq_wake_up();
    cpu_timer_start(&early, 400);
    assert_int_equal(world.timer_at, 400);
    world.now_ns = 400;
    irq_take_timer(); // and the loop, busy elsewhere, doesn't run it
    assert_int_equal(world.timer_at, 1000);
    world.now_ns = 1000;
    irq_take_timer();
    assert_int_equal(world.timer_at, 2000);
    cpu_timer_stop(&early);
}

static void an_urgent_irq_notifies_an_awake_cpu(void **state)
{
    struct problem p;
    start(IRQ_ADAPTIVE);
    struct irq *irq = new_irq(0, 1);
    assert_true(irq_set_urgent(irq, true, &p));
    irq_set_immediate(irq);
    irq_raise(irq);
    assert_int_equal(world.notifies, 1);
    irq_take_notification();
    assert_int_equal(world.handled[1], 1); // at once
    assert_int_equal(cpus[0].pi.control & (PI_CONTROL_ON | PI_CONTROL_SN), PI_CONTROL_SN);
    assert_int_equal(irq_poll(), 0);
}

static void the_window_harvests_for_a_busy_cpu(void **state)
{
    start_with(windowed);
    struct irq *irq = new_irq(0, 1);
    assert_int_equal(world.timer_at, 1000);
    pi_post(&cpus[0].pi, irq->vector, false);
    world.now_ns = 400;
    irq_take_timer(); // another timer's: too early
    assert_int_equal(cpus[0].stats.windows, 0);
    world.now_ns = 1000;
    irq_take_timer();
    assert_int_equal(cpus[0].stats.windows, 1);
    assert_int_equal(world.timer_at, 2000);
    assert_true(cpus[0].ready[0]);
}

// It must be taken out though no irq is known for it, or the CPU never sleeps again.
static void a_stray_post_keeps_no_cpu_awake(void **state)
{
    for (unsigned with_mwait = 0; with_mwait < 2; with_mwait++) {
        start_with(with_mwait ? mwait : (struct irq_config){ .mode = IRQ_ADAPTIVE });
        new_irq(0, 1);
        pi_post(&cpus[0].pi, 250, false); // in a word where there are no irqs
        assert_false(irq_fall_asleep());
        irq_wake_up();
        assert_int_equal(cpus[0].stats.spurious, 1);
        assert_int_equal(irq_poll(), 0);
        assert_true(irq_fall_asleep());
    }
}

// With MWAIT SN stays set, but an urgent post sets ON all the same.
static void an_urgent_post_to_a_waiter_leaves_no_on(void **state)
{
    start_with(mwait);
    struct irq *irq = new_irq(0, 1);
    for (unsigned i = 1; i <= 3; i++) {
        assert_true(irq_fall_asleep());
        cpus[0].sleeping = true;
        assert_true(pi_post(&cpus[0].pi, irq->vector, true)); // notifies each time
        irq_take_notification();
        irq_wake_up();
        cpus[0].sleeping = false;
        assert_int_equal(on_and_sn(), PI_CONTROL_SN);
        irq_poll();
        assert_int_equal(world.handled[1], i);
    }
}

// ---- the window ----

// A CPU that begins with an app's code has slept no sleep to wake from.
static void there_is_a_window_before_the_first_sleep(void **state)
{
    start_with(windowed);
    assert_int_equal(cpus[0].window_ns, 1000);
    assert_int_equal(cpus[1].window_ns, 1000); // begins by itself
    assert_int_equal(world.timer_at, 1000);
    cpus[0].window_ns = 0; // CPU 0 was away
    irq_start_cpu();
    assert_int_equal(cpus[0].window_ns, 1000);
}

// Another irq's move has harvested, and the app is busy again.
static void the_window_runs_immediate_handlers_left_behind(void **state)
{
    start_with(windowed);
    struct irq *irq = new_irq(0, 1);
    irq_set_immediate(irq);
    pi_post(&cpus[0].pi, irq->vector, false);
    irq_drain_ready(0xee);
    assert_int_equal(world.handled[1], 0);
    world.now_ns = 1000;
    irq_take_timer();
    assert_int_equal(world.handled[1], 1);
    assert_int_equal(cpus[0].stats.windows, 0); // it found nothing new
}

// ---- urgent irqs are served first ----

static char order[8]; // who was handled, in order
static unsigned order_count;
static struct irq *urgent;
static void (*during_first)(void);

static void note(void *arg)
{
    char name = (char)(uintptr_t)arg;
    order[order_count++] = name;
    if (name == 'a' && during_first)
        during_first();
}

static struct irq *new_noted(char name)
{
    struct problem p;
    return irq_alloc(&world.device, 0, 0, note, (void *)(uintptr_t)name, "x", &p);
}

// Ordinary irqs 'a' and 'b' are pending, and an urgent one, 'u', comes while 'a' is handled.
static const char *play(enum irq_mode mode, void (*during)(void))
{
    struct problem p;
    start(mode);
    order_count = 0;
    during_first = during;
    struct irq *a = new_noted('a'), *b = new_noted('b');
    urgent = new_noted('u');
    assert_true(irq_set_urgent(urgent, true, &p));
    if (mode == IRQ_REMAPPED) {
        irq_take_device(a->vector);
        irq_take_device(b->vector);
    } else {
        pi_post(&cpus[0].pi, a->vector, false);
        post(0, b->vector);
        if (mode == IRQ_POSTED)
            irq_take_notification();
    }
    for (unsigned i = 0; i < 3; i++)
        irq_poll();
    order[order_count] = 0;
    return order;
}

static void urgent_post(void)
{
    if (pi_post(&cpus[0].pi, urgent->vector, true))
        irq_take_notification();
}

static void urgent_interrupt(void)
{
    irq_take_device(urgent->vector);
}

static void an_urgent_irq_overtakes_those_that_were_ready(void **state)
{
    assert_string_equal(play(IRQ_ADAPTIVE, urgent_post), "aub");
    assert_string_equal(play(IRQ_POSTED, urgent_post), "aub");
    assert_string_equal(play(IRQ_REMAPPED, urgent_interrupt), "aub");
}

// Both were ready before the loop came.
static void an_urgent_irq_that_is_ready_comes_first(void **state)
{
    play(IRQ_REMAPPED, NULL);
    order_count = 0;
    irq_take_device(urgent->vector - 2);
    irq_take_device(urgent->vector);
    assert_true(irq_pending());
    irq_poll();
    assert_memory_equal(order, "ua", 2);
    assert_int_equal(order_count, 2);
}

// ON stood, so it didn't notify: the loop finds it together with the others.
static void an_urgent_irq_in_the_loops_harvest_comes_first(void **state)
{
    play(IRQ_ADAPTIVE, NULL);
    order_count = 0;
    pi_post(&cpus[0].pi, urgent->vector - 2, false);
    cpus[0].pi.control |= PI_CONTROL_ON;
    assert_false(pi_post(&cpus[0].pi, urgent->vector, true));
    assert_int_equal(irq_poll(), 2);
    assert_memory_equal(order, "ua", 2);
    assert_int_equal(cpus[0].stats.msis, 4);
}

static void an_irq_is_urgent_no_longer(void **state)
{
    struct problem p;
    play(IRQ_ADAPTIVE, NULL);
    order_count = 0;
    assert_true(irq_set_urgent(urgent, false, &p));
    pi_post(&cpus[0].pi, urgent->vector - 2, false);
    pi_post(&cpus[0].pi, urgent->vector, false);
    assert_int_equal(irq_poll(), 2);
    assert_memory_equal(order, "au", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adaptive_posts_without_notification_while_awake),
        cmocka_unit_test(a_sleeper_is_notified_and_its_notification_only_wakes),
        cmocka_unit_test(a_notification_only_wakes_those_that_sleep),
        cmocka_unit_test(a_post_before_sn_is_cleared_keeps_the_cpu_awake),
        cmocka_unit_test(a_sleeper_has_no_window),
        cmocka_unit_test(only_adaptive_cpus_have_a_window),
        cmocka_unit_test(only_adaptive_cpus_change_sn),
        cmocka_unit_test(the_window_outlives_other_timers),
        cmocka_unit_test(an_urgent_irq_notifies_an_awake_cpu),
        cmocka_unit_test(the_window_harvests_for_a_busy_cpu),
        cmocka_unit_test(a_stray_post_keeps_no_cpu_awake),
        cmocka_unit_test(an_urgent_post_to_a_waiter_leaves_no_on),
        cmocka_unit_test(there_is_a_window_before_the_first_sleep),
        cmocka_unit_test(the_window_runs_immediate_handlers_left_behind),
        cmocka_unit_test(an_urgent_irq_overtakes_those_that_were_ready),
        cmocka_unit_test(an_urgent_irq_that_is_ready_comes_first),
        cmocka_unit_test(an_urgent_irq_in_the_loops_harvest_comes_first),
        cmocka_unit_test(an_irq_is_urgent_no_longer),
    };
    return cmocka_run_group_tests_name("irq, adaptive", tests, NULL, NULL);
}
