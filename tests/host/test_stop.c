// SPDX-License-Identifier: BSD-2-Clause
// Three CPUs, threads here, that stop and hold one another by NMI. The handler of each is
// cpu_stand_by(), taken between two steps of its loop.

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "kernel/base/percpu.h"
#include "kernel/cpu/stop.h"
#include "kernel/run/trap.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/time.h"

#define CPUS 3

static struct cpu cpus[CPUS];
static struct trap_frame frames[CPUS];
static struct {
    _Atomic bool nmi; // one may be pending, not more
    _Atomic bool deaf;
    _Atomic unsigned ours, others; // NMIs taken, by what cpu_stand_by() said
    _Atomic bool halted;
    pthread_t thread;
} of[CPUS];
static _Atomic bool quit;
static _Thread_local unsigned me;

struct cpu *this_cpu(void)
{
    return &cpus[me];
}

struct cpu *cpu_get(unsigned index)
{
    return &cpus[index];
}

unsigned cpu_index(void)
{
    return me;
}

unsigned cpu_count(void)
{
    return CPUS;
}

unsigned cpu_total(void)
{
    return cpu_count();
}

uint32_t cpu_apic_id(unsigned cpu)
{
    return 100 + cpu;
}

bool cpu_is_online(unsigned cpu)
{
    return cpus[cpu].online;
}

bool apic_is_ready(void)
{
    return true;
}

void apic_send_nmi(uint32_t id)
{
    of[id - 100].nmi = true;
}

void mce_read(struct mce_log *log)
{
    log->count = me + 40;
}

// The host may put a thread aside for long, so time passes only where there is nobody else to wait for.
uint64_t time_ns(void)
{
    static _Atomic uint64_t now;
    bool is_waited_for = of[2].deaf && cpu_state_of(1);
    return now += is_waited_for ? NS_PER_MS : 0;
}

noreturn void halt_forever(void)
{
    of[me].halted = true;
    while (!quit) // its stack stays
        cpu_relax();
    pthread_exit(NULL);
}

static void take_nmi(unsigned cpu)
{
    if (of[cpu].deaf || !atomic_exchange(&of[cpu].nmi, false))
        return;
    if (cpu_stand_by(&frames[cpu]))
        of[cpu].ours++;
    else
        of[cpu].others++;
}

static void *run(void *arg)
{
    me = (unsigned)(uintptr_t)arg;
    while (!quit) {
        take_nmi(me);
    }
    return NULL;
}

// The test plays CPU 0.
static int begin(void **state)
{
    quit = false;
    for (unsigned i = 0; i < CPUS; i++) {
        cpus[i] = (struct cpu){ .index = i, .online = true };
        memset(&of[i], 0, sizeof(of[i]));
        if (i)
            assert_int_equal(pthread_create(&of[i].thread, NULL, run, (void *)(uintptr_t)i), 0);
    }
    return 0;
}

static int end(void **state)
{
    quit = true;
    for (unsigned i = 1; i < CPUS; i++)
        pthread_join(of[i].thread, NULL);
    return 0;
}

static void wait_for(_Atomic unsigned *counter, unsigned least)
{
    time_t deadline = time(NULL) + 60;
    while (*counter < least && time(NULL) < deadline)
        cpu_relax();
    assert_true(*counter >= least);
}

static void those_held_go_on_when_released(void **state)
{
    for (unsigned round = 1; round <= 20; round++) {
        assert_true(cpu_hold_others());
        for (unsigned i = 1; i < CPUS; i++) {
            assert_non_null(cpu_state_of(i));
            assert_ptr_equal(cpu_state_of(i)->frame, &frames[i]);
            assert_int_equal(cpu_state_of(i)->mce.count, i + 40);
        }
        assert_null(cpu_state_of(0));
        cpu_release_others();
        for (unsigned i = 1; i < CPUS; i++) {
            wait_for(&of[i].ours, round);
            assert_null(cpu_state_of(i));
        }
    }
    assert_int_equal(of[1].others + of[2].others, 0);
}

static void an_nmi_that_nobody_asked_for_is_known(void **state)
{
    of[1].nmi = true;
    wait_for(&of[1].others, 1);
    assert_int_equal(of[1].ours, 0);
}

// It is told of as not answering; its NMI comes when all is over.
static void a_late_one_is_still_ours(void **state)
{
    of[2].deaf = true;
    assert_true(cpu_hold_others());
    assert_non_null(cpu_state_of(1));
    assert_null(cpu_state_of(2));
    cpu_release_others();
    of[2].deaf = false;
    wait_for(&of[2].ours, 1);
    assert_int_equal(of[2].others, 0);
}

static void a_cpu_that_is_not_in_use_is_left_alone(void **state)
{
    cpus[2].online = false;
    assert_true(cpu_hold_others());
    assert_false(of[2].nmi);
    assert_int_equal(of[2].ours, 0);
    cpu_release_others();
}

// Whoever stops the others can be stopped by none of them, nor by an NMI. The last test: it is for
// good.
static void the_one_that_stops_goes_on(void **state)
{
    assert_true(cpu_stop_others());
    for (unsigned i = 1; i < CPUS; i++) {
        assert_non_null(cpu_state_of(i));
        assert_ptr_equal(cpu_state_of(i)->frame, &frames[i]);
    }
    of[0].nmi = true;
    take_nmi(0);
    assert_int_equal(of[0].ours, 1);
    assert_true(cpu_stop_others()); // again
    me = 1;
    assert_false(cpu_stop_others()); // another one that wants to
    me = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(those_held_go_on_when_released, begin, end),
        cmocka_unit_test_setup_teardown(an_nmi_that_nobody_asked_for_is_known, begin, end),
        cmocka_unit_test_setup_teardown(a_late_one_is_still_ours, begin, end),
        cmocka_unit_test_setup_teardown(a_cpu_that_is_not_in_use_is_left_alone, begin, end),
        cmocka_unit_test_setup_teardown(the_one_that_stops_goes_on, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
