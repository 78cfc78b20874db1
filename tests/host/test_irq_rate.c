// SPDX-License-Identifier: BSD-2-Clause
// posted.rate: above the budget a notification is followed by a window in which the timer harvests;
// below it nothing is different.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/cpu/timer.h"
#include "kernel/cpu/work.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/irq/irq_rate.h"
#include "kernel/irq/posted.h"
#include "kernel/irq/rate.h"
#include "tests/host/irq_world.h"

#define BUDGET 1000000ull
#define WINDOW 1000ull // ns

static struct irq *irq;
static uint64_t looked_ns; // when the boot CPU last looked

static void begin(enum irq_mode mode)
{
    start_with((struct irq_config){ .mode = mode, .rate = BUDGET });
    irq = new_irq(0, 1);
    looked_ns = 0;
}

// The boot CPU's timer, with so many notifications on CPU 1 since it last came.
static void look(uint64_t notifications)
{
    looked_ns += RATE_TURN_NS;
    world.now_ns = MAX(world.now_ns, looked_ns);
    cpus[1].stats.notifications += notifications;
    cpus[0].timer_due = true;
    cpu_run_timers(&cpus[0]);
}

static void exceed(void)
{
    look(2 * BUDGET / 100);
    assert_int_equal(irq_rate_window_ns(), WINDOW);
}

static unsigned control(void)
{
    return cpus[0].pi.control & (PI_CONTROL_ON | PI_CONTROL_SN);
}

static void device_posts(void)
{
    post(0, irq->vector);
}

static void timer_fires_at(uint64_t ns)
{
    world.now_ns = ns;
    irq_take_timer();
}

// ---- the budget ----

static void below_the_budget_nothing_changes(void **state)
{
    begin(IRQ_POSTED);
    for (unsigned i = 0; i < 20; i++) {
        look(BUDGET / 100 - 1);
        assert_int_equal(irq_rate_window_ns(), 0);
        device_posts();
        assert_int_equal(control(), 0);
        assert_int_equal(cpus[0].window_ns, 0);
        assert_int_equal(irq_poll(), 1);
    }
}

static void all_cpus_are_counted(void **state)
{
    begin(IRQ_POSTED);
    cpus[0].stats.notifications += BUDGET / 200;
    cpus[1].stats.moderated += BUDGET / 200;
    look(0);
    assert_int_equal(irq_rate_window_ns(), 0);
    cpus[0].stats.notifications += BUDGET / 200 + 1;
    cpus[1].stats.moderated += BUDGET / 200;
    look(0);
    assert_int_equal(irq_rate_window_ns(), WINDOW);
}

static void without_a_budget_nobody_looks(void **state)
{
    begin(IRQ_POSTED);
    exceed();
    start(IRQ_POSTED);
    assert_int_equal(irq_rate_window_ns(), 0);
    assert_null(cpus[0].timers);
}

// ---- posted ----

static void a_notification_begins_a_window(void **state)
{
    begin(IRQ_POSTED);
    exceed();
    uint64_t now = world.now_ns;
    device_posts();
    assert_int_equal(control(), PI_CONTROL_SN);
    assert_int_equal(cpus[0].window_ns, now + WINDOW);
    assert_int_equal(world.timer_at, now + WINDOW);
    assert_int_equal(irq_poll(), 1); // the first one waits for nothing

    uint64_t notifications = cpus[0].stats.notifications;
    device_posts();
    assert_int_equal(cpus[0].stats.notifications, notifications);
    assert_int_equal(irq_poll(), 0);
    timer_fires_at(now + WINDOW);
    assert_int_equal(irq_poll(), 1);
    assert_int_equal(cpus[0].stats.moderated, 1);
    assert_int_equal(control(), PI_CONTROL_SN); // and so on
    assert_int_equal(world.timer_at, now + 2 * WINDOW);
}

static void an_empty_window_is_the_last(void **state)
{
    begin(IRQ_POSTED);
    exceed();
    device_posts();
    timer_fires_at(cpus[0].window_ns);
    assert_int_equal(control(), 0);
    assert_int_equal(cpus[0].window_ns, 0);
    assert_int_equal(cpus[0].stats.moderated, 0);
    device_posts(); // notifies
    assert_int_equal(control(), PI_CONTROL_SN);
    assert_int_equal(irq_poll(), 1);
}

static void within_the_budget_again_windows_end(void **state)
{
    begin(IRQ_POSTED);
    exceed();
    device_posts();
    for (unsigned i = 0; i < 20; i++)
        look(0);
    assert_int_equal(irq_rate_window_ns(), 0);
    device_posts(); // suppressed still
    timer_fires_at(world.now_ns);
    assert_int_equal(irq_poll(), 1);
    assert_int_equal(control(), 0);
    assert_int_equal(cpus[0].window_ns, 0);
}

// A timer that is due before the window's end: the window goes on.
static void other_timers_end_no_window(void **state)
{
    begin(IRQ_POSTED);
    exceed();
    device_posts();
    uint64_t end = cpus[0].window_ns;
    device_posts();
    timer_fires_at(end - 1);
    assert_int_equal(cpus[0].window_ns, end);
    assert_int_equal(world.timer_at, end);
    assert_int_equal(control(), PI_CONTROL_SN);
    cpu_run_timers(&cpus[0]);
    assert_int_equal(world.timer_at, end);
}

static void urgent_ones_notify_all_the_same(void **state)
{
    struct problem p;
    begin(IRQ_POSTED);
    assert_true(irq_set_urgent(irq, true, &p));
    exceed();
    irq_raise(irq);
    irq_take_notification();
    irq_poll();
    world.notifies = 0;
    world.now_ns += WINDOW / 2;
    irq_raise(irq);
    assert_int_equal(world.notifies, 1);
    irq_take_notification();
    assert_int_equal(cpus[0].window_ns, world.now_ns + WINDOW);
    irq_poll();
    assert_int_equal(world.handled[1], 2);
}

static void immediate_ones_run_in_the_timer(void **state)
{
    begin(IRQ_POSTED);
    irq_set_immediate(irq);
    exceed();
    device_posts();
    device_posts();
    assert_int_equal(world.handled[1], 1);
    timer_fires_at(cpus[0].window_ns);
    assert_int_equal(world.handled[1], 2);
}

// ---- adaptive: wake-ups ----

static void sleep_and_be_woken(void)
{
    world.enabled = false;
    cpus[0].sleeping = true;
    assert_true(irq_fall_asleep());
    assert_int_equal(control(), 0);
    cpus[0].stats.notifications++; // as isr.asm does
    cpus[0].pi.control |= PI_CONTROL_ON;
    irq_wake_up();
    cpus[0].sleeping = false;
    world.enabled = true;
}

static void a_wake_up_too_soon_is_the_timers(void **state)
{
    begin(IRQ_ADAPTIVE);
    exceed();
    sleep_and_be_woken();
    uint64_t now = world.now_ns;
    world.now_ns += WINDOW / 4;
    world.enabled = false;
    cpus[0].sleeping = true;
    assert_true(irq_fall_asleep());
    assert_int_equal(control(), PI_CONTROL_SN);
    assert_int_equal(world.timer_at, now + WINDOW);
    pi_post(&cpus[0].pi, irq->vector, false);
    timer_fires_at(now + WINDOW);
    assert_int_equal(cpus[0].stats.moderated, 1);
    irq_wake_up();
    cpus[0].sleeping = false;
    assert_int_equal(irq_poll(), 1);
    assert_int_equal(cpus[0].window_ns, 0);

    cpus[0].sleeping = true; // that was one, too
    assert_true(irq_fall_asleep());
    assert_int_equal(control(), PI_CONTROL_SN);
    timer_fires_at(now + 2 * WINDOW);
    assert_int_equal(cpus[0].stats.moderated, 1); // nothing came
    irq_wake_up();
    assert_true(irq_fall_asleep());
    assert_int_equal(control(), 0); // posts notify again
}

static void what_was_posted_before_keeps_the_cpu_awake(void **state)
{
    begin(IRQ_ADAPTIVE);
    exceed();
    sleep_and_be_woken();
    pi_post(&cpus[0].pi, irq->vector, false);
    world.enabled = false;
    assert_false(irq_fall_asleep());
    irq_wake_up();
    assert_int_equal(cpus[0].window_ns, 0);
    world.enabled = true;
    assert_int_equal(irq_poll(), 1);
}

static void other_sleeps_are_as_they_were(void **state)
{
    begin(IRQ_ADAPTIVE);
    for (unsigned i = 0; i < 5; i++)
        sleep_and_be_woken(); // within the budget
    exceed();
    sleep_and_be_woken();
    for (unsigned i = 0; i < 5; i++) {
        world.now_ns += WINDOW;
        sleep_and_be_woken();
    }
}

// It looks for itself, and needs no window.
static void a_busy_cpu_keeps_to_its_loop(void **state)
{
    struct problem p;
    begin(IRQ_ADAPTIVE);
    assert_true(irq_set_urgent(irq, true, &p));
    exceed();
    irq_raise(irq);
    irq_take_notification();
    assert_int_equal(control(), PI_CONTROL_SN);
    assert_int_equal(cpus[0].window_ns, 0);
}

// ---- modes that change ----

static void a_change_of_the_mode_ends_windows(void **state)
{
    begin(IRQ_POSTED);
    exceed();
    device_posts();
    irq_follow_mode(); // posted still
    assert_int_equal(control(), 0);
    assert_int_equal(cpus[0].window_ns, 0);
    device_posts();
    assert_int_equal(control(), PI_CONTROL_SN);
    assert_int_equal(irq_poll(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(below_the_budget_nothing_changes),
        cmocka_unit_test(all_cpus_are_counted),
        cmocka_unit_test(without_a_budget_nobody_looks),
        cmocka_unit_test(a_notification_begins_a_window),
        cmocka_unit_test(an_empty_window_is_the_last),
        cmocka_unit_test(within_the_budget_again_windows_end),
        cmocka_unit_test(other_timers_end_no_window),
        cmocka_unit_test(urgent_ones_notify_all_the_same),
        cmocka_unit_test(immediate_ones_run_in_the_timer),
        cmocka_unit_test(a_wake_up_too_soon_is_the_timers),
        cmocka_unit_test(what_was_posted_before_keeps_the_cpu_awake),
        cmocka_unit_test(other_sleeps_are_as_they_were),
        cmocka_unit_test(a_busy_cpu_keeps_to_its_loop),
        cmocka_unit_test(a_change_of_the_mode_ends_windows),
    };
    return cmocka_run_group_tests_name("irq rate", tests, NULL, NULL);
}
