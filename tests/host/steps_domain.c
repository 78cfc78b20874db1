// SPDX-License-Identifier: BSD-2-Clause
// CPUs of a domain, with completions, calls, time and the domain's end coming at each step: no program sleeps
// with an event before it, no CPU stays behind, and once all of it has ended nothing sets an event any more.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/domain/device.h"
#include "kernel/x86/time.h"
#include "tests/host/step_machine.h"
#include "tests/host/step_ring3.h"

#define TEAM RING3_PROGRAMS // on CPUs 1 and 2
#define SPIN_STEPS 300      // of CPUs that never sleep: some rounds
#define BEGIN_NS 1000
#define CANARY 0xa5

static struct domain_team team;
static struct domain_cpu team_cpus[TEAM];
static union ring3_page canary;
static struct domain_bell bell;
static struct irq *irq; // of the first CPU
static unsigned backs;
static enum domain_end why;
static unsigned sending;
static bool dying, off;
static uint64_t horizon_ns; // up to which time passes by itself
static struct cpu_msg kill, drain, clear;
static unsigned drains;

// ---- who starts and ends it, on the boot CPU: life.c and give_set_up.c, in short ----

static void fill(struct cpu_msg *msg)
{
    memset(&canary, CANARY, sizeof(canary));
    for (unsigned i = 0; i < TEAM; i++)
        pages[i] = canary;
    told.taken_back = true;
}

static void drained(struct cpu_msg *msg)
{
    bell.of = NULL;
    clear.fn = fill;
    cpu_post(1, &clear);
}

static void at_cpu(struct cpu_msg *msg)
{
    if (!--drains)
        msg->fn = drained;
    cpu_post(drains ? 1 : 0, msg);
}

static bool has_sent(void)
{
    return !sending;
}

// Once that is read back, what the function had sent has arrived.
static void silence(void)
{
    off = true;
    if (sending)
        steps_wait(has_sent);
    irq_disable(irq);
    drains = 2;
    drain.fn = at_cpu;
    cpu_post(1, &drain);
}

static void end(struct domain_team *t, enum domain_end reason)
{
    if (dying)
        return;
    dying = true;
    why = reason;
    for (unsigned i = 0; i < t->cpus_count; i++)
        domain_cpu_stop(&t->cpus[i]);
}

static void is_back(struct domain_team *t)
{
    assert_true(dying && backs < t->cpus_count);
    if (++backs == t->cpus_count)
        silence();
}

static void end_by_people(struct cpu_msg *msg)
{
    end(&team, DOMAIN_END_KILLED);
}

static void post_kill(void)
{
    world.current = 0;
    kill.fn = end_by_people;
    cpu_post(0, &kill);
}

static void begin_life(void)
{
    told = (struct ring3_told){ 0 };
    backs = sending = 0;
    dying = off = false;
    memset(pages, 0, sizeof(pages));
    bell = (struct domain_bell){ &team_cpus[0], RING3_QUEUE_EVENT };
    irq_enable(irq);
    world.current = 0;
    for (unsigned i = 0; i < team.cpus_count; i++)
        domain_cpu_start(&team_cpus[i], 0x400000);
}

// ---- others ----

static void complete(void *arg)
{
    if (off)
        return;
    sending++;
    told.sent++;
    step();
    machine_send(irq);
    sending--;
}

static bool is_to_pass(void)
{
    uint64_t next = machine_timer(1);
    return next > world.now_ns && next <= horizon_ns;
}

static void let_time_pass(void *arg)
{
    for (;;) {
        steps_wait(is_to_pass);
        world.now_ns = machine_timer(1);
    }
}

// ---- plays ----

enum { BOOT_CPU, FIRST_CPU, SECOND_CPU, DEVICE, CLOCK, LATER_DEVICE };

struct what {
    enum ring3_kind first, second;
    unsigned cpus;
    unsigned comes;                // the actor that does, and pauses
    unsigned also;                 // what comes in its pause; 0: nothing
    bool killed;                   // meanwhile
    uint64_t until_ns, horizon_ns; // of the first program's sleeps; of the clock
    void (*check)(void);
};

static void begin(const struct irq_config *config, const struct what *what)
{
    struct problem p;
    machine_start(TEAM + 1, *config);
    machine_use_timers();
    world.now_ns = horizon_ns = BEGIN_NS;
    team = (struct domain_team){ .cpus = team_cpus,
                                 .cpus_count = what->cpus,
                                 .patience_ns = 2 * NS_PER_S,
                                 .over = end,
                                 .is_back = is_back };
    for (unsigned i = 0; i < TEAM; i++) {
        domain_cpu_init(&team_cpus[i], &team, i, i + 1, &pages[i].events);
        programs[i] = (struct ring3){ .kind = i ? what->second : what->first };
        machine_cpu(i);
    }
    machine_cpu(TEAM);
    steps_add(STEPS_NO_CPU, complete, NULL);
    steps_add(STEPS_NO_CPU, let_time_pass, NULL);
    irq = irq_alloc(&world.device, 0, 1, domain_event, &bell, "queue", &p);
    programs[0].until_ns = what->until_ns;
    begin_life();
}

static bool rests(void)
{
    return irq_get_mode() != IRQ_POLL && (dying || programs[0].kind != SPINS);
}

// CPUs that never rest run on for long enough to find whatever there is.
static void rest(void)
{
    if (rests()) {
        steps_rest();
        return;
    }
    for (unsigned round = 0; round < 8 && !told.taken_back; round++)
        for (unsigned i = 0; i < LATER_DEVICE; i++)
            steps_run(i, SPIN_STEPS);
}

static void all_is_done(void)
{
    assert_int_equal(told.woken, told.asked);
    if (programs[0].kind == SPINS)
        return;
    assert_int_equal(told.seen, told.sent);
    for (unsigned i = 0; rests() && i < team.cpus_count; i++) {
        assert_true(team_cpus[i].asleep);
        for (unsigned w = 0; w < DOMAIN_EVENT_WORDS; w++)
            assert_int_equal(pages[i].events.bits[w], 0);
    }
    if (rests())
        machine_is_at_rest();
}

// A WAKE may have been under way to another CPU than the one that cleared: the next life begins awake then,
// as it may at any time.
static void nothing_is_left(void)
{
    assert_true(told.taken_back);
    for (unsigned i = 0; i < TEAM; i++) {
        pages[i].bytes[DOMAIN_EVENT_WAKE / 8] = CANARY;
        assert_memory_equal(&pages[i], &canary, sizeof(canary));
    }
    if (irq_get_mode() != IRQ_POLL)
        machine_is_at_rest();
}

static void end_it(void)
{
    if (!dying)
        post_kill();
    rest();
    nothing_is_left();
}

static void complete_later(void)
{
    steps_run(steps_add(STEPS_NO_CPU, complete, NULL), STEPS_ALL);
}

// The others come once the first CPU has made so many steps; it makes some more while they pause. False: it
// slept by then, or has made its rounds.
static bool play(const struct irq_config *config, const struct what *what, const unsigned steps[3])
{
    begin(config, what);
    bool awake = steps_run(FIRST_CPU, steps[0]);
    if (what->killed)
        post_kill();
    horizon_ns = what->horizon_ns;
    steps_run(what->comes, steps[1]);
    steps_run(FIRST_CPU, steps[2]);
    if (what->also == LATER_DEVICE)
        complete_later();
    else if (what->also)
        steps_run(what->also, STEPS_ALL);
    rest();
    what->check();
    return awake && steps[0] < SPIN_STEPS;
}

static const struct irq_config modes[] = {
    { .mode = IRQ_REMAPPED }, { .mode = IRQ_POSTED },
    { .mode = IRQ_ADAPTIVE }, { .mode = IRQ_ADAPTIVE, .mwait = true },
    { .mode = IRQ_POLL },
};

// At each step of the first CPU; how far the others are by then is taken from a list.
static void play_all(struct what what)
{
    static const unsigned pauses[] = { 2, 10, 22, 36, 54, 80, 130, 200, STEPS_ALL };
    for (unsigned m = 0; m < ARRAY_SIZE(modes); m++)
        for (unsigned i = 0; i < ARRAY_SIZE(pauses); i++) {
            unsigned at = 1;
            while (play(&modes[m], &what, (unsigned[]){ at, pauses[i], i % 2 ? 50 : 1 }))
                at++;
            assert_true(at > 100);
        }
}

// ---- what comes ----

static void done_and_ended(void)
{
    all_is_done();
    end_it();
}

static void no_completion_is_lost(void **state)
{
    play_all((struct what){ .cpus = 1, .comes = DEVICE, .check = done_and_ended });
    play_all(
        (struct what){ .cpus = 1, .comes = DEVICE, .also = LATER_DEVICE, .check = done_and_ended });
}

static void no_wake_is_lost(void **state)
{
    play_all((struct what){
        .second = WAKES, .cpus = 2, .comes = SECOND_CPU, .also = DEVICE, .check = done_and_ended });
}

static void timed_out(void)
{
    all_is_done();
    assert_int_equal(programs[0].timeouts, irq_get_mode() != IRQ_POLL); // which never asks for it
    end_it();
}

static void a_sleep_has_an_end(void **state)
{
    play_all((struct what){ .cpus = 1,
                            .comes = CLOCK,
                            .also = DEVICE,
                            .until_ns = BEGIN_NS + 500,
                            .horizon_ns = BEGIN_NS + 1000,
                            .check = timed_out });
}

static void ended_as_stuck(void)
{
    assert_int_equal(told.stuck, 1);
    assert_int_equal(why, DOMAIN_END_FAULT);
    end_it();
}

static void patience_has_an_end(void **state)
{
    play_all((struct what){ .first = SPINS,
                            .cpus = 1,
                            .comes = CLOCK,
                            .also = DEVICE,
                            .horizon_ns = 5 * NS_PER_S,
                            .check = ended_as_stuck });
}

static void lives_again(void)
{
    end_it();
    for (unsigned i = 0; i < TEAM; i++)
        programs[i] = (struct ring3){ .kind = SERVES };
    begin_life();
    complete_later();
    rest();
    done_and_ended();
}

static void it_ends_at_any_step(void **state)
{
    static const enum ring3_kind kinds[] = { SERVES, SPINS, EXITS };
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
        play_all((struct what){ .first = kinds[i],
                                .cpus = 1,
                                .comes = BOOT_CPU,
                                .also = DEVICE,
                                .killed = true,
                                .check = lives_again });
    play_all((struct what){ .second = WAKES,
                            .cpus = 2,
                            .comes = BOOT_CPU,
                            .also = SECOND_CPU,
                            .killed = true,
                            .check = lives_again });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_completion_is_lost), cmocka_unit_test(no_wake_is_lost),
        cmocka_unit_test(a_sleep_has_an_end),    cmocka_unit_test(patience_has_an_end),
        cmocka_unit_test(it_ends_at_any_step),
    };
    return cmocka_run_group_tests_name("a domain's CPUs, step by step", tests, NULL, NULL);
}
