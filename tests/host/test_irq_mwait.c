// SPDX-License-Identifier: BSD-2-Clause
// idle=mwait on a CPU whose monitor fails: what was posted is found by the timer, counted, and the
// CPU falls back to HLT.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/cpu/timer.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/irq/posted.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "tests/host/irq_world.h"

#define FIRST_POST_NS (3 * NS_PER_MS)

static struct irq *irq;
static unsigned reads;
static bool stop;
static bool monitor_works;
static unsigned fails_before; // waits after which it does

static void done(void *arg)
{
    stop = ++reads == 6;
}

static void take_timer(void)
{
    world.now_ns = world.timer_at;
    world.timer_at = 0;
    irq_take_timer();
}

// A post comes a while after the CPU has begun to wait. Where SN is clear, it notifies.
static void post_while_it_sleeps(void)
{
    world.now_ns += FIRST_POST_NS;
    if (pi_post(&cpus[0].pi, irq->vector, false))
        irq_take_notification();
    else if (!monitor_works)
        take_timer();
}

static void post_until_it_works(void)
{
    monitor_works = !fails_before || !fails_before--;
    post_while_it_sleeps();
}

static void begin(void)
{
    start_with((struct irq_config){ .mode = IRQ_ADAPTIVE, .mwait = true });
    struct problem p;
    irq = irq_alloc(&world.device, 0, 0, done, NULL, "test", &p);
    assert_non_null(irq);
    reads = 0;
    stop = false;
}

static void what_no_monitor_sees_the_timer_finds(void **state)
{
    begin();
    monitor_works = false;
    world.on_halt = post_while_it_sleeps;
    cpu_run_until(&stop);
    assert_int_equal(reads, 6);
    assert_int_equal(cpus[0].stats.mwait_misses, 2);
    assert_int_equal(world.warnings, 1);
    assert_true(world.now_ns < 2 * 10 * NS_PER_MS + 5 * FIRST_POST_NS); // the others notified
    assert_int_equal(cpus[0].stats.notifications, 4);
    assert_true(cpus[0].mwait_failed);
    assert_false(cpus[1].mwait_failed);
}

static void a_monitor_that_works_stays_in_use(void **state)
{
    begin();
    monitor_works = true;
    world.on_halt = post_while_it_sleeps;
    cpu_run_until(&stop);
    assert_int_equal(cpus[0].stats.mwait_misses, 0);
    assert_int_equal(cpus[0].stats.notifications, 0);
    assert_false(cpus[0].mwait_failed);
}

// Which may be a post that came together with the timer.
static void one_miss_is_none(void **state)
{
    begin();
    fails_before = 1;
    world.on_halt = post_until_it_works;
    cpu_run_until(&stop);
    assert_int_equal(cpus[0].stats.mwait_misses, 1);
    assert_false(cpus[0].mwait_failed);
    assert_int_equal(cpus[0].stats.notifications, 0);
}

static void fired(struct cpu_timer *timer)
{
    stop = true;
}

static void wait_for_the_timer(void)
{
    take_timer();
}

// The watch's interrupts don't hold back what was to come earlier or later.
static void timers_still_come_in_time(void **state)
{
    static const uint64_t times[] = { NS_PER_MS, 35 * NS_PER_MS };
    for (unsigned i = 0; i < ARRAY_SIZE(times); i++) {
        struct cpu_timer timer = { .fn = fired };
        begin();
        world.on_halt = wait_for_the_timer;
        cpu_timer_start(&timer, times[i]);
        cpu_run_until(&stop);
        assert_int_equal(world.now_ns, times[i]);
    }
    assert_int_equal(cpus[0].stats.mwait_misses, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_monitor_sees_the_timer_finds), // first: it warns once
        cmocka_unit_test(a_monitor_that_works_stays_in_use),
        cmocka_unit_test(one_miss_is_none),
        cmocka_unit_test(timers_still_come_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
