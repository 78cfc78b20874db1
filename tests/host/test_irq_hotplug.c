// SPDX-License-Identifier: BSD-2-Clause
// A CPU leaves and comes back: its irqs and timers go and return, and so do they where it can't leave.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/cpu/timer.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/irq/irq_move.h"
#include "kernel/run/hotplug.h"
#include "tests/host/irq_hotplug.h"

static void begin(void)
{
    hotplug_begin(2, IRQ_POSTED);
}

static void irqs_leave_and_return(void **state)
{
    begin();
    struct irq *first = hotplug_irq(1, 1), *second = hotplug_irq(1, 2), *other = hotplug_irq(0, 3);
    hotplug_leave();
    assert_true(hotplug.change.ok);
    assert_false(cpus[1].online);
    assert_int_equal(first->cpu, 0);
    assert_int_equal(second->cpu, 0);
    hotplug_come_back();
    assert_true(hotplug.change.ok);
    assert_true(cpus[1].online);
    assert_int_equal(first->cpu, 1);
    assert_int_equal(second->cpu, 1);
    assert_int_equal(other->cpu, 0);
}

// A notification that was on its way is gone with INIT, so ON doesn't stand for it.
static void a_cpu_comes_back_without_on(void **state)
{
    static const enum irq_mode modes[] = { IRQ_POSTED, IRQ_ADAPTIVE };
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        hotplug_begin(2, modes[i]);
        hotplug_leave();
        cpus[1].pi.control ^= PI_CONTROL_ON | PI_CONTROL_SN;
        hotplug_come_back();
        assert_int_equal(cpus[1].pi.control & (PI_CONTROL_ON | PI_CONTROL_SN),
                         modes[i] == IRQ_ADAPTIVE ? PI_CONTROL_SN : 0);
        assert_int_equal(field_get(PI_CONTROL_NDST, cpus[1].pi.control), cpus[1].apic_id);
    }
}

static void cpu_1_leaves(void)
{
    world.on_route = NULL;
    cpu_offline(&hotplug.change);
    hotplug_turn(1);
    world.current = 0;
}

// A move had found its target in use, and arrives when that has moved all away.
static void what_arrives_late_is_moved_away_too(void **state)
{
    struct problem p;
    begin();
    struct irq *irq = hotplug_irq(0, 1);
    world.on_route = cpu_1_leaves;
    assert_true(irq_move_here(irq, 1, &p));
    assert_int_equal(irq->cpu, 1);
    assert_false(cpus[1].online);
    hotplug_turns();
    assert_true(hotplug.ended);
    assert_true(hotplug.change.ok);
    assert_int_equal(irq->cpu, 0);
}

// What can't be moved stays, so the CPU does; what had gone already comes home.
static void a_cpu_that_cannot_leave_has_all_it_had(void **state)
{
    begin();
    struct irq *movable = hotplug_irq(1, 1), *fixed = new_irq(1, 2);
    hotplug_leave();
    assert_false(hotplug.change.ok);
    assert_string_equal(hotplug.change.problem.what, "irq-fixed");
    assert_true(cpus[1].online);
    assert_int_equal(movable->cpu, 1);
    assert_int_equal(fixed->cpu, 1);
    assert_int_equal(world.errors, 0);
}

static struct cpu_timer timer_of_1(void (*fn)(struct cpu_timer *), uint64_t due_ns)
{
    return (struct cpu_timer){ .fn = fn, .due_ns = due_ns };
}

// While the CPU is away its timers fire on the boot CPU, also those that start themselves again;
// then they are its own again.
static void timers_leave_and_return(void **state)
{
    begin();
    struct cpu_timer soon = timer_of_1(fire, 50), late = timer_of_1(fire, 1000);
    struct cpu_timer often = timer_of_1(fire_again, 100), boots = timer_of_1(fire, 2000);
    start_on_cpu(1, &soon);
    start_on_cpu(1, &late);
    start_on_cpu(1, &often);
    cpu_timer_start(&boots, 2000);
    hotplug_leave();
    assert_null(cpus[1].timers);
    world.now_ns = 150;
    hotplug_turn(0);
    assert_int_equal(hotplug.fired[0], 2);
    hotplug_come_back();
    assert_ptr_equal(cpus[0].timers, &boots);
    assert_null(boots.next);
    assert_int_equal(often.cpu, 1);
    assert_int_equal(hotplug.timer_at_start, 200);
    world.now_ns = 1000;
    hotplug_turn(1);
    assert_int_equal(hotplug.fired[1], 1 + 9); // at 200, 300 ... 1000
    world.current = 1;
    cpu_timer_stop(&often);
    world.current = 0;
    assert_null(cpus[1].timers);
    cpu_timer_start(&late, 3000); // it has fired at home, and is another CPU's now
    assert_int_equal(late.cpu, 0);
    cpu_timer_stop(&late);
    cpu_timer_stop(&boots);
}

// Taken over for good: a guest that the boot CPU stopped and started is its own.
static void a_guest_that_was_stopped_stays(void **state)
{
    begin();
    struct cpu_timer timer = timer_of_1(fire, 500);
    start_on_cpu(1, &timer);
    hotplug_leave();
    cpu_timer_stop(&timer);
    cpu_timer_start(&timer, 600);
    hotplug_come_back();
    assert_ptr_equal(cpus[0].timers, &timer);
    assert_null(cpus[1].timers);
    cpu_timer_stop(&timer);
}

static void a_cpu_that_does_not_start_is_told(void **state)
{
    begin();
    struct irq *irq = hotplug_irq(1, 1);
    struct cpu_timer timer = timer_of_1(fire, 500);
    start_on_cpu(1, &timer);
    hotplug_leave();
    hotplug.start_fails = true;
    hotplug_come_back();
    assert_ptr_equal(cpus[0].timers, &timer);
    assert_null(cpus[1].timers);
    cpu_timer_stop(&timer);
    assert_false(hotplug.change.ok);
    assert_string_equal(hotplug.change.problem.what, "cpu-not-started");
    assert_int_equal(irq->cpu, 0);
}

static void the_boot_cpu_stays(void **state)
{
    begin();
    hotplug.change.cpu = 0;
    hotplug_leave();
    assert_false(hotplug.change.ok);
    assert_string_equal(hotplug.change.problem.what, "cpu-change");
    assert_true(cpus[0].online);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(irqs_leave_and_return),
        cmocka_unit_test(a_cpu_comes_back_without_on),
        cmocka_unit_test(what_arrives_late_is_moved_away_too),
        cmocka_unit_test(a_cpu_that_cannot_leave_has_all_it_had),
        cmocka_unit_test(timers_leave_and_return),
        cmocka_unit_test(a_guest_that_was_stopped_stays),
        cmocka_unit_test(a_cpu_that_does_not_start_is_told),
        cmocka_unit_test(the_boot_cpu_stays),
    };
    return cmocka_run_group_tests_name("hotplug", tests, NULL, NULL);
}
