// SPDX-License-Identifier: BSD-2-Clause
// Irqs that move while their device sends: wherever the two meet, no MSI is lost, and none comes where
// its vector is nobody's.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/irq/irq_move.h"
#include "kernel/x86/vectors.h"
#include "tests/host/step_machine.h"

#define MOVES 2

static struct irq *irqs[2];
static unsigned sent[2], seen[2];
static struct irq_move moves[MOVES];
static unsigned moves_ended;

// ---- an irq with its device ----

static void handle(void *arg)
{
    unsigned i = (unsigned)(uintptr_t)arg;
    seen[i] = sent[i];
}

static void send(void *arg)
{
    unsigned i = (unsigned)(uintptr_t)arg;
    sent[i]++;
    machine_send(irqs[i]);
}

static void moved(void *arg, unsigned cpu)
{
}

static void make_irq(unsigned i, unsigned cpu, bool immediate)
{
    struct problem p;
    irqs[i] = irq_alloc(&world.device, i, cpu, handle, (void *)(uintptr_t)i, "moving", &p);
    irq_on_move(irqs[i], moved);
    if (immediate)
        irq_set_immediate(irqs[i]);
    sent[i] = seen[i] = 0;
}

static void end(struct irq_move *move)
{
    assert_true(move->ok);
    moves_ended++;
}

static void ask(unsigned number, struct irq *irq, unsigned by, unsigned to)
{
    moves[number] = (struct irq_move){ .irq = irq, .to = to, .done = end };
    world.current = by;
    irq_set_affinity(&moves[number]);
    world.current = 0;
}

static void begin(const struct irq_config *config)
{
    machine_start(3, *config);
    for (unsigned i = 0; i < 3; i++)
        machine_cpu(i);
    moves_ended = 0;
}

// Vectors on the CPUs are in different words.
static void begin_apart(const struct irq_config *config)
{
    static const uint8_t first[] = { 33, 66, 130 };
    begin(config);
    for (unsigned i = 0; i < 3; i++)
        keep_vectors(i, first[i]);
}

// Every MSI was handled, and nobody's vector was ever used. What the irqs leave is told, too.
static void check(unsigned irqs_count, unsigned moves_count)
{
    assert_int_equal(moves_ended, moves_count);
    for (unsigned i = 0; i < irqs_count; i++) {
        assert_int_equal(seen[i], sent[i]);
        assert_ptr_equal(cpus[irqs[i]->cpu].vectors[irqs[i]->vector], irqs[i]);
        assert_false(irqs[i]->raising);
    }
    unsigned used = 0;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(cpus[i].stats.spurious, 0);
        give_vectors_back(i);
        used += VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1 - irq_vectors_left(i);
    }
    assert_int_equal(used, irqs_count);
    assert_int_equal(world.errors, 0);
    machine_is_at_rest();
}

// ---- one irq ----

static const struct irq_config configs[] = {
    { .mode = IRQ_REMAPPED },
    { .mode = IRQ_POSTED },
    { .mode = IRQ_ADAPTIVE },
    { .mode = IRQ_ADAPTIVE, .mwait = true },
};

// It goes from CPU 0 to 1, and at once on to `last`. Its device sends when CPU 0 has made so many
// steps, and makes some of its own before that goes on.
static bool sends_after(const struct irq_config *config, unsigned last, bool immediate,
                        unsigned steps, unsigned own)
{
    begin_apart(config);
    make_irq(0, 0, immediate);
    unsigned device = steps_add(STEPS_NO_CPU, send, (void *)0);
    ask(0, irqs[0], 2, 1);
    ask(1, irqs[0], 1, last);
    bool awake = steps_run(0, steps);
    steps_run(device, own);
    steps_rest();
    check(1, 2);
    assert_int_equal(irqs[0]->cpu, last);
    return awake;
}

static void no_msi_is_lost(void **state)
{
    for (unsigned c = 0; c < ARRAY_SIZE(configs); c++)
        for (unsigned last = 0; last < 3; last++)
            for (unsigned variant = 0; variant < 6; variant++) {
                unsigned steps = 1;
                while (sends_after(&configs[c], last, variant >= 3, steps, 1 + variant % 3))
                    steps++;
                assert_true(steps > 100);
            }
}

static void ask_to_move_on(void *to)
{
    moves[1] = (struct irq_move){ .irq = irqs[0], .to = (unsigned)(uintptr_t)to, .done = end };
    irq_set_affinity(&moves[1]);
}

// The MSI comes during the move from CPU 0 to 1. Some steps later another CPU asks the one that has
// the irq to move it on; all the others go on before CPU 0 does.
static bool raised_after(const struct irq_config *config, unsigned last, unsigned steps,
                         unsigned more)
{
    begin_apart(config);
    make_irq(0, 0, false);
    unsigned device = steps_add(STEPS_NO_CPU, send, (void *)0);
    unsigned asker = steps_add(2, ask_to_move_on, (void *)(uintptr_t)last);
    ask(0, irqs[0], 2, 1);
    bool awake = steps_run(0, steps);
    steps_run(device, STEPS_ALL);
    awake &= steps_run(0, more);
    steps_run(asker, STEPS_ALL);
    steps_run(1, STEPS_ALL);
    steps_run(2, STEPS_ALL);
    steps_rest();
    check(1, 2);
    return awake;
}

static void what_is_raised_follows_its_irq(void **state)
{
    for (unsigned c = 0; c < 2; c++)
        for (unsigned last = 0; last < 3; last += 2)
            for (unsigned steps = 1, more; steps < 400; steps += 7) {
                more = 1;
                while (raised_after(&configs[c], last, steps, more))
                    more++;
            }
}

// ---- two irqs ----

// Both go to CPU 2, where one of them was meanwhile allocated for or left.
static bool meet_after(const struct irq_config *config, bool immediate, unsigned steps,
                       unsigned more)
{
    begin(config);
    make_irq(0, 0, immediate);
    make_irq(1, 1, !immediate);
    ask(0, irqs[0], 0, 2);
    ask(1, irqs[1], 1, 2);
    bool awake = steps_run(0, steps);
    steps_run(1, more);
    steps_run(0, STEPS_ALL);
    steps_rest();
    send((void *)0);
    send((void *)1);
    steps_rest();
    check(2, 2);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(cpus[2].immediate[irqs[i]->vector / 64] >> irqs[i]->vector % 64 & 1,
                         irqs[i]->immediate);
    return awake;
}

static void irqs_that_meet_get_a_vector_each(void **state)
{
    for (unsigned more = 1; more < STEPS_ALL; more += more < 200 ? 1 + more / 6 : STEPS_ALL / 2)
        for (unsigned steps = 1; meet_after(&configs[1], more % 2, steps, more);)
            steps++;
}

// One leaves CPU 1 while the other one arrives there, and may get its vector.
static bool swap_after(bool immediate, unsigned steps, unsigned more)
{
    begin(&configs[1]);
    make_irq(0, 0, immediate);
    make_irq(1, 1, !immediate);
    ask(0, irqs[0], 0, 1);
    ask(1, irqs[1], 1, 2);
    bool awake = steps_run(1, steps);
    steps_run(0, more);
    steps_run(1, STEPS_ALL);
    steps_rest();
    send((void *)0);
    send((void *)1);
    steps_rest();
    check(2, 2);
    uint8_t vector = irqs[0]->vector;
    assert_int_equal(cpus[1].immediate[vector / 64] >> vector % 64 & 1, immediate);
    return awake;
}

static void a_vector_that_is_given_on_keeps_nothing(void **state)
{
    for (unsigned more = 1; more < STEPS_ALL; more += more < 200 ? 1 + more / 6 : STEPS_ALL / 2)
        for (unsigned steps = 1; swap_after(true, steps, more) | swap_after(false, steps, more);)
            steps++;
}

static int stores_at_once(void **state)
{
    steps_seen_at_once = true;
    return 0;
}

static int stores_late(void **state)
{
    steps_seen_at_once = false;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_msi_is_lost),
        cmocka_unit_test(what_is_raised_follows_its_irq),
        cmocka_unit_test(irqs_that_meet_get_a_vector_each),
        cmocka_unit_test(a_vector_that_is_given_on_keeps_nothing),
        cmocka_unit_test_setup_teardown(irqs_that_meet_get_a_vector_each, stores_at_once,
                                        stores_late),
        cmocka_unit_test_setup_teardown(a_vector_that_is_given_on_keeps_nothing, stores_at_once,
                                        stores_late),
    };
    return cmocka_run_group_tests_name("moves, step by step", tests, NULL, NULL);
}
