// SPDX-License-Identifier: BSD-2-Clause
// How an idle CPU waits: how long it looks on before it sleeps, and what counts as idle.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/cpu/msg.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/run/loop.h"
#include "tests/host/irq_world.h"

#define SHARE_NS 1000000ull
#define SPIN_NS (8 * SHARE_NS) // idle.spin=
#define BEGUN_NS (1ull << 40)

static struct irq *irqs[200];
static bool stop; // ends the loop

static void begin(enum irq_mode mode, uint64_t spin_ns)
{
    start_with((struct irq_config){ .mode = mode, .spin_ns = spin_ns });
    world.now_ns = BEGUN_NS;
    stop = false;
}

static uint64_t passed(void)
{
    return world.now_ns - BEGUN_NS;
}

// ---- looking on ----

static uint64_t spins[4];       // at each halt
static unsigned posts_after[4]; // MSIs that end each sleep; 0: it is the last one

static void post_many(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!irqs[i])
            irqs[i] = new_irq(0, 1);
        post(0, irqs[i]->vector);
    }
}

static void note_halt(void)
{
    unsigned n = world.halts - 1;
    assert_in_range(n, 0, ARRAY_SIZE(spins) - 1);
    spins[n] = cpus[0].spin_tsc;
    stop = !posts_after[n];
    post_many(posts_after[n]);
}

// The loop with so many MSIs, and after each sleep so many more.
static void play(uint64_t spin_ns, unsigned msis, const unsigned *after)
{
    begin(IRQ_ADAPTIVE, spin_ns);
    memset(irqs, 0, sizeof(irqs));
    memset(posts_after, 0, sizeof(posts_after));
    for (unsigned i = 0; after[i]; i++)
        posts_after[i] = after[i];
    world.on_halt = note_halt;
    world.time_passes = true;
    post_many(msis);
    cpu_run_until(&stop);
}

// The share that a burst earns, and that it is spent before the CPU halts.
static void a_burst_earns(unsigned msis, unsigned shares)
{
    play(SPIN_NS, msis, (unsigned[]){ 0 });
    assert_int_equal(world.halts, 1);
    assert_int_equal(spins[0], shares * SHARE_NS);
    assert_in_range(passed(), spins[0], spins[0] + SHARE_NS / 10);
}

static void the_more_msis_the_longer_it_looks_on(void **state)
{
    a_burst_earns(0, 0);
    a_burst_earns(1, 0); // a single one is waited for asleep
    for (unsigned msis = 2; msis <= 9; msis++)
        a_burst_earns(msis, msis - 1);
    a_burst_earns(10, 8);
    a_burst_earns(200, 8);
}

static void only_the_last_busy_stretch_counts(void **state)
{
    play(SPIN_NS, 9, (unsigned[]){ 3, 1, 0 });
    assert_int_equal(world.halts, 3);
    assert_int_equal(spins[0], 8 * SHARE_NS);
    assert_int_equal(spins[1], 2 * SHARE_NS);
    assert_int_equal(spins[2], 0);
}

// A span that no share divides, and none at all.
static void any_span_is_shared(void **state)
{
    play(100007, 9, (unsigned[]){ 0 });
    assert_in_range(spins[0], 100000, 100007);
    play(0, 9, (unsigned[]){ 0 });
    assert_int_equal(spins[0], 0);
}

static unsigned looks;

static void post_at_the_tenth_look(void)
{
    if (++looks == 10)
        post(0, irqs[0]->vector);
}

// What comes while it looks on costs no sleep; the single MSI earns no further look.
static void work_ends_the_look(void **state)
{
    begin(IRQ_ADAPTIVE, SPIN_NS);
    memset(irqs, 0, sizeof(irqs));
    memset(posts_after, 0, sizeof(posts_after));
    looks = 0;
    world.on_tsc = post_at_the_tenth_look;
    world.on_halt = note_halt;
    world.time_passes = true;
    post_many(9);
    cpu_run_until(&stop);
    assert_int_equal(cpus[0].stats.spins, 1);
    assert_int_equal(world.handled[1], 10);
    assert_int_equal(world.halts, 1);
    assert_int_equal(spins[0], 0);
    assert_true(passed() < SHARE_NS);
}

static void no_other_mode_looks_on(void **state)
{
    static const enum irq_mode modes[] = { IRQ_POSTED, IRQ_REMAPPED, IRQ_MSI };
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        begin(modes[i], SPIN_NS);
        posts_after[0] = 0;
        cpus[0].stats.msis = 100;
        world.on_halt = note_halt;
        cpu_run_until(&stop);
        assert_int_equal(spins[0], 0);
        assert_int_equal(passed(), 0);
    }
}

// ---- what counts as idle ----

#define HALT_NS 500
#define ROUND_NS 20
#define WORK_NS 7000

static struct cpu_msg nothing;
static unsigned wakes_left;

static void do_nothing(struct cpu_msg *msg)
{
}

static void work(void *arg)
{
    world.now_ns += WORK_NS;
}

static void a_round_takes_time(void) // where it flushes the doorbells
{
    world.now_ns += ROUND_NS;
}

static void wake_by_nothing(void)
{
    world.now_ns += HALT_NS;
    stop = !--wakes_left;
}

// A round that finds nothing is idle from the end of the last one, the loop's own way included.
static void empty_rounds_are_idle(void **state)
{
    begin(IRQ_POSTED, 0);
    wakes_left = 5;
    world.on_halt = wake_by_nothing;
    cpu_run_until(&stop);
    uint64_t halted = passed();
    assert_int_equal(cpus[0].stats.idle_tsc, halted);

    begin(IRQ_POSTED, 0);
    wakes_left = 5;
    world.on_halt = wake_by_nothing;
    world.interrupt = a_round_takes_time;
    cpu_run_until(&stop);
    assert_true(passed() > halted);
    assert_int_equal(cpus[0].stats.idle_tsc,
                     passed() - 2 * ROUND_NS); // but for the first and the last round
    assert_int_equal(cpus[0].stats.sleeps, 5);
    assert_int_equal(cpus[0].stats.wakes, 0); // no MSI woke it
}

static void wake_by_msi_then_message(void)
{
    world.now_ns += HALT_NS;
    cpus[0].sleeping = false; // a message needs no IPI
    if (world.halts == 1)
        irq_take_device(irq_first()->vector);
    else if (world.halts == 2)
        cpu_post(0, &nothing);
    else
        stop = true;
}

static void work_is_not_idle(void **state)
{
    struct problem p;
    begin(IRQ_REMAPPED, 0);
    nothing.fn = do_nothing;
    irq_alloc(&world.device, 0, 0, work, NULL, "x", &p);
    world.on_halt = wake_by_msi_then_message;
    cpu_run_until(&stop);
    assert_int_equal(world.halts, 3);
    assert_int_equal(cpus[0].stats.idle_tsc, 3 * HALT_NS);
    assert_int_equal(cpus[0].stats.wakes, 1); // the message is no MSI
    assert_int_equal(passed(), 3 * HALT_NS + WORK_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_more_msis_the_longer_it_looks_on),
        cmocka_unit_test(only_the_last_busy_stretch_counts),
        cmocka_unit_test(any_span_is_shared),
        cmocka_unit_test(work_ends_the_look),
        cmocka_unit_test(no_other_mode_looks_on),
        cmocka_unit_test(empty_rounds_are_idle),
        cmocka_unit_test(work_is_not_idle),
    };
    return cmocka_run_group_tests_name("idle", tests, NULL, NULL);
}
