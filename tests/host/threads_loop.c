// SPDX-License-Identifier: BSD-2-Clause
// The CPU's real loop and interrupt handlers against threads that post as remapping units do, under
// TSan, in each way to wait: every post is handled. It goes in short rounds, since a lost post shows
// only when no later one heals it: all posters wait until the last of theirs was handled.

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "kernel/irq/irq_entry.h"
#include "kernel/irq/posted.h"
#include "kernel/run/loop.h"
#include "tests/host/irq_world.h"

#define POSTERS 3
#define LOST_S 5 // so long without an answer is never

static struct {
    struct irq *irqs[POSTERS];
    _Atomic uint64_t posted[POSTERS], seen[POSTERS]; // number of the last one
    _Atomic bool requested;                          // the notification's bit in IRR
    _Atomic bool lost, ending;
    pthread_barrier_t round;
    bool last_round; // written by the first poster before the barrier
    bool stop;       // the loop
    unsigned handlers, rounds;
} run;

static uint64_t now_s(void)
{
    return (uint64_t)time(NULL);
}

static uint64_t seconds(void)
{
    const char *text = getenv("ONEBELL_THREADS_SECONDS");
    return text ? strtoull(text, NULL, 10) : 5;
}

// ---- the posters ----

static void post_one(unsigned i)
{
    atomic_fetch_add(&run.posted[i], 1);
    if (pi_post(&cpus[0].pi, run.irqs[i]->vector, run.irqs[i]->urgent))
        atomic_store(&run.requested, true);
}

// The moment right after a harvest is the dangerous one: waits for it, but not for ever.
static void wait_for_harvest(unsigned i)
{
    uint8_t vector = run.irqs[i]->vector;
    for (unsigned tries = 0; tries < 2000; tries++)
        if (!(atomic_load_explicit(&cpus[0].pi.pir[vector / 64], memory_order_relaxed) &
              BIT64(vector % 64)))
            return;
}

static void wait_until_seen(unsigned i)
{
    uint64_t end = now_s() + LOST_S;
    while (atomic_load(&run.seen[i]) < atomic_load(&run.posted[i])) {
        sched_yield();
        if (now_s() > end) {
            atomic_store(&run.lost, true);
            return;
        }
    }
}

static void *post_on(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    uint64_t end = now_s() + MAX(seconds() / 4, 1ull);
    for (unsigned round = 0;; round++) {
        if (me == 0) {
            run.last_round = now_s() > end || atomic_load(&run.lost);
            run.rounds = round;
        }
        pthread_barrier_wait(&run.round);
        if (run.last_round)
            return NULL;
        for (unsigned i = 0; i < 1 + (round * 7 + me * 3) % 5; i++) {
            wait_for_harvest(me);
            post_one(me);
        }
        wait_until_seen(me);
        pthread_barrier_wait(&run.round);
    }
}

// When the posters have ended, the loop gets one more post, and ends with it.
static void *manage(void *arg)
{
    pthread_t threads[POSTERS];
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_create(&threads[i], NULL, post_on, (void *)(uintptr_t)i);
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&run.ending, true);
    post_one(0);
    return NULL;
}

// ---- the CPU ----

static void seen(void *arg)
{
    unsigned i = (unsigned)(uintptr_t)arg;
    atomic_store(&run.seen[i], atomic_load(&run.posted[i]));
    run.handlers++;
    if (atomic_load(&run.ending))
        run.stop = true;
}

static void interrupt(void)
{
    if (!atomic_exchange(&run.requested, false))
        return;
    world.enabled = false;
    irq_take_notification();
    world.enabled = true;
}

static void halt(void)
{
    bool mwait = irq_get_config()->mwait;
    while (!atomic_load(&run.requested) && !(mwait && pi_any(&cpus[0].pi))) {
        sched_yield();
        if (atomic_load(&run.ending) && atomic_load(&run.lost)) { // nothing wakes it
            run.stop = true;
            return;
        }
    }
    interrupt();
}

static struct irq *make_irq(unsigned i, bool urgent)
{
    struct problem p;
    struct irq *irq = irq_alloc(&world.device, i, 0, seen, (void *)(uintptr_t)i, "thread", &p);
    assert_non_null(irq);
    assert_true(irq_set_urgent(irq, urgent, &p));
    return irq;
}

static void nothing_is_lost(struct irq_config config, bool urgent)
{
    pthread_t manager;
    start_with(config);
    memset(&run, 0, sizeof(run));
    pthread_barrier_init(&run.round, NULL, POSTERS);
    for (unsigned i = 0; i < POSTERS; i++)
        run.irqs[i] = make_irq(i, urgent && i == 0);
    world.on_halt = halt;
    world.interrupt = interrupt;
    pthread_create(&manager, NULL, manage, NULL);
    cpu_run_until(&run.stop);
    pthread_join(manager, NULL);
    pthread_barrier_destroy(&run.round);
    assert_false(run.lost);
    assert_true(run.rounds > 0);
    print_message("%u rounds, %u handlers ran, %lu notifications, %lu sleeps\n", run.rounds,
                  run.handlers, cpus[0].stats.notifications, cpus[0].stats.sleeps);
}

static void posted(void **state)
{
    nothing_is_lost((struct irq_config){ .mode = IRQ_POSTED }, false);
}

static void adaptive(void **state)
{
    nothing_is_lost((struct irq_config){ .mode = IRQ_ADAPTIVE, .spin_ns = 20000 }, false);
}

static void adaptive_with_an_urgent_one(void **state)
{
    nothing_is_lost((struct irq_config){ .mode = IRQ_ADAPTIVE }, true);
}

static void adaptive_by_mwait(void **state)
{
    nothing_is_lost((struct irq_config){ .mode = IRQ_ADAPTIVE, .mwait = true }, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posted),
        cmocka_unit_test(adaptive),
        cmocka_unit_test(adaptive_with_an_urgent_one),
        cmocka_unit_test(adaptive_by_mwait),
    };
    return cmocka_run_group_tests_name("loop, threads", tests, NULL, NULL);
}
