// SPDX-License-Identifier: BSD-2-Clause
// Messages between real threads, under TSan: what a sender wrote before cpu_post() is there for the
// function that the message calls, and each message arrives once, its sender's in order.

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/cpu/msg.h"
#include "kernel/cpu/work.h"
#include "tests/host/irq_world.h"

#define SENDERS 3
#define MESSAGES 20000

static struct letter {
    struct cpu_msg msg;
    unsigned sender, number; // plain: only cpu_post() orders them
} letters[SENDERS][MESSAGES];
static unsigned arrived[SENDERS];
static _Atomic bool wrong;

static void arrive(struct cpu_msg *msg)
{
    const struct letter *letter = container_of(msg, struct letter, msg);
    if (letter->number != arrived[letter->sender]++)
        wrong = true;
}

static void *send_all(void *arg)
{
    unsigned sender = (unsigned)(uintptr_t)arg;
    for (unsigned i = 0; i < MESSAGES; i++) {
        struct letter *letter = &letters[sender][i];
        letter->sender = sender;
        letter->number = i;
        letter->msg.fn = arrive;
        cpu_post(0, &letter->msg);
    }
    return NULL;
}

static bool all_arrived(void)
{
    for (unsigned i = 0; i < SENDERS; i++)
        if (arrived[i] < MESSAGES)
            return false;
    return true;
}

static void what_is_sent_arrives_whole_and_in_order(void **state)
{
    pthread_t threads[SENDERS];
    start(IRQ_POSTED);
    for (unsigned i = 0; i < SENDERS; i++)
        pthread_create(&threads[i], NULL, send_all, (void *)(uintptr_t)i);
    while (!all_arrived())
        if (!cpu_run_messages(&cpus[0]))
            sched_yield();
    for (unsigned i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    assert_false(wrong);
    assert_null(cpus[0].inbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_sent_arrives_whole_and_in_order) };
    return cmocka_run_group_tests_name("messages, threads", tests, NULL, NULL);
}
