// SPDX-License-Identifier: BSD-2-Clause
// In mode IRQ_POSTED, notifications that come while handlers run wait for their end: there is one at most, and
// nothing is left behind.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/irq/irq_entry.h"
#include "kernel/irq/irq_rate.h"
#include "kernel/irq/posted.h"
#include "tests/host/irq_world.h"

#define IRQS 6

static struct irq *irqs[IRQS];
static unsigned order[32], ran;
static void (*during)(unsigned n);

static void note(void *arg)
{
    unsigned n = (unsigned)(uintptr_t)arg;
    order[ran++] = n;
    if (during)
        during(n);
}

static void begin(void (*what)(unsigned n))
{
    struct problem p;
    start(IRQ_POSTED);
    for (unsigned i = 0; i < IRQS; i++) {
        irqs[i] = irq_alloc(&world.device, i, 0, note, (void *)(uintptr_t)i, "test", &p);
        assert_non_null(irqs[i]);
    }
    ran = 0;
    during = what;
}

static void post_irq(unsigned n)
{
    post(0, irqs[n]->vector);
}

static void check_order(const char *expected)
{
    for (unsigned i = 0; i < ran; i++)
        assert_int_equal(order[i], expected[i] - '0');
    assert_int_equal(expected[ran], 0);
}

static bool is_on(void)
{
    return cpus[0].pi.control & PI_CONTROL_ON;
}

static void post_three(unsigned n)
{
    if (n)
        return;
    for (unsigned i = 1; i < 4; i++)
        post_irq(i);
    assert_true(is_on());
    assert_int_equal(cpus[0].stats.notifications, 2);
    assert_int_equal(cpus[0].stats.msis, 1);
}

static void one_notification_for_all_that_comes(void **state)
{
    begin(post_three);
    post_irq(0);
    assert_false(is_on());
    assert_int_equal(irq_poll(), 1);
    assert_false(is_on());
    assert_true(irq_pending());
    assert_int_equal(irq_poll(), 3);
    check_order("0123");
    assert_int_equal(cpus[0].stats.notifications, 2);
    assert_int_equal(cpus[0].stats.msis, 4);
    assert_false(irq_pending());
}

// Nothing came: nothing is cleared or harvested.
static void nothing_is_stored_for_nothing(void **state)
{
    begin(NULL);
    post_irq(0);
    cpus[0].pi.control |= PI_CONTROL_ON; // its notification is still on its way
    assert_int_equal(irq_poll(), 1);
    assert_true(is_on());
    irq_take_notification();
    assert_false(is_on());
}

// The bound of posted.loops holds there as well, and ON is clear before the last look.
static void post_on_clear(unsigned n)
{
    if (n < IRQS - 1)
        post_irq(n + 1);
}

static void a_chain_goes_on_round_by_round(void **state)
{
    begin(post_on_clear);
    post_irq(0);
    for (unsigned i = 0; i < IRQS; i++)
        assert_int_equal(irq_poll(), 1);
    check_order("012345");
    assert_int_equal(cpus[0].stats.notifications, IRQS);
    assert_false(is_on());
}

// A handler that has a loop of its own.
static void loop_within(unsigned n)
{
    if (n)
        return;
    post_irq(1);
    assert_int_equal(ran, 1);
    irq_begin_inner_loop();
    assert_false(is_on());
    assert_int_equal(irq_poll(), 1);
    post_irq(2);
    assert_int_equal(cpus[0].stats.msis, 3); // notifications are what they were
}

static void an_inner_loop_is_notified(void **state)
{
    begin(loop_within);
    post_irq(0);
    irq_poll();
    irq_poll();
    check_order("012");
    assert_false(is_on());
    assert_false(cpus[0].only_wakes);
}

static void post_and_look(unsigned n)
{
    if (n)
        return;
    post_irq(1);
    assert_int_equal(cpus[0].stats.msis, 2); // harvested at once
}

static void urgent_ones_dont_wait(void **state)
{
    struct problem p;
    begin(post_and_look);
    assert_true(irq_set_urgent(irqs[5], true, &p));
    post_irq(0);
    irq_poll();
    irq_poll();
    check_order("01");
}

static void a_stray_post_is_told_of(void **state)
{
    begin(NULL);
    post(0, 200);
    assert_int_equal(cpus[0].stats.spurious, 1);
    assert_false(pi_any(&cpus[0].pi));
}

static void post_in_window(unsigned n)
{
    if (n)
        return;
    post_irq(1);
    assert_true(cpus[0].pi.control & PI_CONTROL_SN);
}

static void a_budget_goes_its_own_way(void **state)
{
    begin(post_in_window);
    irq_rate_window = 1000;
    post_irq(0);
    irq_poll();
    assert_false(cpus[0].only_wakes);
    irq_rate_window = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_notification_for_all_that_comes),
        cmocka_unit_test(nothing_is_stored_for_nothing),
        cmocka_unit_test(a_chain_goes_on_round_by_round),
        cmocka_unit_test(an_inner_loop_is_notified),
        cmocka_unit_test(urgent_ones_dont_wait),
        cmocka_unit_test(a_stray_post_is_told_of),
        cmocka_unit_test(a_budget_goes_its_own_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
