// SPDX-License-Identifier: BSD-2-Clause
// A domain's life, step by step, with functions that do what the test says.

#include <setjmp.h>
#include <stdarg.h>

#include <string.h>

#include "kernel/base/report.h" // before cmocka's fail()

#include <cmocka.h>

#include "kernel/domain/info.h"
#include "kernel/domain/life.h"
#include "kernel/domain/tell.h"
#include "kernel/pci/pci.h"
#include "kernel/x86/time.h"

#define FUNCTIONS 2u
#define CPUS 2u
enum { WITHDRAW, SET_UP, SILENCE, GIVE_BACK, KINDS };

static struct {
    struct domain d;
    struct domain_words words;
    struct domain_cpu cpus[CPUS];
    uint8_t events[CPUS][4096], stack[CPUS][DOMAIN_STACK_BYTES];
    void *stacks[CPUS];
    struct domain_seat seats[CPUS];
    struct domain_device devices[FUNCTIONS];
    struct pci_dev devs[FUNCTIONS];
    unsigned looks[FUNCTIONS]; // at what they log as errors

    enum domain_step answers[KINDS][FUNCTIONS];
    unsigned asked[KINDS][FUNCTIONS];
    struct cpu_timer *timer; // the step's, armed
    struct cpu_msg *message;
    unsigned running, stopped; // CPUs
    unsigned cleared, ends, errors, lost;
    enum domain_end end;
    uint64_t now_ns, due_ns; // the step's
} w;

// ---- what it calls ----

uint64_t time_ns(void)
{
    return w.now_ns;
}

void cpu_timer_start(struct cpu_timer *timer, uint64_t due_ns)
{
    timer->armed = true;
    if (timer == &w.d.step) {
        w.timer = timer;
        w.due_ns = due_ns;
    }
}

void cpu_timer_stop(struct cpu_timer *timer)
{
    timer->armed = false;
    if (timer == w.timer)
        w.timer = NULL;
}

void cpu_post(unsigned cpu, struct cpu_msg *msg)
{
    assert_int_equal(cpu, 5);
    w.message = msg;
}

void domain_memory_clear(const struct domain_memory *m)
{
    w.cleared++;
}

void domain_program_renew(const struct domain_program *program)
{
}

void domain_info_begin(struct domain *d)
{
}

void domain_info_end(struct domain *d)
{
}

void domain_cpu_start(struct domain_cpu *dc, uint64_t entry)
{
    w.running++;
}

void domain_cpu_stop(struct domain_cpu *dc)
{
    assert_true(w.running > w.stopped);
    w.stopped++;
}

void domain_tell_start(const struct domain *d)
{
}

void domain_tell_end(const struct domain *d)
{
    w.ends++;
    w.end = d->end;
}

void domain_tell_lost(const struct domain *d, const struct domain_device *device)
{
    w.lost++;
}

void pci_errors_look(struct pci_dev *dev, uint64_t now_ns)
{
    assert_int_equal(now_ns, w.now_ns);
    assert_ptr_equal(dev->given_to, w.words.name);
    w.looks[dev - w.devs]++;
}

void pci_give(struct pci_dev *dev, const char *to, uint64_t now_ns)
{
    assert_int_equal(now_ns, w.now_ns);
    dev->given_to = to;
}

void error_problem(const struct problem *p)
{
    w.errors++;
}

// ---- functions ----

// While a CPU of it runs, a function's memory is in use.
static enum domain_step answer(const struct domain_device *device, unsigned kind)
{
    size_t i = (size_t)(device - w.devices);
    assert_int_equal(w.running, 0);
    bool given = kind == SET_UP || kind == SILENCE;
    assert_ptr_equal(device->dev->given_to, given ? w.words.name : NULL);
    w.asked[kind][i]++;
    return w.answers[kind][i];
}

static enum domain_step withdraw(struct domain_device *device, struct problem *p)
{
    return answer(device, WITHDRAW);
}

static enum domain_step set_up(struct domain_device *device, struct domain_grant *g,
                               struct problem *p)
{
    assert_int_equal(g->function, device - w.devices);
    return answer(device, SET_UP);
}

static enum domain_step silence(struct domain_device *device, struct problem *p)
{
    return answer(device, SILENCE);
}

static enum domain_step give_back(struct domain_device *device, struct problem *p)
{
    return answer(device, GIVE_BACK);
}

static const struct domain_device_ops ops = {
    .withdraw = withdraw, .set_up = set_up, .silence = silence, .give_back = give_back
};

// ---- its course ----

static int begin(void **state)
{
    memset(&w, 0, sizeof(w));
    w.now_ns = 1;
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (unsigned i = 0; i < FUNCTIONS; i++)
            w.answers[kind][i] = DOMAIN_DONE;
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        w.devices[i] = (struct domain_device){ .ops = &ops, .dev = &w.devs[i] };
        w.d.devices[i] = &w.devices[i];
    }
    w.d.devices_count = FUNCTIONS;
    w.words.lives = 1;
    w.d.words = &w.words;
    for (unsigned i = 0; i < CPUS; i++) {
        w.cpus[i].events = (struct domain_events *)(void *)w.events[i];
        w.stacks[i] = w.stack[i];
    }
    w.d.team.cpus = w.cpus;
    w.d.team.cpus_count = CPUS;
    w.d.stacks = w.stacks;
    w.seats[0].cpu = 5;
    w.d.seats = w.seats;
    return 0;
}

// All that can happen by itself, up to so many steps.
static void go(unsigned steps)
{
    for (; steps && (w.timer || w.message || w.stopped); steps--) {
        struct cpu_timer *timer = w.timer;
        struct cpu_msg *msg = w.message;
        w.timer = NULL;
        w.message = NULL;
        if (msg)
            msg->fn(msg);
        if (timer)
            timer->fn(timer);
        if (w.stopped) {
            w.stopped--;
            w.running--;
            domain_cpu_is_back(&w.d.team);
        }
    }
}

static void asked(unsigned kind, unsigned first, unsigned second)
{
    assert_int_equal(w.asked[kind][0], first);
    assert_int_equal(w.asked[kind][1], second);
}

static void live(void)
{
    domain_live(&w.d);
    go(100);
}

// ---- tests ----

static void test_lives_and_ends(void **state)
{
    w.words.lives = 3;
    live();
    for (unsigned life = 1; life <= 3; life++) {
        assert_int_equal(w.d.state, DOMAIN_RUNNING);
        assert_int_equal(w.cleared, life);
        domain_is_over(&w.d.team, DOMAIN_END_FAULT);
        domain_is_over(&w.d.team, DOMAIN_END_EXIT); // another CPU of its: too late
        go(100);
        assert_int_equal(w.end, DOMAIN_END_FAULT);
    }
    assert_int_equal(w.d.state, DOMAIN_OFF);
    assert_int_equal(w.ends, 3);
    asked(WITHDRAW, 1, 1);
    asked(SET_UP, 3, 3);
    asked(SILENCE, 3, 3);
    asked(GIVE_BACK, 1, 1);
    assert_int_equal(w.errors, 0);
}

// The next life could be set up no better.
static void test_can_not_be_set_up(void **state)
{
    w.words.lives = 3;
    w.answers[SET_UP][1] = DOMAIN_FAILED;
    live();
    assert_int_equal(w.d.state, DOMAIN_OFF);
    assert_int_equal(w.end, DOMAIN_END_START);
    assert_int_equal(w.ends, 1);
    assert_int_equal(w.errors, 1);
    assert_int_equal(w.running, 0);
    asked(SET_UP, 1, 1);
    asked(SILENCE, 1, 1);
    asked(GIVE_BACK, 1, 1);
}

// What is still the kernel's is neither silenced nor given back.
static void test_can_not_be_withdrawn(void **state)
{
    w.words.lives = 3;
    w.answers[WITHDRAW][1] = DOMAIN_FAILED;
    live();
    assert_int_equal(w.d.state, DOMAIN_OFF);
    assert_int_equal(w.ends, 1);
    assert_int_equal(w.d.lives, 0);
    asked(SET_UP, 0, 0);
    asked(SILENCE, 1, 0);
    asked(GIVE_BACK, 1, 0);
}

// Its memory is its for ever; the other one serves again.
static void test_one_can_not_be_silenced(void **state)
{
    w.words.lives = 3;
    live();
    w.answers[SILENCE][0] = DOMAIN_FAILED;
    domain_die(&w.d, DOMAIN_END_TIME);
    go(100);
    assert_int_equal(w.d.state, DOMAIN_LOST);
    assert_int_equal(w.lost, 1);
    asked(SILENCE, 1, 1);
    asked(GIVE_BACK, 0, 1);
    domain_die(&w.d, DOMAIN_END_KILLED);
    go(100);
    assert_int_equal(w.ends, 1);
}

// Whatever step it is at.
static void test_killed_at_any_step(void **state)
{
    for (unsigned steps = 0; steps < 20; steps++) {
        begin(NULL);
        domain_live(&w.d);
        go(steps);
        w.d.again = false;
        domain_die(&w.d, DOMAIN_END_KILLED);
        go(100);
        assert_int_equal(w.d.state, DOMAIN_OFF);
        assert_int_equal(w.ends, 1);
        assert_int_equal(w.end, DOMAIN_END_KILLED);
        assert_int_equal(w.running, 0);
        for (unsigned i = 0; i < FUNCTIONS; i++)
            assert_int_equal(w.asked[WITHDRAW][i], w.asked[GIVE_BACK][i]);
    }
}

// A function that takes its time is asked again, and a kill doesn't wait for its set-up.
static void test_waits(void **state)
{
    w.answers[SET_UP][0] = DOMAIN_WAITS;
    live();
    assert_int_equal(w.d.state, DOMAIN_SETTING_UP);
    assert_true(w.asked[SET_UP][0] > 10);
    asked(SET_UP, w.asked[SET_UP][0], 0);
    w.d.again = false;
    domain_die(&w.d, DOMAIN_END_KILLED);
    go(100);
    assert_int_equal(w.d.state, DOMAIN_OFF);
}

// Soon at first; who asks a slow one for seconds leaves the boot CPU to others.
static void test_waits_longer(void **state)
{
    w.answers[SET_UP][0] = DOMAIN_WAITS;
    live();
    assert_in_range(w.due_ns, w.now_ns + 1, w.now_ns + NS_PER_MS / 10);
    w.now_ns += NS_PER_S;
    go(1);
    assert_int_equal(w.due_ns, w.now_ns + NS_PER_MS);
    w.answers[SET_UP][0] = DOMAIN_DONE;
    go(10);
    assert_int_equal(w.d.state, DOMAIN_RUNNING);
    w.answers[SILENCE][0] = DOMAIN_WAITS; // a state of its own
    domain_die(&w.d, DOMAIN_END_TIME);
    go(10);
    assert_in_range(w.due_ns, w.now_ns + 1, w.now_ns + NS_PER_MS / 10);
}

static void test_without_functions(void **state)
{
    w.d.devices_count = 0;
    memset(w.d.devices, 0, sizeof(w.d.devices));
    live();
    assert_int_equal(w.d.state, DOMAIN_RUNNING);
    assert_false(w.d.look.armed);
    domain_is_over(&w.d.team, DOMAIN_END_EXIT);
    go(100);
    assert_int_equal(w.d.state, DOMAIN_OFF);
}

static void test_its_time(void **state)
{
    w.words.time_us = 5;
    live();
    assert_true(w.d.time.armed);
    w.d.time.fn(&w.d.time);
    go(100);
    assert_int_equal(w.end, DOMAIN_END_TIME);
    assert_int_equal(w.d.state, DOMAIN_OFF);
}

static void end_life(enum domain_end why)
{
    assert_int_equal(w.d.state, DOMAIN_RUNNING);
    domain_is_over(&w.d.team, why);
    while (w.d.state != DOMAIN_RUNNING && w.d.state != DOMAIN_PAUSING && w.d.state != DOMAIN_OFF)
        go(1);
}

static void end_short_lives(unsigned count)
{
    while (count--) {
        end_life(DOMAIN_END_FAULT);
        assert_int_equal(w.d.state, DOMAIN_RUNNING);
    }
}

// Lives that end at once come one after the other at first, then after pauses that double up to an eighth of a
// second.
static void test_pauses(void **state)
{
    w.words.lives = 1000;
    live();
    end_short_lives(64);
    for (unsigned i = 0; i < 10; i++) {
        end_life(i % 2 ? DOMAIN_END_EXIT : DOMAIN_END_FAILED);
        assert_int_equal(w.d.state, DOMAIN_PAUSING);
        assert_int_equal(w.due_ns - w.now_ns, NS_PER_MS << MIN(i, 7u));
        go(20);
    }
    w.now_ns += NS_PER_S;
    end_short_lives(65); // the first of which wasn't one
    end_life(DOMAIN_END_FAULT);
    assert_int_equal(w.d.state, DOMAIN_PAUSING);
    go(20);
    end_life(DOMAIN_END_TIME); // as it was to be
    end_short_lives(64);
    assert_int_equal(w.d.lives, 1 + 64 + 10 + 65 + 1 + 1 + 64);
}

static void test_killed_in_a_pause(void **state)
{
    w.words.lives = 1000;
    live();
    end_short_lives(64);
    end_life(DOMAIN_END_FAULT);
    w.d.again = false;
    domain_die(&w.d, DOMAIN_END_KILLED);
    go(100);
    assert_int_equal(w.d.state, DOMAIN_OFF);
    assert_int_equal(w.end, DOMAIN_END_KILLED);
    live(); // by the monitor: from the start
    end_short_lives(64);
}

// What it may say is for all of its lives: they may be short, and many.
static void test_its_voice(void **state)
{
    w.words.lives = 3;
    w.d.team.voice.left = 1;
    live();
    for (unsigned life = 1; life <= 3; life++) {
        assert_int_equal(w.d.state, DOMAIN_RUNNING);
        assert_int_equal(w.d.team.voice.left, 1);
        domain_is_over(&w.d.team, DOMAIN_END_FAULT);
        go(100);
    }
    live();
    assert_int_equal(w.d.state, DOMAIN_RUNNING); // by the monitor
    assert_int_equal(w.d.team.voice.left, 1);
}

// What a domain's functions log is told while it runs, and once they are silent, and as that domain's.
static void test_its_errors(void **state)
{
    w.words.lives = 2;
    live();
    assert_true(w.d.look.armed);
    assert_int_equal(w.looks[0] + w.looks[1], 0);
    w.d.look.fn(&w.d.look);
    assert_true(w.d.look.armed);
    assert_true(w.looks[0] == 1 && w.looks[1] == 1);
    w.answers[SILENCE][1] = DOMAIN_FAILED;
    domain_is_over(&w.d.team, DOMAIN_END_EXIT);
    assert_false(w.d.look.armed);
    go(100);
    assert_true(w.looks[0] == 2 && w.looks[1] == 2);
    assert_null(w.devs[0].given_to);
    assert_ptr_equal(w.devs[1].given_to, w.words.name); // for good
}

#define test(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_lives_and_ends),
        test(test_can_not_be_set_up),
        test(test_can_not_be_withdrawn),
        test(test_one_can_not_be_silenced),
        test(test_killed_at_any_step),
        test(test_waits),
        test(test_waits_longer),
        test(test_without_functions),
        test(test_its_time),
        test(test_pauses),
        test(test_killed_in_a_pause),
        test(test_its_voice),
        test(test_its_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
