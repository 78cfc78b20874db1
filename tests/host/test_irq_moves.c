// SPDX-License-Identifier: BSD-2-Clause
// An irq's move to another CPU: what is pending moves with it, and a failed move changes nothing.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/cpu/work.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/irq/irq_move.h"
#include "kernel/irq/posted.h"
#include "kernel/x86/vectors.h"
#include "tests/host/irq_world.h"

static struct irq_move move;
static unsigned moved_to, moved_by;
static struct irq_place place_in_moved; // where the irq was then, for all to see

static void note_moved(void *arg, unsigned cpu)
{
    moved_to = cpu;
    moved_by = world.current;
    place_in_moved = (struct irq_place){ move.irq->cpu, move.irq->vector };
}

static bool move_ended;

static void note_done(struct irq_move *m)
{
    move_ended = true;
}

static void run_messages_of(unsigned cpu)
{
    world.current = cpu;
    cpu_run_messages(&cpus[cpu]);
}

static struct irq *moving_irq(enum irq_mode mode)
{
    start(mode);
    struct irq *irq = new_irq(0, 1);
    irq_on_move(irq, note_moved);
    move = (struct irq_move){ .irq = irq, .to = 1, .done = note_done };
    move_ended = false;
    moved_to = 99;
    return irq;
}

static void move_it(void)
{
    move_ended = false;
    world.current = 1; // asked for from another CPU
    irq_set_affinity(&move);
    run_messages_of(0);
    assert_false(move_ended); // told on the CPU that asked
    run_messages_of(1);
    assert_true(move_ended);
    assert_false(move.irq->raising);
}

static void a_move_gives_another_cpu_and_vector(void **state)
{
    struct irq *irq = moving_irq(IRQ_POSTED);
    struct irq *other = new_irq(1, 2); // has the first vector there
    move_it();
    assert_true(move.ok);
    assert_int_equal(moved_to, 1);
    assert_int_equal(irq->cpu, 1);
    assert_int_equal(irq->vector, other->vector + 1);
    assert_null(cpus[0].vectors[VECTOR_DEVICE_FIRST]);
    assert_int_equal(world.notifies, 0); // nothing was pending
}

// Until the driver has handed over what the handler touches, the irq is still the old CPU's: the new
// one must not take it for its own, and move it on. But its handler may run there, and use the vector.
static void the_new_cpu_is_published_last(void **state)
{
    struct irq *irq = moving_irq(IRQ_POSTED);
    new_irq(1, 2);
    uint8_t vector = irq->vector;
    move_it();
    assert_int_equal(world.routed.cpu, 1);
    assert_int_equal(world.routed.vector, vector + 1);
    assert_int_equal(world.cpu_in_route, 0);
    assert_int_equal(place_in_moved.cpu, 0);
    assert_int_equal(place_in_moved.vector, vector + 1);
    assert_int_equal(irq->cpu, 1);
}

static void a_plain_msi_gets_another_message(void **state)
{
    struct irq *irq = moving_irq(IRQ_MSI);
    new_irq(1, 2);
    cpus[1].apic_id = 5;
    irq->chip = &irq_chip_msi;
    move_it();
    assert_true(move.ok);
    assert_int_equal(world.last_msg.address, 0xfee05000);
    assert_int_equal(world.last_msg.data, irq->vector);
}

static void what_was_posted_by_the_old_route_is_raised_anew(void **state)
{
    struct irq *irq = moving_irq(IRQ_ADAPTIVE);
    pi_post(&cpus[0].pi, irq->vector, false); // suppressed: nobody knows yet
    move_it();
    world.current = 0;
    assert_false(irq_pending());
    assert_int_equal(irq_poll(), 0); // not on the old CPU
    world.current = 1;
    assert_true(irq_poll());
    assert_int_equal(world.handled[1], 1);
    assert_int_equal(irq->counts[0], 1); // the device's
    assert_int_equal(irq->counts[1], 1); // the raised one
}

// What its handler leaves is for the CPU that it goes to.
static void what_a_moved_irq_leaves_is_done_there(void **state)
{
    struct irq *irq = moving_irq(IRQ_POSTED);
    move_it();
    world.current = 1;
    irq_again(irq);
    assert_true(irq_pending());
    assert_int_equal(irq_poll(), 1);
    world.current = 0;
    assert_false(irq_pending());
}

// Pending are its own vector's bit and no other, in whichever word, and others' are left alone.
static void a_move_takes_its_own_vector_along(void **state)
{
    static const uint8_t vectors[] = { 33, 65, 97, 129, 161, 193, 225 };
    for (unsigned i = 0; i < ARRAY_SIZE(vectors); i++) {
        struct problem p;
        start(IRQ_REMAPPED);
        keep_vectors(0, vectors[i] - 1);
        struct irq *other = new_irq(0, 2), *irq = new_irq(0, 1);
        irq_on_move(irq, note_moved);
        move.irq = irq;
        irq_take_device(irq->vector);
        irq_take_device(other->vector);
        keep_vectors(1, vectors[(i + 3) % ARRAY_SIZE(vectors)]);
        assert_true(irq_move_here(irq, 1, &p));
        assert_int_equal(irq_poll(), 1);
        assert_int_equal(world.handled[2], 1);
        run_messages_of(1);
        assert_int_equal(world.vector_sent, irq->vector);
        assert_int_equal(world.last_sent_to, cpus[1].apic_id);
    }
}

static void what_was_requested_by_the_old_route_is_raised_anew(void **state)
{
    struct irq *irq = moving_irq(IRQ_REMAPPED);
    world.requested = 5;
    move_it();
    assert_true(move.ok);
    assert_int_equal(irq->counts[0], 1);
    assert_int_equal(world.vector_sent, irq->vector); // the real vector, by IPI, to its new place
}

static void an_interrupt_that_is_never_taken_is_told(void **state)
{
    moving_irq(IRQ_REMAPPED);
    world.requested = UINT32_MAX;
    world.time_passes = true;
    move_it();
    assert_true(move.ok); // it has moved
    assert_int_equal(world.errors, 1);
}

static void a_move_that_can_not_be_changes_nothing(void **state)
{
    struct irq *irq = moving_irq(IRQ_POSTED);
    cpus[1].online = false;
    world.current = 0;
    irq_set_affinity(&move);
    run_messages_of(0);
    run_messages_of(0);
    assert_true(move_ended);
    assert_false(move.ok);
    assert_string_equal(move.problem.what, "irq-affinity");
    cpus[1].online = true;
    world.route_fails = true;
    move_it();
    assert_false(move.ok);
    assert_string_equal(move.problem.what, "route");
    assert_int_equal(irq->cpu, 0);
    assert_int_equal(irq->vector, VECTOR_DEVICE_FIRST);
    assert_null(cpus[1].vectors[VECTOR_DEVICE_FIRST]);
    world.current = 0;
    irq_take_notification(); // raised, in case that an MSI went astray
    irq_poll();
    assert_int_equal(world.handled[1], 1);
    world.route_fails = false;
    irq->moved = NULL;
    move_it();
    assert_string_equal(move.problem.what, "irq-fixed");
}

static void a_move_follows_an_irq_that_moved_meanwhile(void **state)
{
    struct irq *irq = moving_irq(IRQ_POSTED);
    struct irq_move second = { .irq = irq, .to = 0, .done = note_done };
    world.current = 0;
    irq_set_affinity(&move);
    irq_set_affinity(&second); // arrives at CPU 0, which has it no more
    run_messages_of(0);
    run_messages_of(1);
    assert_int_equal(moved_by, 1); // only the CPU that has it may
    run_messages_of(0);
    assert_true(move.ok && second.ok);
    assert_int_equal(irq->cpu, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_gives_another_cpu_and_vector),
        cmocka_unit_test(the_new_cpu_is_published_last),
        cmocka_unit_test(a_plain_msi_gets_another_message),
        cmocka_unit_test(what_was_posted_by_the_old_route_is_raised_anew),
        cmocka_unit_test(what_a_moved_irq_leaves_is_done_there),
        cmocka_unit_test(a_move_takes_its_own_vector_along),
        cmocka_unit_test(what_was_requested_by_the_old_route_is_raised_anew),
        cmocka_unit_test(an_interrupt_that_is_never_taken_is_told),
        cmocka_unit_test(a_move_that_can_not_be_changes_nothing),
        cmocka_unit_test(a_move_follows_an_irq_that_moved_meanwhile),
    };
    return cmocka_run_group_tests_name("irq moves", tests, NULL, NULL);
}
