// SPDX-License-Identifier: BSD-2-Clause
// Threads hammer one descriptor, under TSan: several post as remapping units do, one harvests as
// irq_take_notification() does, and only when notified. It goes in short rounds, since a lost post
// shows only when no later one heals it: after each round, all that was posted must have been seen.

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "kernel/irq/posted.h"

#define POSTERS 3
#define LOOPS 3

static struct pi_desc desc;
static _Atomic uint64_t posted[POSTERS]; // number of the last post
static uint64_t seen[POSTERS];           // the harvester's
static _Atomic unsigned notifications;   // sent
static _Atomic unsigned round_number, finished;
static _Atomic bool stop;

static uint8_t vector_of(unsigned poster)
{
    return (uint8_t)(40 + 70 * poster); // in different words
}

// The moment right after a harvest is the dangerous one: waits for it, but not for ever.
static void wait_for_harvest(unsigned me)
{
    uint64_t bit = BIT64(vector_of(me) % 64);
    for (unsigned tries = 0; tries < 2000; tries++)
        if (!(atomic_load_explicit(&desc.pir[vector_of(me) / 64], memory_order_relaxed) & bit))
            return;
}

static void post_some(unsigned me, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        wait_for_harvest(me);
        atomic_fetch_add_explicit(&posted[me], 1, memory_order_relaxed);
        if (pi_post(&desc, vector_of(me), false))
            atomic_fetch_add(&notifications, 1);
    }
}

static void *post(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    for (unsigned last = 0; !atomic_load(&stop);) {
        unsigned now = atomic_load(&round_number);
        if (now == last) {
            sched_yield();
            continue;
        }
        last = now;
        post_some(me, 1 + (now * 7 + me * 3) % 5);
        atomic_fetch_add(&finished, 1);
    }
    return NULL;
}

static bool harvest(void)
{
    bool any = false;
    for (unsigned w = 0; w < PI_WORDS; w++) {
        uint64_t bits = pi_take(&desc, w);
        any |= bits != 0;
        for (unsigned i = 0; i < POSTERS; i++)
            if (vector_of(i) / 64 == w && bits & BIT64(vector_of(i) % 64))
                seen[i] = atomic_load_explicit(&posted[i], memory_order_relaxed);
    }
    return any;
}

static void take_notification(void)
{
    for (unsigned loop = 0; loop < LOOPS && harvest(); loop++)
        ;
    pi_clear_on(&desc);
    harvest();
}

// Until all have posted and no notification is left.
static void play_round(unsigned *taken)
{
    atomic_store(&finished, 0);
    atomic_fetch_add(&round_number, 1);
    for (;;) {
        bool last = atomic_load(&finished) == POSTERS;
        if (*taken < atomic_load(&notifications)) {
            ++*taken;
            take_notification();
        } else if (last) {
            return;
        }
    }
}

static uint64_t seconds(void)
{
    const char *text = getenv("ONEBELL_THREADS_SECONDS");
    return text ? strtoull(text, NULL, 10) : 5;
}

static void no_post_is_lost(void **state)
{
    pthread_t threads[POSTERS];
    unsigned taken = 0;
    time_t end = time(NULL) + (time_t)seconds();
    pi_init(&desc, 0, 0xef, false);
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_create(&threads[i], NULL, post, (void *)(uintptr_t)i);
    while (time(NULL) < end) {
        play_round(&taken);
        for (unsigned i = 0; i < POSTERS; i++)
            assert_int_equal(seen[i], posted[i]);
        for (unsigned w = 0; w < PI_WORDS; w++)
            assert_int_equal(desc.pir[w], 0);
    }
    atomic_store(&stop, true);
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    assert_true(taken > 0);
    print_message("%u rounds, %u notifications\n", round_number, taken);
}

// ---- what comes with a post ----

#define LETTERS 20000

static unsigned letter; // plain: the post alone orders it
static _Atomic unsigned answered;

static void *write_letters(void *arg)
{
    for (unsigned i = 1; i <= LETTERS; i++) {
        letter = i;
        pi_post(&desc, 99, false);
        while (atomic_load_explicit(&answered, memory_order_acquire) < i)
            sched_yield();
    }
    return NULL;
}

static void what_was_written_before_a_post_is_there(void **state)
{
    pthread_t thread;
    pi_init(&desc, 0, 0xef, true);
    pthread_create(&thread, NULL, write_letters, NULL);
    for (unsigned i = 1; i <= LETTERS; i++) {
        while (pi_take(&desc, 99 / 64) != BIT64(99 % 64))
            sched_yield();
        assert_int_equal(letter, i);
        atomic_store_explicit(&answered, i, memory_order_release);
    }
    pthread_join(thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_post_is_lost),
        cmocka_unit_test(what_was_written_before_a_post_is_there),
    };
    return cmocka_run_group_tests_name("posted, threads", tests, NULL, NULL);
}
