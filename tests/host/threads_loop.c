// SPDX-License-Identifier: BSD-2-Clause
// The CPU's real loop and interrupt handlers against threads that post as remapping units do, under
// TSan, in each way to wait: every post is handled. A lost one is noticed by its poster, which waits
// for it, since a later post would heal it.

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "kernel/irq_entry.h"
#include "tests/host/irq_world.h"

#define POSTERS 3
#define LOST_S 20 // so long without an answer is never

static struct {
    struct irq *irqs[POSTERS];
    _Atomic uint64_t posted[POSTERS], seen[POSTERS]; // number of the last one
    _Atomic bool requested;                          // the notification's bit in IRR
    _Atomic bool quit, lost;
    bool stop; // the loop
    uint64_t rounds;
} run;

static uint64_t now_s(void)
{
    return (uint64_t)time(NULL);
}

// ---- the posters ----

static void wait_until_seen(unsigned me, uint64_t number)
{
    uint64_t end = now_s() + LOST_S;
    while (atomic_load(&run.seen[me]) < number && !atomic_load(&run.quit)) {
        sched_yield();
        if (now_s() > end) {
            atomic_store(&run.lost, true);
            atomic_store(&run.quit, true);
        }
    }
}

static void post_one(unsigned me, bool urgent)
{
    uint64_t number = atomic_fetch_add(&run.posted[me], 1) + 1;
    if (pi_post(&cpus[0].pi, run.irqs[me]->vector, urgent))
        atomic_store(&run.requested, true);
    if (number % 3 == 0)
        wait_until_seen(me, number);
}

static void *post_on(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    while (!atomic_load(&run.quit))
        post_one(me, run.irqs[me]->urgent);
    return NULL;
}

// ---- the CPU ----

static void end_loop(void)
{
    __atomic_store_n(&run.stop, true, __ATOMIC_RELEASE);
}

static void seen(void *arg)
{
    unsigned i = (unsigned)(uintptr_t)arg;
    atomic_store(&run.seen[i], atomic_load(&run.posted[i]));
    run.rounds++;
    if (atomic_load(&run.quit))
        end_loop();
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
        if (atomic_load(&run.quit)) {
            end_loop();
            return;
        }
    }
    interrupt();
}

static uint64_t seconds(void)
{
    const char *text = getenv("ONEBELL_THREADS_SECONDS");
    return text ? strtoull(text, NULL, 10) : 5;
}

static void *end_it(void *arg)
{
    uint64_t end = now_s() + MAX(seconds() / 4, 1ull);
    while (now_s() < end && !atomic_load(&run.quit))
        sched_yield();
    atomic_store(&run.quit, true);
    // What waits for work gets some, and ends then.
    while (!__atomic_load_n(&run.stop, __ATOMIC_ACQUIRE)) {
        if (pi_post(&cpus[0].pi, run.irqs[0]->vector, false))
            atomic_store(&run.requested, true);
        sched_yield();
    }
    return NULL;
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
    pthread_t threads[POSTERS], ender;
    start_with(config);
    run = (typeof(run)){ 0 };
    for (unsigned i = 0; i < POSTERS; i++)
        run.irqs[i] = make_irq(i, urgent && i == 0);
    world.on_halt = halt;
    world.interrupt = interrupt;
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_create(&threads[i], NULL, post_on, (void *)(uintptr_t)i);
    pthread_create(&ender, NULL, end_it, NULL);
    cpu_run_until(&run.stop);
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    pthread_join(ender, NULL);
    assert_false(run.lost);
    assert_true(run.rounds > 0);
    print_message("%lu handlers ran, %lu notifications, %lu sleeps\n", run.rounds,
                  cpus[0].stats.notifications, cpus[0].stats.sleeps);
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
