// SPDX-License-Identifier: BSD-2-Clause
// The mode changes while devices send: wherever the two meet, no MSI is lost.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/irq/irq_move.h"
#include "tests/host/step_machine.h"

#define SPIN_STEPS 300 // of a loop that never sleeps: some rounds

static const struct irq_config modes[] = {
    { .mode = IRQ_REMAPPED }, { .mode = IRQ_POSTED },
    { .mode = IRQ_ADAPTIVE }, { .mode = IRQ_ADAPTIVE, .mwait = true },
    { .mode = IRQ_POLL },
};

enum { PLAIN, URGENT, IMMEDIATE, KINDS };

static struct irq *irq; // of CPU 1
static unsigned sent, seen;
static struct irq_mode_change change;
static struct irq_move move;
static bool ended, moved_on;

static void nothing(struct cpu_msg *msg)
{
}

// Polling CPUs never rest, and look whether they are to stop after some work alone.
static void stop_once_all_is_done(void)
{
    static struct cpu_msg last[2];
    if (irq_get_mode() != IRQ_POLL || !ended || !moved_on || !sent || seen != sent || machine_stop)
        return;
    machine_stop = true;
    for (unsigned i = 0; i < 2; i++) {
        last[i].fn = nothing;
        cpu_post(i, &last[i]);
    }
}

static void handle(void *arg)
{
    seen = sent;
    stop_once_all_is_done();
}

static void end(struct irq_mode_change *c)
{
    assert_true(c->ok);
    ended = true;
    stop_once_all_is_done();
}

static void end_move(struct irq_move *m)
{
    assert_true(m->ok);
    moved_on = true;
    stop_once_all_is_done();
}

static void moved(void *arg, unsigned cpu)
{
}

static void send(void *arg)
{
    sent++;
    machine_send(irq);
}

static void begin(const struct irq_config *from, const struct irq_config *to, unsigned kind)
{
    struct problem p;
    struct irq_config config = *from;
    config.mwait |= to->mwait;
    machine_start(2, config);
    for (unsigned i = 0; i < 2; i++)
        machine_cpu(i);
    irq = irq_alloc(&world.device, 0, 1, handle, NULL, "changing", &p);
    irq_on_move(irq, moved);
    if (kind == URGENT)
        assert_true(irq_set_urgent(irq, true, &p));
    if (kind == IMMEDIATE)
        irq_set_immediate(irq);
    sent = seen = 0;
    ended = false;
    moved_on = true;
    change = (struct irq_mode_change){ .mode = to->mode, .done = end };
    irq_set_mode(&change);
}

static void check(void)
{
    assert_true(ended && moved_on);
    assert_int_equal(sent, 1);
    assert_int_equal(seen, 1);
    assert_int_equal(world.routes[irq->chip_handle].posted, irq_mode_posts(change.mode));
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(cpus[i].stats.spurious, 0);
    if (change.mode != IRQ_POLL)
        machine_is_at_rest();
}

static unsigned most_steps(const struct irq_config *from, const struct irq_config *to)
{
    return from->mode == IRQ_POLL || to->mode == IRQ_POLL ? SPIN_STEPS : UINT32_MAX;
}

// The device sends when the irq's CPU has made so many steps, and makes some of its own before the
// CPU goes on. CPU 0 has told it of the change before that, or does so `late`.
static bool sends_after(const struct irq_config *from, const struct irq_config *to, unsigned kind,
                        bool late, unsigned steps, unsigned own)
{
    begin(from, to, kind);
    unsigned device = steps_add(STEPS_NO_CPU, send, NULL);
    if (!late)
        steps_run(0, SPIN_STEPS);
    bool awake = steps_run(1, steps);
    steps_run(device, own);
    steps_rest();
    check();
    return awake;
}

static void sends_at_any_step(const struct irq_config *from, const struct irq_config *to)
{
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (unsigned late = 0; late < 2; late++)
            for (unsigned own = 0; own < 4; own++)
                for (unsigned steps = 1;
                     sends_after(from, to, kind, late, steps, own) && steps < most_steps(from, to);)
                    steps++;
}

static void no_msi_is_lost(void **state)
{
    for (unsigned from = 0; from < ARRAY_SIZE(modes); from++)
        for (unsigned to = 0; to < ARRAY_SIZE(modes); to++)
            sends_at_any_step(&modes[from], &modes[to]);
}

// The irq moves to CPU 0 as well, and the two meet anywhere.
static bool moves_after(const struct irq_config *from, const struct irq_config *to, unsigned steps,
                        unsigned more)
{
    begin(from, to, PLAIN);
    unsigned device = steps_add(STEPS_NO_CPU, send, NULL);
    moved_on = false;
    move = (struct irq_move){ .irq = irq, .to = 0, .done = end_move };
    irq_set_affinity(&move);
    bool awake = steps_run(1, steps);
    steps_run(0, more);
    steps_run(device, STEPS_ALL);
    steps_rest();
    check();
    assert_int_equal(irq->cpu, 0);
    return awake;
}

static void it_may_move_meanwhile(void **state)
{
    for (unsigned from = 0; from < ARRAY_SIZE(modes); from++)
        for (unsigned to = 0; to < ARRAY_SIZE(modes); to++)
            for (unsigned more = 1; more < 300; more += 1 + more / 2)
                for (unsigned steps = 1; moves_after(&modes[from], &modes[to], steps, more) &&
                                         steps < most_steps(&modes[from], &modes[to]);)
                    steps += 3;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_msi_is_lost),
        cmocka_unit_test(it_may_move_meanwhile),
    };
    return cmocka_run_group_tests_name("modes, step by step", tests, NULL, NULL);
}
