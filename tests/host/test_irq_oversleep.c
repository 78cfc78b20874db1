// SPDX-License-Identifier: BSD-2-Clause
// A CPU that sleeps is late by what its wake-up takes, and so are all that have completed meanwhile: how
// long the loop looks on must not follow from that. The real loop against modelled disks, each with one
// read in flight whose service time jumps, in simulated time: the mean latency is near that of the best
// fixed choice of idle.spin.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/irq/irq_entry.h"
#include "kernel/irq/posted.h"
#include "kernel/run/loop.h"
#include "lib/random.h"
#include "tests/host/irq_world.h"

#define US 1000ull
#define READS 240
#define DISKS_MAX 8
#define LOOK_NS 500         // one look of the loop while it waits
#define ROUND_NS 300        // one round that has something to do
#define SPIN_NS (2000 * US) // idle.spin= as a rule

// The order in which service times follow one another.
enum pattern { ALTERNATING, RANDOM, IN_PHASES, RARELY_SLOW, PATTERNS };

static const uint64_t services[] = { 10 * US, 100 * US, 1000 * US };

static struct disk {
    struct irq *irq;
    uint64_t submitted_ns, due_ns;
    bool pending;
} disks[DISKS_MAX];

static struct {
    unsigned disks, reads;
    enum pattern pattern;
    uint64_t wake_ns, random, latency_ns;
    bool fixed; // it looks on for all of idle.spin, whatever came
    bool stop;
} play;

// ---- the disks ----

static uint64_t next_service(void)
{
    switch (play.pattern) {
    case ALTERNATING:
        return services[play.reads % 3];
    case RANDOM:
        return services[random_below(&play.random, 3)];
    case IN_PHASES:
        return services[play.reads / 20 % 3];
    default:
        return services[play.reads % 50 ? 0 : 2];
    }
}

static void submit(struct disk *disk)
{
    disk->submitted_ns = world.now_ns;
    disk->due_ns = world.now_ns + next_service();
    disk->pending = true;
}

static void read_done(void *arg)
{
    struct disk *disk = arg;
    play.latency_ns += world.now_ns - disk->submitted_ns;
    play.stop = ++play.reads >= READS;
    if (play.fixed)
        cpus[0].stats.msis += 100; // as after a burst
    submit(disk);
}

static void complete_what_is_due(void)
{
    for (unsigned i = 0; i < play.disks; i++)
        if (disks[i].pending && disks[i].due_ns <= world.now_ns) {
            disks[i].pending = false;
            post(0, disks[i].irq->vector);
        }
}

static uint64_t next_due(void)
{
    uint64_t due = UINT64_MAX;
    for (unsigned i = 0; i < play.disks; i++)
        if (disks[i].pending)
            due = MIN(due, disks[i].due_ns);
    return due;
}

// ---- the CPU ----

static void look(void)
{
    world.now_ns += LOOK_NS;
    complete_what_is_due();
}

static void run_a_round(void)
{
    world.now_ns += ROUND_NS;
    complete_what_is_due();
}

// What completes while it wakes up is late as well.
static void sleep_and_wake_up(void)
{
    world.now_ns = MAX(world.now_ns, next_due());
    complete_what_is_due();
    world.now_ns += play.wake_ns;
    complete_what_is_due();
}

static uint64_t mean_latency(unsigned count, enum pattern pattern, uint64_t wake_ns,
                             uint64_t spin_ns, bool fixed)
{
    start_with((struct irq_config){ .mode = IRQ_ADAPTIVE, .spin_ns = spin_ns });
    memset(&play, 0, sizeof(play));
    play.disks = count;
    play.pattern = pattern;
    play.wake_ns = wake_ns;
    play.random = 1;
    play.fixed = fixed;
    for (unsigned i = 0; i < count; i++) {
        struct problem p;
        disks[i] =
            (struct disk){ .irq = irq_alloc(&world.device, i, 0, read_done, &disks[i], "x", &p) };
        submit(&disks[i]);
    }
    world.on_tsc = look;
    world.on_flush = run_a_round;
    world.on_halt = sleep_and_wake_up;
    cpu_run_until(&play.stop);
    return play.latency_ns / READS;
}

static uint64_t best_fixed(unsigned count, enum pattern pattern, uint64_t wake_ns)
{
    static const uint64_t spins[] = { 0, 16 * US, 160 * US, SPIN_NS };
    uint64_t best = UINT64_MAX;
    for (unsigned i = 0; i < ARRAY_SIZE(spins); i++)
        best = MIN(best, mean_latency(count, pattern, wake_ns, spins[i], true));
    return best;
}

// ---- the tests ----

// From a core's own halt to a virtual CPU that its host wakes.
static const uint64_t wakes[] = { 1 * US, 3 * US, 10 * US, 30 * US };

static void one_read_in_flight_is_near_the_best(void **state)
{
    for (enum pattern pattern = ALTERNATING; pattern < RARELY_SLOW; pattern++)
        for (unsigned i = 0; i < ARRAY_SIZE(wakes); i++) {
            uint64_t best = best_fixed(1, pattern, wakes[i]);
            uint64_t mean = mean_latency(1, pattern, wakes[i], SPIN_NS, false);
            assert_true(mean <= best * 110 / 100);
        }
}

// However late it is: a single one earns no look.
static void a_late_wake_up_earns_no_look(void **state)
{
    for (enum pattern pattern = ALTERNATING; pattern < PATTERNS; pattern++)
        for (uint64_t wake_ns = US; wake_ns <= 4000 * US; wake_ns *= 4) {
            mean_latency(1, pattern, wake_ns, SPIN_NS, false);
            assert_int_equal(cpus[0].spin_tsc, 0);
            assert_int_equal(cpus[0].stats.spins, 0);
            assert_in_range(world.halts, READS - 1, READS);
        }
}

// With more of them, what completes during a wake-up earns a look, which finds the next ones in time.
static void so_are_several(void **state)
{
    for (unsigned count = 2; count <= DISKS_MAX; count *= 4)
        for (enum pattern pattern = ALTERNATING; pattern < RARELY_SLOW; pattern++)
            for (unsigned i = 0; i < ARRAY_SIZE(wakes); i++) {
                uint64_t best = best_fixed(count, pattern, wakes[i]);
                uint64_t mean = mean_latency(count, pattern, wakes[i], SPIN_NS, false);
                assert_true(mean <= best * 110 / 100);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_read_in_flight_is_near_the_best),
        cmocka_unit_test(a_late_wake_up_earns_no_look),
        cmocka_unit_test(so_are_several),
    };
    return cmocka_run_group_tests_name("oversleeping", tests, NULL, NULL);
}
