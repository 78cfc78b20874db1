// SPDX-License-Identifier: BSD-2-Clause
// Irqs that move on before what was pending has been raised, to and fro between three CPUs; and moves
// at their limits.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/cpu/msg.h"
#include "kernel/cpu/work.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/irq/irq_move.h"
#include "kernel/irq/posted.h"
#include "kernel/x86/vectors.h"
#include "tests/host/irq_world.h"

static unsigned moved;

static void note_moved(void *arg, unsigned cpu)
{
    moved++;
}

static struct irq *begin(unsigned count, enum irq_mode mode)
{
    start_on(count, (struct irq_config){ .mode = mode });
    for (unsigned cpu = 0; cpu < count; cpu++)
        keep_vectors(cpu, (uint8_t)(40 + 70 * cpu)); // in different words
    struct irq *irq = new_irq(0, 1);
    irq_on_move(irq, note_moved);
    moved = 0;
    return irq;
}

// By the CPU that has it.
static void move_on(struct irq *irq, unsigned to)
{
    struct problem p;
    world.current = irq->cpu;
    assert_true(irq_move_here(irq, to, &p));
    assert_int_equal(irq->cpu, to);
}

static void run_messages_of(unsigned cpu)
{
    world.current = cpu;
    cpu_run_messages(&cpus[cpu]);
}

static bool anything_raised(void)
{
    bool any = false;
    for (unsigned cpu = 0; cpu < world.count; cpu++)
        any |= pi_any(&cpus[cpu].pi);
    return any;
}

// ---- what is pending follows ----

// Only the CPU that has the irq may raise it: any other's look at its place may be out of date.
static void only_its_own_cpu_raises_it(void **state)
{
    struct irq *irq = begin(3, IRQ_POSTED);
    pi_post(&cpus[0].pi, irq->vector, false);
    move_on(irq, 1);
    assert_false(anything_raised()); // it is for CPU 1 to do
    move_on(irq, 2);
    run_messages_of(1); // has it no more
    assert_false(anything_raised());
    assert_null(cpus[0].inbox); // straight to where it is, not home
    assert_non_null(cpus[2].inbox);
    run_messages_of(2);
    assert_true(pi_any(&cpus[2].pi));
    irq_take_notification();
    assert_int_equal(irq_poll(), 1);
    assert_int_equal(world.handled[1], 1);
}

static struct cpu_msg other;
static bool other_ran;

static void run_other(struct cpu_msg *msg)
{
    other_ran = true;
}

// Something came again before that was raised: one message, and so one place in one inbox.
static void one_message_serves_all_that_is_pending(void **state)
{
    struct irq *irq = begin(3, IRQ_POSTED);
    other.fn = run_other;
    other_ran = false;
    cpu_post(1, &other);
    pi_post(&cpus[0].pi, irq->vector, false);
    move_on(irq, 1);
    pi_post(&cpus[1].pi, irq->vector, false);
    move_on(irq, 2);
    assert_true(irq->raising);
    assert_null(cpus[2].inbox);
    run_messages_of(1);
    assert_true(other_ran);
    run_messages_of(2);
    assert_true(pi_any(&cpus[2].pi));
    assert_false(irq->raising);
    run_messages_of(1);
    run_messages_of(0);
    assert_int_equal(world.notifies, 1);
}

// And the next time it is raised again.
static void each_time_it_is_raised(void **state)
{
    struct irq *irq = begin(3, IRQ_POSTED);
    for (unsigned i = 0; i < 4; i++) {
        pi_post(&cpus[irq->cpu].pi, irq->vector, false);
        move_on(irq, (irq->cpu + 1) % 3);
        run_messages_of(irq->cpu);
        assert_true(pi_any(&cpus[irq->cpu].pi));
        irq_take_notification();
        assert_int_equal(irq_poll(), 1);
        assert_false(anything_raised());
    }
    assert_int_equal(world.handled[1], 4);
}

// ---- the old place ----

static void what_is_requested_is_waited_for_by_its_old_vector(void **state)
{
    struct irq *irq = begin(2, IRQ_REMAPPED);
    world.requested = 5;
    move_on(irq, 1);
    assert_int_equal(irq->counts[0], 1);
    assert_int_equal(cpus[0].stats.spurious, 0);
    run_messages_of(1);
    assert_int_equal(world.vector_sent, irq->vector);
    assert_int_equal(world.last_sent_to, cpus[1].apic_id);
}

static void its_vector_is_free_again(void **state)
{
    struct irq *irq = begin(3, IRQ_POSTED);
    uint8_t first = irq->vector;
    for (unsigned i = 0; i < 6; i++)
        move_on(irq, (irq->cpu + 1) % 3);
    assert_int_equal(irq->vector, first); // as at the beginning
    for (unsigned cpu = 0; cpu < 3; cpu++) {
        give_vectors_back(cpu);
        assert_int_equal(irq_vectors_left(cpu),
                         VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1 - (cpu == 0));
    }
}

// ---- limits ----

static void a_move_to_where_it_is_does_nothing(void **state)
{
    struct irq *irq = begin(2, IRQ_POSTED);
    uint8_t vector = irq->vector;
    world.routed.cpu = 99;
    pi_post(&cpus[0].pi, vector, false);
    move_on(irq, 0);
    assert_int_equal(irq->vector, vector);
    assert_int_equal(world.routed.cpu, 99);
    assert_int_equal(moved, 0);
    assert_true(pi_any(&cpus[0].pi));
}

static void no_irq_moves_to_what_is_no_cpu(void **state)
{
    struct problem p;
    struct irq *irq = begin(2, IRQ_POSTED);
    cpus[2].online = true; // whatever lies behind the last one
    assert_false(irq_move_here(irq, 2, &p));
    assert_string_equal(p.what, "irq-affinity");
    cpus[1].online = false;
    assert_false(irq_move_here(irq, 1, &p));
    assert_string_equal(p.what, "irq-affinity");
    assert_int_equal(irq->cpu, 0);
    assert_int_equal(moved, 0);
}

// A message of a remapped irq names its entry, which stays.
static void only_plain_messages_are_rewritten(void **state)
{
    struct irq *irq = begin(2, IRQ_REMAPPED);
    world.last_msg = (struct msi_msg){ 0 };
    move_on(irq, 1);
    assert_int_equal(world.last_msg.address, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_its_own_cpu_raises_it),
        cmocka_unit_test(one_message_serves_all_that_is_pending),
        cmocka_unit_test(each_time_it_is_raised),
        cmocka_unit_test(what_is_requested_is_waited_for_by_its_old_vector),
        cmocka_unit_test(its_vector_is_free_again),
        cmocka_unit_test(a_move_to_where_it_is_does_nothing),
        cmocka_unit_test(no_irq_moves_to_what_is_no_cpu),
        cmocka_unit_test(only_plain_messages_are_rewritten),
    };
    return cmocka_run_group_tests_name("irq moves on", tests, NULL, NULL);
}
