// SPDX-License-Identifier: BSD-2-Clause
// Two CPUs send messages to a third one, which works or sleeps, with each pausing at any step: all
// arrive, each once, each sender's in order.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/cpu/msg.h"
#include "tests/host/step_machine.h"

#define SENDERS 2
#define EACH 2

static struct numbered {
    struct cpu_msg msg;
    unsigned sender, number;
} messages[SENDERS][EACH];
static unsigned arrived[SENDERS];

static void arrive(struct cpu_msg *msg)
{
    const struct numbered *m = container_of(msg, struct numbered, msg);
    assert_int_equal(world.current, 0);
    assert_int_equal(m->number, arrived[m->sender]++);
}

static void send_all(void *arg)
{
    unsigned sender = (unsigned)(uintptr_t)arg;
    for (unsigned i = 0; i < EACH; i++) {
        messages[sender][i] = (struct numbered){ { .fn = arrive }, sender, i };
        cpu_post(0, &messages[sender][i].msg);
    }
}

struct pauses {
    unsigned receiver, first, second;
};

// False where the receiver slept before its pause; the senders' answers likewise.
static bool play(const struct irq_config *config, struct pauses at, bool *first_paused,
                 bool *second_paused)
{
    machine_start(3, *config);
    cpus[1].online = cpus[2].online = false; // they only send
    arrived[0] = arrived[1] = 0;
    unsigned receiver = machine_cpu(0), first = steps_add(1, send_all, (void *)0),
             second = steps_add(2, send_all, (void *)1);
    bool awake = steps_run(receiver, at.receiver);
    *first_paused = steps_run(first, at.first);
    *second_paused = steps_run(second, at.second);
    steps_run(receiver, at.receiver);
    steps_rest();
    assert_int_equal(arrived[0], EACH);
    assert_int_equal(arrived[1], EACH);
    machine_is_at_rest();
    return awake;
}

static void all_arrive(struct irq_config config)
{
    struct pauses at = { .first = 1 };
    for (bool first = true; first; at.first++) {
        at.second = 1;
        for (bool second = true; second; at.second++) {
            at.receiver = 1;
            while (play(&config, at, &first, &second))
                at.receiver += 1 + at.receiver / 40;
        }
    }
    assert_true(at.first > 10 && at.second > 10 && at.receiver > 20);
}

static void remapped(void **state)
{
    all_arrive((struct irq_config){ .mode = IRQ_REMAPPED });
}

static void adaptive(void **state)
{
    all_arrive((struct irq_config){ .mode = IRQ_ADAPTIVE });
}

static void adaptive_with_mwait(void **state)
{
    all_arrive((struct irq_config){ .mode = IRQ_ADAPTIVE, .mwait = true });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remapped),
        cmocka_unit_test(adaptive),
        cmocka_unit_test(adaptive_with_mwait),
    };
    return cmocka_run_group_tests_name("messages, step by step", tests, NULL, NULL);
}
