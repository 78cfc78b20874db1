// SPDX-License-Identifier: BSD-2-Clause
// Timers at their boundaries, and the rounds of a CPU's loop: what each does, when it looks on, when
// it sleeps, and what counts as idle.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/cpu/work.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/run/loop.h"
#include "tests/host/irq_world.h"

static bool stop; // ends the loop
static char order[16];
static unsigned order_count;

static void note(char name)
{
    assert_true(order_count + 1 < sizeof(order));
    order[order_count++] = name;
    order[order_count] = 0;
}

static void begin(struct irq_config config)
{
    start_with(config);
    stop = false;
    order_count = 0;
    order[0] = 0;
}

static void begin_in(enum irq_mode mode)
{
    begin((struct irq_config){ .mode = mode });
}

// ---- timers ----

struct named {
    struct cpu_timer timer;
    char name;
};

static void fire(struct cpu_timer *timer)
{
    note(container_of(timer, struct named, timer)->name);
}

static void fire_and_stop(struct cpu_timer *timer)
{
    fire(timer);
    stop = true;
}

// The interrupt comes exactly when the first one is due, and once for each time.
static void on_time(void)
{
    assert_true(world.timer_at > world.now_ns);
    world.now_ns = world.timer_at;
    irq_take_timer();
}

static void they_fire_at_their_time_in_the_order_of_starts(void **state)
{
    struct named t[4] = { { { .fn = fire }, 'a' },
                          { { .fn = fire }, 'b' },
                          { { .fn = fire_and_stop }, 'c' },
                          { { .fn = fire }, 'd' } };
    begin_in(IRQ_POSTED);
    world.on_halt = on_time;
    cpu_timer_start(&t[2].timer, 300);
    cpu_timer_start(&t[0].timer, 100);
    cpu_timer_start(&t[1].timer, 100);
    cpu_timer_start(&t[3].timer, 400);
    cpu_run_until(&stop);
    assert_string_equal(order, "abc");
    assert_int_equal(world.halts, 2);
    assert_int_equal(world.timer_at, 400);
    assert_false(t[2].timer.armed);
    assert_ptr_equal(cpus[0].timers, &t[3].timer);
}

static void an_earlier_one_sets_the_hardware(void **state)
{
    struct named t[3] = { { { .fn = fire }, 'a' },
                          { { .fn = fire }, 'b' },
                          { { .fn = fire }, 'c' } };
    begin_in(IRQ_POSTED);
    cpu_timer_start(&t[0].timer, 300);
    assert_int_equal(world.timer_at, 300);
    cpu_timer_start(&t[1].timer, 200);
    assert_int_equal(world.timer_at, 200);
    cpu_timer_start(&t[2].timer, 250);
    assert_int_equal(world.timer_at, 200);
    cpu_timer_start(&t[2].timer, 150); // moved
    assert_int_equal(world.timer_at, 150);
    assert_ptr_equal(cpus[0].timers, &t[2].timer);
    assert_ptr_equal(t[2].timer.next, &t[1].timer);
    assert_ptr_equal(t[1].timer.next, &t[0].timer);
    assert_null(t[0].timer.next);
}

static unsigned starts;

static void start_again(struct cpu_timer *timer)
{
    note('r');
    if (++starts < 3)
        cpu_timer_start(timer, timer->due_ns + 100);
    else
        stop = true;
}

static void one_may_start_itself_again(void **state)
{
    struct cpu_timer timer = { .fn = start_again };
    begin_in(IRQ_POSTED);
    world.on_halt = on_time;
    starts = 0;
    cpu_timer_start(&timer, 100);
    cpu_run_until(&stop);
    assert_string_equal(order, "rrr");
    assert_int_equal(world.now_ns, 300);
    assert_null(cpus[0].timers);
}

// It came too early, or its timer was stopped: what is left is set anew.
static void an_early_interrupt_does_no_harm(void **state)
{
    struct named timer = { { .fn = fire_and_stop }, 't' };
    begin_in(IRQ_POSTED);
    world.on_halt = on_time;
    cpu_timer_start(&timer.timer, 100);
    world.timer_at = 0; // it has fired
    world.now_ns = 99;
    irq_take_timer();
    cpu_run_until(&stop);
    assert_string_equal(order, "t");
    assert_int_equal(world.now_ns, 100);
}

static struct named late = { { .fn = fire_and_stop }, 'l' };

static void interrupted(struct cpu_timer *timer)
{
    note('i');
    world.now_ns = late.timer.due_ns; // while this one runs, the next one's interrupt comes
    irq_take_timer();
}

static void an_interrupt_while_timers_run_is_not_forgotten(void **state)
{
    struct cpu_timer first = { .fn = interrupted };
    begin_in(IRQ_POSTED);
    cpu_timer_start(&first, 100);
    cpu_timer_start(&late.timer, 200);
    world.now_ns = 100;
    irq_take_timer();
    world.on_halt = on_time; // would find no later time to wait for
    cpu_run_until(&stop);
    assert_string_equal(order, "il");
    assert_int_equal(world.halts, 0);
}

// The window's interrupt sets the same hardware.
static void the_hardware_is_set_without_interruption(void **state)
{
    struct named timer = { { .fn = fire }, 't' };
    begin((struct irq_config){ .mode = IRQ_ADAPTIVE, .window_ns = 1000 });
    world.timer_sets_enabled = 0;
    cpu_timer_start(&timer.timer, 100);
    assert_int_equal(world.timer_at, 100);
    assert_int_equal(world.timer_sets_enabled, 0);
    assert_true(world.enabled);
    cpu_timer_stop(&timer.timer);
    cpu_timer_program(&cpus[0]);
    assert_int_equal(world.timer_at, 1000); // the window is left
}

// A guest of the boot CPU's that its own CPU starts is its own again; any other one is the caller's.
static void a_timer_belongs_to_who_starts_it(void **state)
{
    struct named timer = { { .fn = fire }, 't' };
    begin_in(IRQ_POSTED);
    timer.timer.guest = true;
    timer.timer.cpu = 1;
    cpu_timer_start(&timer.timer, 100);
    assert_int_equal(timer.timer.cpu, 1);
    assert_true(timer.timer.guest);
    cpu_timer_stop(&timer.timer);
    assert_false(timer.timer.guest);
    timer.timer.guest = true;
    world.current = 1;
    cpu_timer_start(&timer.timer, 100);
    assert_false(timer.timer.guest);
    assert_int_equal(timer.timer.cpu, 1);
    assert_ptr_equal(cpus[1].timers, &timer.timer);
    assert_null(cpus[0].timers);
}

// ---- rounds ----

static struct cpu_msg message;
static struct named timer_of_round = { { .fn = fire_and_stop }, 't' };

static void note_message(struct cpu_msg *msg)
{
    note('m');
}

static void note_msi(void *arg)
{
    note('i');
    if (order_count < 6)
        irq_take_device(irq_first()->vector); // there is always one more
}

// Each round does all there is: MSIs without an end keep nothing else waiting.
static void a_round_does_all_kinds_of_work(void **state)
{
    struct problem p;
    begin_in(IRQ_REMAPPED);
    struct irq *irq = irq_alloc(&world.device, 0, 0, note_msi, NULL, "x", &p);
    message.fn = note_message;
    cpu_timer_start(&timer_of_round.timer, 100);
    world.now_ns = 100;
    irq_take_timer();
    cpu_post(0, &message);
    irq_take_device(irq->vector);
    cpu_run_until(&stop);
    assert_string_equal(order, "imt");
}

static unsigned flushes_at_halt;

static void halt_after_flush(void)
{
    flushes_at_halt = world.flushes;
    irq_take_device(irq_first()->vector);
}

static void stop_at_msi(void *arg)
{
    stop = true;
}

// The doorbells of a round are rung before the CPU sleeps.
static void a_round_ends_with_a_flush(void **state)
{
    struct problem p;
    begin_in(IRQ_REMAPPED);
    irq_alloc(&world.device, 0, 0, stop_at_msi, NULL, "x", &p);
    world.on_halt = halt_after_flush;
    flushes_at_halt = 0;
    cpu_run_until(&stop);
    assert_true(flushes_at_halt > 0);
    assert_int_equal(world.halts, 1); // and none when it is to end
    assert_true(world.enabled);
    assert_false(cpus[0].sleeping);
}

static void stop_in_flush(void)
{
    stop = true;
}

// What a round has done last may end the loop.
static void a_loop_that_is_to_end_does_not_sleep(void **state)
{
    begin_in(IRQ_REMAPPED);
    world.on_flush = stop_in_flush;
    cpu_run_until(&stop);
    assert_int_equal(world.halts, 0);
    assert_int_equal(cpus[0].stats.idle_tsc, 0);
}

static void work_in_flush(void)
{
    world.on_flush = NULL;
    irq_take_device(irq_first()->vector);
}

// Work that came during a round needs no idle one.
static void a_loop_with_work_is_not_idle(void **state)
{
    struct problem p;
    begin_in(IRQ_REMAPPED);
    irq_alloc(&world.device, 0, 0, stop_at_msi, NULL, "x", &p);
    world.on_flush = work_in_flush;
    cpu_run_until(&stop);
    assert_int_equal(cpus[0].stats.idle_tsc, 0);
    assert_int_equal(cpus[0].round_tsc, 0);
}

// ---- asleep ----

static unsigned wakes;
static void (*waker)(void);
static uint64_t idle_so_far;

static void wake_thrice(void)
{
    assert_true(cpus[0].sleeping);
    assert_true(cpus[0].stats.idle_tsc >= idle_so_far); // it only grows
    idle_so_far = cpus[0].stats.idle_tsc;
    if (++wakes == 3)
        stop = true;
    waker();
}

static void by_msi(void)
{
    irq_take_device(irq_first()->vector);
}

static void by_ipi(void)
{
    irq_take_ipi();
}

static void check_wakes(void (*how)(void), unsigned told)
{
    begin_in(IRQ_REMAPPED);
    world.time_passes = true;
    new_irq(0, 1);
    wakes = 0;
    waker = how;
    idle_so_far = 0;
    world.on_halt = wake_thrice;
    cpu_run_until(&stop);
    assert_int_equal(cpus[0].stats.sleeps, 3);
    assert_int_equal(cpus[0].stats.wakes, told);
    assert_true(cpus[0].stats.idle_tsc >= idle_so_far);
    assert_true(idle_so_far > 0);
}

// Only devices' are counted as such.
static void sleeps_and_wake_ups_are_counted(void **state)
{
    check_wakes(by_msi, 3);
    check_wakes(by_ipi, 0);
}

// A CPU with work, found at the last look, keeps SN as it is.
static void last_moment(void)
{
    world.on_interrupts_off = NULL;
    irq_take_device(irq_first()->vector);
}

static void a_cpu_that_has_work_does_not_fall_asleep(void **state)
{
    struct problem p;
    begin((struct irq_config){ .mode = IRQ_ADAPTIVE, .window_ns = 1000 });
    irq_alloc(&world.device, 0, 0, stop_at_msi, NULL, "x", &p);
    world.on_interrupts_off = last_moment; // when it turns interrupts off to sleep
    world.timer_cancels = 0;
    cpu_run_until(&stop);
    assert_int_equal(world.halts, 0);
    assert_int_equal(world.timer_cancels, 0); // its window stays
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_fire_at_their_time_in_the_order_of_starts),
        cmocka_unit_test(an_earlier_one_sets_the_hardware),
        cmocka_unit_test(one_may_start_itself_again),
        cmocka_unit_test(an_early_interrupt_does_no_harm),
        cmocka_unit_test(an_interrupt_while_timers_run_is_not_forgotten),
        cmocka_unit_test(the_hardware_is_set_without_interruption),
        cmocka_unit_test(a_timer_belongs_to_who_starts_it),
        cmocka_unit_test(a_round_does_all_kinds_of_work),
        cmocka_unit_test(a_round_ends_with_a_flush),
        cmocka_unit_test(a_loop_that_is_to_end_does_not_sleep),
        cmocka_unit_test(a_loop_with_work_is_not_idle),
        cmocka_unit_test(sleeps_and_wake_ups_are_counted),
        cmocka_unit_test(a_cpu_that_has_work_does_not_fall_asleep),
    };
    return cmocka_run_group_tests_name("timers and rounds", tests, NULL, NULL);
}
