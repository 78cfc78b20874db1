// SPDX-License-Identifier: BSD-2-Clause
// The CPU's loop on a modelled CPU: messages, timers, and sleep that misses nothing.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/run/loop.h"
#include "tests/host/irq_world.h"

static bool stop; // ends the loop

// ---- messages ----

static unsigned messages[8], messages_count;

struct numbered {
    struct cpu_msg msg;
    unsigned number;
};

static void note(struct cpu_msg *msg)
{
    messages[messages_count++] = container_of(msg, struct numbered, msg)->number;
    stop = messages_count == 3;
}

static void messages_run_in_the_order_sent(void **state)
{
    struct numbered m[3];
    start(IRQ_POSTED);
    stop = false;
    messages_count = 0;
    for (unsigned i = 0; i < 3; i++) {
        m[i] = (struct numbered){ .msg.fn = note, .number = i + 10 };
        cpu_post(0, &m[i].msg);
    }
    cpu_run_until(&stop);
    assert_int_equal(messages_count, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(messages[i], i + 10);
    assert_int_equal(world.ipis, 0); // it was awake
    assert_true(world.flushes > 0);
}

static void a_message_wakes_a_sleeper(void **state)
{
    struct numbered m = { .msg.fn = note };
    start(IRQ_POSTED);
    cpu_post(1, &m.msg);
    assert_int_equal(world.ipis, 0);
    cpus[1].inbox = NULL;
    cpus[1].sleeping = true;
    cpu_post(1, &m.msg);
    assert_int_equal(world.ipis, 1);
    assert_int_equal(world.last_sent_to, cpus[1].apic_id);
}

static struct numbered again = { .number = 20 }, last = { .number = 30 };

static void send_again(struct cpu_msg *msg)
{
    note(msg);
    if (messages_count == 1)
        cpu_post(0, msg);
}

// Its place in the inbox is its own again from when its function is called.
static void a_message_may_send_itself_again(void **state)
{
    start(IRQ_POSTED);
    stop = false;
    messages_count = 0;
    again.msg.fn = send_again;
    last.msg.fn = note;
    cpu_post(0, &again.msg);
    cpu_post(0, &last.msg);
    cpu_run_until(&stop);
    assert_int_equal(messages_count, 3);
    assert_int_equal(messages[0], 20);
    assert_int_equal(messages[1], 30);
    assert_int_equal(messages[2], 20);
}

// ---- timers ----

static unsigned due[4], due_count;

static void note_due(struct cpu_timer *timer)
{
    due[due_count++] = (unsigned)timer->due_ns;
    stop = due_count == 3;
}

static void pass_time(void)
{
    world.now_ns = world.timer_at;
    irq_take_timer();
}

static void timers_fire_in_order_and_sleep_between(void **state)
{
    struct cpu_timer t[4] = {
        { .fn = note_due }, { .fn = note_due }, { .fn = note_due }, { .fn = note_due }
    };
    start(IRQ_POSTED);
    stop = false;
    due_count = 0;
    world.on_halt = pass_time;
    cpu_timer_start(&t[0], 300);
    cpu_timer_start(&t[1], 100);
    cpu_timer_start(&t[2], 200);
    cpu_timer_start(&t[3], 150);
    cpu_timer_stop(&t[3]);
    assert_int_equal(world.timer_at, 100);
    cpu_timer_start(&t[1], 250); // moved
    cpu_run_until(&stop);
    assert_int_equal(due_count, 3);
    assert_int_equal(due[0], 200);
    assert_int_equal(due[1], 250);
    assert_int_equal(due[2], 300);
    assert_true(world.halts >= 3);
}

// ---- sleep ----

static void stop_the_loop(void *arg)
{
    stop = true;
}

static void msi_at_the_last_moment(void)
{
    fail_msg("it halted with work pending");
}

// An interrupt between the last look at the ready set and the halt must not be slept over.
static void pending_work_is_never_slept_over(void **state)
{
    struct problem p;
    start(IRQ_REMAPPED);
    stop = false;
    world.on_halt = msi_at_the_last_moment;
    struct irq *irq = irq_alloc(&world.device, 0, 0, stop_the_loop, NULL, "x", &p);
    irq_take_device(irq->vector);
    cpu_run_until(&stop);
    assert_int_equal(world.halts, 0);
}

static struct numbered late = { .msg.fn = note };

static void send_late(void)
{
    world.on_flush = NULL;
    cpu_post(0, &late.msg);
}

// What comes while doorbells are rung is the next round's: there is no idle time in between.
static void work_during_a_round_is_no_idle_time(void **state)
{
    start(IRQ_POSTED);
    stop = false;
    messages_count = 2;
    world.on_flush = send_late;
    world.time_passes = true;
    cpu_run_until(&stop);
    assert_int_equal(messages_count, 3);
    assert_int_equal(cpus[0].stats.idle_tsc, 0);
    assert_int_equal(cpus[0].stats.sleeps, 0);
}

static void wake_by_msi(void)
{
    world.now_ns += 500;
    irq_take_device(irq_first()->vector);
}

static void an_idle_cpu_halts_until_an_msi(void **state)
{
    struct problem p;
    start(IRQ_REMAPPED);
    stop = false;
    world.on_halt = wake_by_msi;
    irq_alloc(&world.device, 0, 0, stop_the_loop, NULL, "x", &p);
    cpu_run_until(&stop);
    assert_int_equal(world.halts, 1);
    assert_int_equal(cpus[0].stats.sleeps, 1);
    assert_int_equal(cpus[0].stats.idle_tsc, 500);
}

static void fault_handler(void)
{
    stop = true;
}

static void a_fault_event_reaches_its_handler(void **state)
{
    start(IRQ_POSTED);
    stop = false;
    irq_set_fault_handler(fault_handler);
    irq_take_fault();
    cpu_run_until(&stop);
    assert_int_equal(cpus[0].stats.faults, 1);
    assert_false(irq_pending());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_run_in_the_order_sent),
        cmocka_unit_test(a_message_wakes_a_sleeper),
        cmocka_unit_test(a_message_may_send_itself_again),
        cmocka_unit_test(timers_fire_in_order_and_sleep_between),
        cmocka_unit_test(pending_work_is_never_slept_over),
        cmocka_unit_test(work_during_a_round_is_no_idle_time),
        cmocka_unit_test(an_idle_cpu_halts_until_an_msi),
        cmocka_unit_test(a_fault_event_reaches_its_handler),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
