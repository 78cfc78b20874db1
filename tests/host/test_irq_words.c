// SPDX-License-Identifier: BSD-2-Clause
// A CPU with more irqs than one word of its PIR has bits: the loop takes all words at once, but for
// what is urgent, whose notification must find it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/irq/irq_entry.h"
#include "kernel/irq/posted.h"
#include "tests/host/irq_world.h"

#define IRQS 150

static struct irq *irqs[IRQS];
static unsigned order[IRQS + 1], ran;
static void (*on_first)(void);

static void note(void *arg)
{
    order[ran++] = (unsigned)(uintptr_t)arg;
    if (ran == 1 && on_first)
        on_first();
}

static void begin(void)
{
    struct problem p;
    start(IRQ_ADAPTIVE);
    for (unsigned i = 0; i < IRQS; i++) {
        irqs[i] = irq_alloc(&world.device, i, 0, note, (void *)(uintptr_t)i, "test", &p);
        assert_non_null(irqs[i]);
    }
    ran = 0;
    on_first = NULL;
}

static void all_words_are_run(void **state)
{
    begin();
    for (unsigned i = 0; i < IRQS; i += 7)
        post(0, irqs[i]->vector);
    assert_int_equal(irq_poll(), (IRQS + 6) / 7);
    for (unsigned i = 0; i < ran; i++)
        assert_int_equal(order[i], i * 7);
    assert_false(irq_pending());
    assert_int_equal(irq_poll(), 0);
}

static void post_the_last(void)
{
    post(0, irqs[IRQS - 1]->vector);
}

static void what_comes_meanwhile_waits_for_the_next_round(void **state)
{
    begin();
    on_first = post_the_last;
    post(0, irqs[0]->vector);
    post(0, irqs[1]->vector);
    irq_poll();
    irq_poll();
    assert_int_equal(ran, 3);
    assert_int_equal(order[2], IRQS - 1);
}

// Posted before the round, so that the unit has sent the notification, which is taken during the
// first handler.
static void an_urgent_one_in_a_later_word_goes_ahead(void **state)
{
    struct problem p;
    begin();
    assert_true(irq_set_urgent(irqs[IRQS - 1], true, &p));
    post(0, irqs[0]->vector);
    post(0, irqs[1]->vector);
    assert_true(pi_post(&cpus[0].pi, irqs[IRQS - 1]->vector, true));
    on_first = irq_take_notification;
    irq_poll();
    assert_int_equal(ran, 3);
    assert_int_equal(order[0], 0);
    assert_int_equal(order[1], IRQS - 1);
    assert_int_equal(order[2], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_words_are_run),
        cmocka_unit_test(what_comes_meanwhile_waits_for_the_next_round),
        cmocka_unit_test(an_urgent_one_in_a_later_word_goes_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
