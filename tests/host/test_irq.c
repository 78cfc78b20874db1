// SPDX-License-Identifier: BSD-2-Clause
// The IRQ core on a modelled CPU: allocation, delivery, immediate handlers, changes at run time.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/irq/irq_entry.h"
#include "kernel/irq/irq_move.h"
#include "kernel/irq/posted.h"
#include "kernel/x86/vectors.h"
#include "tests/host/irq_world.h"

// ---- allocation and delivery ----

static void a_device_vector_runs_its_handler_from_the_loop(void **state)
{
    start(IRQ_REMAPPED);
    struct irq *irq = new_irq(0, 5);
    irq_take_device(irq->vector);
    assert_int_equal(world.handled[5], 0); // not in interrupt context
    assert_int_equal(world.eois, 1);
    assert_true(irq_pending());
    assert_int_equal(irq_poll(), 1);
    assert_int_equal(world.handled[5], 1);
    assert_false(irq_pending());
    assert_int_equal(irq_poll(), 0);
    assert_int_equal(irq->counts[0], 1);
    assert_int_equal(cpus[0].stats.msis, 1);
}

static void one_notification_carries_many_vectors(void **state)
{
    start(IRQ_POSTED);
    struct irq *first = new_irq(0, 1), *second = new_irq(0, 2);
    pi_post(&cpus[0].pi, first->vector, false);
    post(0, second->vector); // ON stands: no second notification
    assert_int_equal(cpus[0].stats.notifications, 0);
    irq_take_notification();
    assert_int_equal(world.eois, 1);
    assert_int_equal(irq_poll(), 2);
    assert_int_equal(world.handled[1] + world.handled[2], 2);
    assert_int_equal(cpus[0].stats.msis, 2);
    post(0, first->vector); // ON was cleared: this one notifies again
    assert_int_equal(cpus[0].stats.notifications, 2);
    assert_int_equal(irq_poll(), 1);
}

static void poll_mode_needs_no_notification(void **state)
{
    start(IRQ_POLL);
    struct irq *irq = new_irq(0, 1);
    post(0, irq->vector);
    assert_true(irq_poll());
    assert_int_equal(irq_poll(), 0);
    assert_int_equal(world.handled[1], 1);
    assert_int_equal(cpus[0].stats.notifications, 0);
    assert_int_equal(cpus[0].stats.msis, 1);
}

static void a_vector_without_irq_is_counted(void **state)
{
    start(IRQ_POSTED);
    post(0, 0x77);
    assert_int_equal(cpus[0].stats.spurious, 1);
    assert_int_equal(cpus[0].stats.msis, 0);
    assert_int_equal(irq_poll(), 0);
    irq_take_device(0x78);
    assert_int_equal(cpus[0].stats.spurious, 2);
}

static void vectors_are_per_cpu_and_run_out_by_name(void **state)
{
    struct problem p;
    start(IRQ_POSTED);
    for (unsigned i = VECTOR_DEVICE_FIRST; i <= VECTOR_DEVICE_LAST; i++) {
        assert_int_equal(irq_vectors_left(0), VECTOR_DEVICE_LAST - i + 1);
        assert_int_equal(new_irq(0, 1)->vector, i);
    }
    assert_int_equal(irq_vectors_left(0), 0);
    assert_int_equal(irq_vectors_left(1), VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1);
    assert_null(irq_alloc(&world.device, 0, 0, handler, NULL, "late", &p));
    assert_string_equal(p.what, "irq-no-vector");
    assert_non_null(strstr(p.message, "late"));
    assert_int_equal(new_irq(1, 1)->vector, VECTOR_DEVICE_FIRST);
}

static void freeing_gives_the_vector_back(void **state)
{
    start(IRQ_POSTED);
    struct irq *a = new_irq(0, 1), *b = new_irq(0, 2), *c = new_irq(0, 3);
    unsigned left = irq_vectors_left(0);
    irq_free(b);
    assert_int_equal(irq_vectors_left(0), left + 1);
    assert_int_equal(world.chip_frees, 1);
    assert_int_equal(world.mask_writes & 1, 1); // masked first
    assert_ptr_equal(irq_first(), a);
    assert_ptr_equal(a->next, c);
    irq_free(c);
    struct irq *d = new_irq(0, 4);
    assert_int_equal(d->vector, VECTOR_DEVICE_FIRST + 1);
    assert_ptr_equal(a->next, d);
}

static void take_what_is_routed(void)
{
    if (world.routed.vector)
        irq_take_device(world.routed.vector);
}

// The table comes before the route: an MSI may come before the chip has returned.
static void an_msi_that_comes_at_once_finds_its_irq(void **state)
{
    start(IRQ_REMAPPED);
    world.on_route = take_what_is_routed;
    struct irq *irq = new_irq(0, 1);
    assert_int_equal(cpus[0].stats.spurious, 0);
    assert_int_equal(irq->counts[0], 1);
    assert_int_equal(irq_poll(), 1);
    assert_int_equal(world.handled[1], 1);
}

static void a_failed_route_leaves_nothing_behind(void **state)
{
    struct problem p;
    start(IRQ_POSTED);
    world.route_fails = true;
    assert_null(irq_alloc(&world.device, 0, 0, handler, NULL, "x", &p));
    assert_string_equal(p.what, "route");
    assert_int_equal(world.chip_frees, 1);
    assert_null(irq_first());
    assert_null(cpus[0].vectors[VECTOR_DEVICE_FIRST]);
}

static void the_message_comes_from_the_chip(void **state)
{
    start(IRQ_REMAPPED);
    struct irq *irq = new_irq(1, 1);
    assert_int_equal(world.last_msg.address, 0xfee00007);
    assert_int_equal(world.last_msg.data, irq->vector);
    irq_enable(irq);
    assert_int_equal(world.mask_writes & 1, 0);
}

static void plain_msi_names_cpu_and_vector(void **state)
{
    struct problem p;
    struct msi_msg msg;
    start(IRQ_MSI);
    cpus[0].apic_id = 5;
    struct irq irq = { .name = "x" };
    struct irq_place place = { .cpu = 0, .vector = 0x41 };
    assert_true(irq_chip_msi.route(&irq, place, &p));
    irq_chip_msi.compose(&irq, place, &msg);
    assert_int_equal(msg.address, 0xfee05000);
    assert_int_equal(msg.data, 0x41);
    place.cpu = 1; // id 300
    assert_false(irq_chip_msi.route(&irq, place, &p));
    assert_string_equal(p.what, "msi-apic-id");
}

// ---- immediate handlers, and changes at run time ----

static bool seen_enabled;

static void look(void *arg)
{
    seen_enabled = world.enabled;
    world.handled[(uintptr_t)arg]++;
}

static void immediate_handlers_run_in_the_harvest_and_can_be_preempted(void **state)
{
    struct problem p;
    start(IRQ_POSTED);
    struct irq *irq = irq_alloc(&world.device, 0, 0, look, (void *)9, "x", &p);
    irq_set_immediate(irq);
    pi_post(&cpus[0].pi, irq->vector, false);
    world.enabled = false; // as the interrupt gate leaves it
    irq_take_notification();
    assert_int_equal(world.handled[9], 1);
    assert_true(seen_enabled);
    assert_false(world.enabled);
    assert_int_equal(irq_poll(), 0);
    irq_take_device(irq->vector); // a real vector: not in between
    assert_int_equal(world.handled[9], 2);
    assert_false(seen_enabled);
}

static void immediate_handlers_left_behind_run_with_interrupts_off(void **state)
{
    struct problem p;
    start(IRQ_POSTED);
    struct irq *irq = irq_alloc(&world.device, 0, 0, look, (void *)9, "x", &p);
    irq_set_immediate(irq);
    pi_post(&cpus[0].pi, irq->vector, false);
    irq_drain_ready(0xee); // another irq's move harvests
    assert_int_equal(world.handled[9], 0);
    assert_true(irq_pending());
    seen_enabled = true;
    assert_true(irq_poll());
    assert_int_equal(world.handled[9], 1);
    assert_false(seen_enabled);
    assert_int_equal(irq_poll(), 0);
}

static void the_loop_runs_immediate_handlers_with_interrupts_off(void **state)
{
    struct problem p;
    start(IRQ_ADAPTIVE);
    struct irq *irq = irq_alloc(&world.device, 0, 0, look, (void *)9, "x", &p);
    irq_set_immediate(irq);
    pi_post(&cpus[0].pi, irq->vector, false);
    seen_enabled = true;
    assert_true(irq_poll());
    assert_int_equal(world.handled[9], 1);
    assert_false(seen_enabled);
    assert_true(world.enabled);
    assert_int_equal(irq->counts[0], 1);
}

static void delivery_changes_keep_what_is_pending(void **state)
{
    struct problem p;
    start(IRQ_POSTED);
    struct irq *irq = new_irq(0, 1);
    pi_post(&cpus[0].pi, irq->vector, false);
    assert_true(irq_set_posted(irq, false, &p));
    assert_ptr_equal(irq->chip, &chip);
    irq_take_device(irq->vector); // by the new route
    irq_take_notification();      // by the old one
    irq_poll();
    assert_int_equal(world.handled[1], 1);
    assert_int_equal(irq->counts[0], 2);
    start(IRQ_REMAPPED);
    irq = new_irq(0, 1);
    assert_false(irq_set_posted(irq, true, &p));
    assert_string_equal(p.what, "irq-delivery");
}

static void a_change_that_fails_is_no_change(void **state)
{
    struct problem p;
    start(IRQ_POSTED);
    struct irq *irq = new_irq(0, 1);
    const struct irq_chip *was = irq->chip;
    world.route_fails = true;
    assert_false(irq_set_posted(irq, false, &p));
    assert_ptr_equal(irq->chip, was);
    assert_false(irq_set_urgent(irq, true, &p));
    assert_false(irq->urgent);
    assert_string_equal(p.what, "route");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_vector_runs_its_handler_from_the_loop),
        cmocka_unit_test(one_notification_carries_many_vectors),
        cmocka_unit_test(poll_mode_needs_no_notification),
        cmocka_unit_test(a_vector_without_irq_is_counted),
        cmocka_unit_test(vectors_are_per_cpu_and_run_out_by_name),
        cmocka_unit_test(freeing_gives_the_vector_back),
        cmocka_unit_test(an_msi_that_comes_at_once_finds_its_irq),
        cmocka_unit_test(a_failed_route_leaves_nothing_behind),
        cmocka_unit_test(the_message_comes_from_the_chip),
        cmocka_unit_test(plain_msi_names_cpu_and_vector),
        cmocka_unit_test(immediate_handlers_left_behind_run_with_interrupts_off),
        cmocka_unit_test(immediate_handlers_run_in_the_harvest_and_can_be_preempted),
        cmocka_unit_test(the_loop_runs_immediate_handlers_with_interrupts_off),
        cmocka_unit_test(delivery_changes_keep_what_is_pending),
        cmocka_unit_test(a_change_that_fails_is_no_change),
    };
    return cmocka_run_group_tests_name("irq", tests, NULL, NULL);
}
