// SPDX-License-Identifier: BSD-2-Clause
// A domain's CPU: what follows from each end of a stay in ring 3. The test plays ring 3, the loop and both
// CPUs' inboxes.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/percpu.h"
#include "kernel/domain/calls.h"
#include "kernel/domain/device.h"
#include "kernel/domain/ring.h"
#include "kernel/domain/space.h"
#include "kernel/domain/text.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"

static struct domain_events events[2];
static struct domain_cpu cpus_of[2];
static struct domain_team team;
static uint64_t now_ns;
static unsigned stays, sleeps, overs, backs, faults, nonsense, stuck, ipis;
static enum domain_end why;
static bool left, time_is_up;

static unsigned (*stay)(unsigned n); // what ends the n-th one
static void (*asleep)(void);         // what comes meanwhile

static void stop(void)
{
    cpus_of[0].stop.fn(&cpus_of[0].stop);
}

// ---- the rooms below ----

uint64_t time_ns(void)
{
    return now_ns;
}

const struct cpu_stats *cpu_stats(unsigned cpu)
{
    return NULL; // no program here asks
}

void cpu_post(unsigned cpu, struct cpu_msg *msg)
{
    ipis++;
    if (cpu == 0 || msg->fn == cpus_of[0].begin.fn)
        msg->fn(msg);
}

void cpu_timer_start(struct cpu_timer *timer, uint64_t due_ns)
{
    timer->due_ns = due_ns;
    timer->armed = true;
}

void cpu_timer_stop(struct cpu_timer *timer)
{
    timer->armed = false;
}

static void sleep_until(const bool *stop_at)
{
    sleeps++;
    while (!*stop_at)
        asleep();
}

void cpu_run_until(const bool *stop_at)
{
    sleep_until(stop_at);
}

void cpu_wait_until(const bool *stop_at)
{
    sleep_until(stop_at);
}

uint64_t space_root(const struct space *s)
{
    return 0x1000;
}

void *space_at(const struct space *s, uint64_t virt, uint64_t bytes, bool write)
{
    return NULL;
}

void ring_init_cpu(void)
{
    left = time_is_up = false;
}

void ring_leave(void)
{
    left = true;
}

uint64_t ring_fault_address(void)
{
    return 0x1234;
}

unsigned ring_run(struct trap_frame *frame, uint64_t cr3, uint64_t gs)
{
    assert_int_equal(cr3, 0x1000);
    assert_ptr_equal(frame, &cpus_of[0].frame);
    assert_true(stays < 100);
    return stay(stays++);
}

bool domain_voice_may(struct domain_voice *v, size_t bytes, uint64_t at_ns)
{
    return false;
}

bool domain_say(const char *name, enum domain_text kind, char *text, size_t bytes,
                struct problem *p)
{
    return false;
}

void domain_tell_fault(const struct domain_cpu *dc, uint64_t address)
{
    assert_int_equal(address, 0x1234);
    faults++;
}

void domain_tell_nonsense(const struct domain_cpu *dc, const struct problem *p)
{
    assert_string_equal(p->what, "domain-call");
    nonsense++;
}

void domain_tell_stuck(const struct domain_cpu *dc)
{
    stuck++;
}

// ---- who starts domains ----

static void over(struct domain_team *t, enum domain_end end)
{
    assert_ptr_equal(t, &team);
    overs++;
    why = end;
}

static void is_back(struct domain_team *t)
{
    assert_true(left);
    backs++;
}

static void play(unsigned (*ring_3)(unsigned n), void (*meanwhile)(void))
{
    memset(events, 0, sizeof(events));
    stays = sleeps = overs = backs = faults = nonsense = stuck = ipis = 0;
    now_ns = NS_PER_S;
    stay = ring_3;
    asleep = meanwhile;
    team = (struct domain_team){
        .name = "db",
        .cpus = cpus_of,
        .cpus_count = 2,
        .patience_ns = 3 * NS_PER_S,
        .over = over,
        .is_back = is_back,
    };
    for (unsigned i = 0; i < 2; i++)
        domain_cpu_init(&cpus_of[i], &team, i, 5 + i, &events[i]);
    domain_cpu_start(&cpus_of[0], 0x400000);
    assert_int_equal(cpus_of[0].frame.rip, 0x400000);
    assert_true(cpus_of[0].start.armed);
    cpus_of[0].start.fn(&cpus_of[0].start);
    assert_int_equal(backs, 1);
    assert_false(cpus_of[0].look.armed);
    assert_false(cpus_of[0].deadline.armed);
}

static unsigned call(enum domain_call number, uint64_t argument)
{
    cpus_of[0].frame.rax = number;
    cpus_of[0].frame.rdi = argument;
    return RING_CALL;
}

// ---- tests ----

static unsigned divides(unsigned n)
{
    return 0;
}

static void a_fault_ends_it(void **state)
{
    play(divides, stop);
    assert_int_equal(stays, 1);
    assert_int_equal(faults, 1);
    assert_int_equal(overs, 1);
    assert_int_equal(why, DOMAIN_END_FAULT);
}

static unsigned calls_nonsense(unsigned n)
{
    return call(DOMAIN_CALLS, 0);
}

static void nonsense_ends_it(void **state)
{
    play(calls_nonsense, stop);
    assert_int_equal(stays, 1);
    assert_int_equal(nonsense, 1);
    assert_int_equal(why, DOMAIN_END_FAULT);
}

static unsigned exits(unsigned n)
{
    return call(DOMAIN_CALL_EXIT, n - 1);
}

static unsigned is_interrupted_then_exits(unsigned n)
{
    return n ? exits(n) : RING_INTERRUPT;
}

static void it_ends_by_itself(void **state)
{
    play(is_interrupted_then_exits, stop);
    assert_int_equal(stays, 2);
    assert_int_equal(why, DOMAIN_END_EXIT);
    assert_int_equal(overs, 1);
}

static unsigned sleeps_once(unsigned n)
{
    if (n == 0)
        return call(DOMAIN_CALL_SLEEP, 9 * NS_PER_S);
    stop();
    return RING_INTERRUPT;
}

static void time_passes(void)
{
    assert_int_equal(cpus_of[0].deadline.due_ns, 9 * NS_PER_S);
    time_is_up = true;
    cpus_of[0].deadline.fn(&cpus_of[0].deadline);
}

static void it_sleeps_until_its_time(void **state)
{
    play(sleeps_once, time_passes);
    assert_int_equal(sleeps, 1);
    assert_int_equal(overs, 0);
}

static void device_rings(void)
{
    domain_event(&(struct domain_bell){ .of = &cpus_of[0], .event = 70 });
}

static void an_event_wakes_it(void **state)
{
    play(sleeps_once, device_rings);
    assert_int_equal(events[0].bits[1], BIT64(6));
    domain_event(&(struct domain_bell){ .of = NULL, .event = 1 }); // nobody's
}

static unsigned sleeps_on_an_event(unsigned n)
{
    if (n == 0)
        device_rings();
    return sleeps_once(n);
}

static void an_event_that_lies_there_lets_it_not_sleep(void **state)
{
    play(sleeps_on_an_event, device_rings);
    assert_int_equal(sleeps, 0);
}

static unsigned takes_its_event_and_sleeps(unsigned n)
{
    if (n == 0) {
        device_rings();
        events[0].bits[1] = 0;
    }
    return sleeps_once(n);
}

static void an_event_that_was_taken_lets_it_sleep(void **state)
{
    play(takes_its_event_and_sleeps, time_passes);
    assert_int_equal(sleeps, 1);
    assert_true(time_is_up);
}

static unsigned wakes_twice(unsigned n)
{
    if (n < 2)
        return call(DOMAIN_CALL_WAKE, 1);
    stop();
    return RING_INTERRUPT;
}

static void waking_another_is_one_message_until_it_looks(void **state)
{
    play(wakes_twice, stop);
    assert_int_equal(ipis, 3); // the start, the wake-up, the end
    cpus_of[1].woken.fn(&cpus_of[1].woken);
    assert_int_equal(events[1].bits[3], BIT64(63));
    assert_false(cpus_of[1].wake_posted);
    assert_true(cpus_of[1].wake);
}

static bool comes_round;

static unsigned looks_each_second(unsigned n)
{
    now_ns += NS_PER_S;
    events[0].rounds += comes_round;
    cpus_of[0].look.fn(&cpus_of[0].look);
    if (n == 20)
        stop();
    return RING_INTERRUPT;
}

static void patience_ends(void **state)
{
    comes_round = false;
    play(looks_each_second, stop);
    assert_int_equal(stuck, 1);
    assert_int_equal(stays, 3);
    assert_int_equal(why, DOMAIN_END_FAULT);
    comes_round = true;
    play(looks_each_second, stop);
    assert_int_equal(stuck, 0);
    assert_int_equal(stays, 21);
}

static void looks_while_asleep(void)
{
    now_ns += NS_PER_S;
    cpus_of[0].look.fn(&cpus_of[0].look);
    if (now_ns >= 9 * NS_PER_S)
        time_passes();
    if (overs)
        stop();
}

static void sleep_needs_no_patience(void **state)
{
    play(sleeps_once, looks_while_asleep);
    assert_int_equal(stuck, 0);
}

static void is_stopped(void)
{
    stop();
}

static void it_is_stopped_asleep(void **state)
{
    play(sleeps_once, is_stopped);
    assert_int_equal(stays, 1);
    assert_int_equal(overs, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_ends_it),
        cmocka_unit_test(nonsense_ends_it),
        cmocka_unit_test(it_ends_by_itself),
        cmocka_unit_test(it_sleeps_until_its_time),
        cmocka_unit_test(an_event_wakes_it),
        cmocka_unit_test(an_event_that_lies_there_lets_it_not_sleep),
        cmocka_unit_test(an_event_that_was_taken_lets_it_sleep),
        cmocka_unit_test(waking_another_is_one_message_until_it_looks),
        cmocka_unit_test(patience_ends),
        cmocka_unit_test(sleep_needs_no_patience),
        cmocka_unit_test(it_is_stopped_asleep),
    };
    return cmocka_run_group_tests_name("a domain's CPU", tests, NULL, NULL);
}
