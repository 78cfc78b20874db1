// SPDX-License-Identifier: BSD-2-Clause
// What Linux learnt the hard way about posted interrupts (docs/architecture.md has the list): each
// mistake, put back, fails here or in a test that the list names.

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "kernel/irq/irq_entry.h"
#include "kernel/irq/posted.h"
#include "kernel/x86/vectors.h"
#include "tests/host/irq_world.h"

static struct irq
    *chain[5];            // one is found by the last harvest, behind three (loops), and one by none
static unsigned notified; // posts that sent a notification

static void post_to(const struct irq *irq)
{
    notified += pi_post(&cpus[0].pi, irq->vector, false);
}

// Each handler has the device post the next vector while it runs.
static void post_next(void *arg)
{
    unsigned i = (unsigned)(uintptr_t)arg;
    world.handled[i]++;
    if (i + 1 < ARRAY_SIZE(chain))
        post_to(chain[i + 1]);
}

// ON is cleared before the last harvest: what is posted during that one notifies anew, and what was
// posted before is found by it. After it, it would be neither.
static void on_is_cleared_before_the_last_harvest(void **state)
{
    struct problem p;
    start(IRQ_POSTED);
    notified = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(chain); i++) {
        chain[i] = irq_alloc(&world.device, i, 0, post_next, (void *)(uintptr_t)i, "chain", &p);
        irq_set_immediate(chain[i]);
    }
    post_to(chain[0]);
    for (unsigned taken = 0; taken < notified; taken++) {
        world.enabled = false;
        irq_take_notification();
    }
    assert_int_equal(world.handled[ARRAY_SIZE(chain) - 1], 1);
    assert_false(pi_any(&cpus[0].pi));
    assert_int_equal(notified, 2);
}

// An idle look must not take the line from the units: it stores nothing.
static void an_empty_scan_stores_nothing(void **state)
{
    struct pi_desc *d = mmap(NULL, sizeof(*d), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(d, MAP_FAILED);
    for (unsigned w = 0; w < PI_WORDS; w++)
        assert_int_equal(pi_take(d, w), 0);
    assert_false(pi_any(d));
    munmap(d, sizeof(*d));
}

// Software's own posts go the device's way: a real vector sent by IPI would leave ISR's bit to an
// EOI that a posted irq's handler doesn't send.
static void software_raises_through_the_pir(void **state)
{
    start(IRQ_POSTED);
    struct irq *irq = new_irq(0, 1);
    irq_raise(irq);
    assert_int_equal(world.vector_sent, VECTOR_NOTIFY);
    assert_int_equal(cpus[0].pi.pir[irq->vector / 64], BIT64(irq->vector % 64));
    world.vector_sent = 0;
    irq_raise(irq); // ON stands
    assert_int_equal(world.vector_sent, 0);
    irq_take_notification();
    irq_poll();
    assert_int_equal(world.handled[1], 1);
}

// Every vector ends its interrupt, also one that is posted otherwise, and one that nobody knows.
static void every_vector_sends_its_eoi(void **state)
{
    start(IRQ_POSTED);
    struct irq *irq = new_irq(0, 1);
    irq_take_device(irq->vector);
    assert_int_equal(world.eois, 1);
    irq_poll();
    assert_int_equal(world.handled[1], 1);
    irq_take_device(VECTOR_DEVICE_LAST);
    assert_int_equal(world.eois, 2);
    irq_take_notification();
    irq_take_timer();
    irq_take_ipi();
    irq_take_fault();
    irq_take_error();
    assert_int_equal(world.eois, 7);
    irq_take_spurious(); // has none (SDM vol. 3, 11.9)
    assert_int_equal(world.eois, 7);
}

// Timers and IPIs get in while handlers of a harvest run: interrupts are on, and the notification,
// which is not ended yet, holds back its own kind.
static unsigned eois_in_handler;
static bool enabled_in_handler;

static void look(void *arg)
{
    eois_in_handler = world.eois;
    enabled_in_handler = world.enabled;
}

static void harvests_let_timers_in(void **state)
{
    struct problem p;
    start(IRQ_POSTED);
    struct irq *irq = irq_alloc(&world.device, 0, 0, look, NULL, "look", &p);
    irq_set_immediate(irq);
    pi_post(&cpus[0].pi, irq->vector, false);
    world.enabled = false;
    irq_take_notification();
    assert_true(enabled_in_handler);
    assert_int_equal(eois_in_handler, 0);
    assert_int_equal(world.eois, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_is_cleared_before_the_last_harvest),
        cmocka_unit_test(an_empty_scan_stores_nothing),
        cmocka_unit_test(software_raises_through_the_pir),
        cmocka_unit_test(every_vector_sends_its_eoi),
        cmocka_unit_test(harvests_let_timers_in),
    };
    return cmocka_run_group_tests_name("irq, lessons", tests, NULL, NULL);
}
