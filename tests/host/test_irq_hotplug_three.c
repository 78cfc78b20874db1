// SPDX-License-Identifier: BSD-2-Clause
// CPUs leave and come back where there are more of them, some of which are away: who gets what, whom
// the last round asks, and what arrives late.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/cpu/msg.h"
#include "kernel/cpu/work.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/irq/irq_move.h"
#include "kernel/run/hotplug.h"
#include "kernel/x86/vectors.h"
#include "tests/host/irq_hotplug.h"

static struct cpu_change *change = &hotplug.change;

static void begin(unsigned count)
{
    hotplug_begin(count, IRQ_POSTED);
}

static void takes_away(unsigned cpu)
{
    change->cpu = cpu;
    hotplug_leave();
    assert_true(change->ok);
    assert_true(hotplug.halted[cpu]);
    assert_true(hotplug.timer_stopped[cpu]);
    assert_false(cpus[cpu].online);
}

static void brings_back(unsigned cpu)
{
    change->cpu = cpu;
    hotplug_come_back();
    assert_true(change->ok);
    assert_true(cpus[cpu].online);
}

// ---- irqs ----

static void irqs_spread_over_the_cpus_in_use(void **state)
{
    begin(4);
    struct irq *irqs[4];
    for (unsigned i = 0; i < 4; i++)
        irqs[i] = hotplug_irq(1, i);
    takes_away(2);
    takes_away(1);
    unsigned on[4] = { 0 };
    for (unsigned i = 0; i < 4; i++)
        on[irqs[i]->cpu]++;
    assert_int_equal(on[0], 2);
    assert_int_equal(on[3], 2);
    brings_back(1);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(irqs[i]->cpu, 1);
}

// Wherever they were allocated: those that are there leave, and no others.
static void guests_leave_as_well(void **state)
{
    struct problem p;
    begin(3);
    struct irq *guest = hotplug_irq(2, 1), *emigrant = hotplug_irq(1, 2), *own = hotplug_irq(1, 3);
    world.current = 2;
    assert_true(irq_move_here(guest, 1, &p));
    world.current = 1;
    assert_true(irq_move_here(emigrant, 2, &p));
    world.current = 0;
    takes_away(1);
    assert_int_not_equal(guest->cpu, 1);
    assert_int_not_equal(own->cpu, 1);
    assert_int_equal(emigrant->cpu, 2);
    takes_away(2);
    assert_int_equal(guest->cpu + own->cpu + emigrant->cpu, 0);
    brings_back(2);
    assert_int_equal(guest->cpu, 2); // its home, and nobody else's
    assert_int_equal(own->cpu, 0);
    brings_back(1);
    assert_int_equal(own->cpu, 1);
    assert_int_equal(emigrant->cpu, 1);
    assert_int_equal(guest->cpu, 2);
}

// Only the last CPU in turn has a vector left.
static void each_cpu_is_tried(void **state)
{
    for (unsigned room = 0; room < 4; room++) {
        if (room == 1)
            continue;
        begin(4);
        struct irq *irq = hotplug_irq(1, 1);
        for (unsigned cpu = 0; cpu < 4; cpu++)
            if (cpu != room && cpu != 1)
                keep_vectors(cpu, VECTOR_DEVICE_LAST + 1);
        takes_away(1);
        assert_int_equal(irq->cpu, room);
    }
}

static void without_any_vector_left_it_stays(void **state)
{
    begin(3);
    struct irq *irq = hotplug_irq(1, 1);
    keep_vectors(0, VECTOR_DEVICE_LAST + 1);
    keep_vectors(2, VECTOR_DEVICE_LAST + 1);
    hotplug_leave();
    assert_false(change->ok);
    assert_string_equal(change->problem.what, "irq-no-vector");
    assert_int_equal(irq->cpu, 1);
    assert_true(cpus[1].online);
    assert_false(hotplug.halted[1]);
}

// Told once, and the others come.
static void one_that_cannot_come_home_keeps_none_away(void **state)
{
    begin(2);
    struct irq *first = hotplug_irq(1, 1), *second = hotplug_irq(1, 2), *third = hotplug_irq(1, 3);
    takes_away(1);
    keep_vectors(1, VECTOR_DEVICE_LAST); // one is left
    brings_back(1);
    assert_int_equal(first->cpu, 1);
    assert_int_equal(second->cpu, 0);
    assert_int_equal(third->cpu, 0);
    assert_int_equal(world.errors, 2);
}

// From when a CPU is about to leave, none moves there any more.
static struct irq *late;
static bool late_moved;

static void move_to_1(void)
{
    struct problem p;
    world.on_route = NULL;
    unsigned was = world.current;
    world.current = 0;
    late_moved = irq_move_here(late, 1, &p);
    world.current = was;
}

static void none_moves_to_a_cpu_that_leaves(void **state)
{
    begin(3);
    for (unsigned i = 0; i < 3; i++)
        hotplug_irq(1, 1);
    late = hotplug_irq(0, 2);
    late_moved = true;
    world.on_route = move_to_1; // while it moves its own away
    takes_away(1);
    assert_false(late_moved);
    assert_int_equal(late->cpu, 0);
}

// ---- the round ----

static unsigned asked; // CPUs that ran a message of the round, a bit for each

static void note_cpu(uint32_t id, uint8_t vector)
{
    for (unsigned i = 0; i < world.count; i++)
        if (vector == VECTOR_IPI && cpus[i].apic_id == id)
            asked |= 1u << i;
}

// Each CPU in use, the boot CPU first, runs it; so each has sent what it was about to send.
static void the_round_asks_all_others_in_use(void **state)
{
    begin(4);
    takes_away(2);
    change->cpu = 1;
    hotplug.ended = false;
    cpu_offline(change);
    for (unsigned i = 0; i < 4; i++)
        cpus[i].sleeping = true; // so that each message to it is seen
    world.on_send = note_cpu;
    static const unsigned order[] = { 1, 0, 3 };
    for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
        asked = 0;
        hotplug_turn(order[i]);
        assert_int_equal(asked, 1u << order[(i + 1) % ARRAY_SIZE(order)]);
        assert_false(hotplug.halted[1]);
    }
    world.on_send = NULL;
    hotplug_turns();
    assert_true(hotplug.ended && hotplug.halted[1]);
}

// ---- messages ----

static struct cpu_msg first, second, third;
static unsigned ran_on[3], ran;

static void run_third(struct cpu_msg *msg)
{
    ran_on[2] = world.current;
    ran++;
}

static void run_second(struct cpu_msg *msg)
{
    ran_on[1] = world.current;
    ran++;
    third.fn = run_third;
    cpu_post_always(world.current, &third);
}

static void run_first(struct cpu_msg *msg)
{
    ran_on[0] = world.current;
    ran++;
    second.fn = run_second;
    cpu_post_always(1, &second); // as one that had looked before
}

// What is in the inbox when the loop has ended is run before the CPU halts, and so is what that sends.
static void what_came_last_is_run(void **state)
{
    begin(2);
    ran = 0;
    change->cpu = 1;
    hotplug.ended = false;
    cpu_offline(change);
    for (unsigned i = 0; i < 2; i++) {
        hotplug_turn(1 - i);
        assert_false(hotplug.halted[1]);
    }
    world.current = 1;
    cpu_run_messages(&cpus[1]); // the round is back, and the loop about to end
    world.current = 0;
    assert_true(cpus[1].leaving);
    first.fn = run_first;
    cpu_post_always(1, &first);
    hotplug_turns();
    assert_true(hotplug.halted[1] && hotplug.ended);
    assert_int_equal(ran, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(ran_on[i], 1);
}

static void messages_to_one_that_is_away_go_to_the_boot_cpu(void **state)
{
    begin(3);
    takes_away(1);
    ran = 0;
    third.fn = run_third;
    world.current = 2;
    cpu_post(1, &third);
    world.current = 0;
    hotplug_turns();
    assert_int_equal(ran, 1);
    assert_int_equal(ran_on[2], 0);
    brings_back(1);
    cpu_post(1, &third);
    hotplug_turns();
    assert_int_equal(ran, 2);
    assert_int_equal(ran_on[2], 1);
}

// ---- timers ----

static struct cpu_timer timer_at(uint64_t due_ns)
{
    return (struct cpu_timer){ .fn = fire, .due_ns = due_ns };
}

// Each CPU gets back its own, in their order.
static void timers_go_home_to_their_own_cpu(void **state)
{
    begin(3);
    struct cpu_timer one[2] = { timer_at(1000), timer_at(3000) };
    struct cpu_timer two[2] = { timer_at(2000), timer_at(4000) }, boots = timer_at(2500);
    for (unsigned i = 0; i < 2; i++) {
        start_on_cpu(1, &one[i]);
        start_on_cpu(2, &two[i]);
    }
    start_on_cpu(0, &boots);
    takes_away(1);
    takes_away(2);
    brings_back(1);
    assert_ptr_equal(cpus[1].timers, &one[0]);
    assert_ptr_equal(one[0].next, &one[1]);
    assert_null(one[1].next);
    assert_ptr_equal(cpus[0].timers, &two[0]);
    assert_ptr_equal(two[0].next, &boots);
    assert_ptr_equal(boots.next, &two[1]);
    brings_back(2);
    assert_ptr_equal(cpus[2].timers, &two[0]);
    assert_ptr_equal(two[0].next, &two[1]);
    assert_ptr_equal(cpus[0].timers, &boots);
    assert_null(boots.next);
    world.now_ns = 5000;
    hotplug_turns();
    assert_int_equal(hotplug.fired[0], 1);
    assert_int_equal(hotplug.fired[1], 2);
    assert_int_equal(hotplug.fired[2], 2);
}

// ---- what can't be ----

static void refuses(unsigned cpu, bool online)
{
    change->cpu = cpu;
    change->ok = true;
    hotplug.ended = false;
    if (online)
        cpu_online(change);
    else
        cpu_offline(change);
    assert_false(hotplug.ended); // later, as any answer
    hotplug_turns();
    assert_true(hotplug.ended);
    assert_false(change->ok);
    assert_string_equal(change->problem.what, "cpu-change");
}

static void what_cannot_be_is_refused(void **state)
{
    begin(3);
    refuses(0, false);
    refuses(3, false);
    refuses(1, true);
    takes_away(1);
    refuses(1, false);
    refuses(3, true);
    brings_back(1);
    refuses(1, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(irqs_spread_over_the_cpus_in_use),
        cmocka_unit_test(guests_leave_as_well),
        cmocka_unit_test(each_cpu_is_tried),
        cmocka_unit_test(without_any_vector_left_it_stays),
        cmocka_unit_test(one_that_cannot_come_home_keeps_none_away),
        cmocka_unit_test(none_moves_to_a_cpu_that_leaves),
        cmocka_unit_test(the_round_asks_all_others_in_use),
        cmocka_unit_test(what_came_last_is_run),
        cmocka_unit_test(messages_to_one_that_is_away_go_to_the_boot_cpu),
        cmocka_unit_test(timers_go_home_to_their_own_cpu),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests_name("hotplug, more CPUs", tests, NULL, NULL);
}
