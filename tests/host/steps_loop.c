// SPDX-License-Identifier: BSD-2-Clause
// One CPU's loop and its interrupt handlers, with something for it to do coming at each step: before
// it first sleeps, and after it was woken. Whatever comes is handled, and leaves nothing behind.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/x86/vectors.h"
#include "tests/host/step_machine.h"

#define SPIN_STEPS 200 // of a loop that never sleeps: some rounds

enum { WAKER, PLAIN, URGENT, IMMEDIATE, IRQS }; // irqs of CPU 0

static struct irq *irqs[IRQS];
static unsigned handled[IRQS], faults, timers, messages;
static bool in_immediate;
static bool in_one_word; // all vectors
static bool plain;       // no irq is urgent or immediate
static struct cpu_timer timer;
static struct cpu_msg message;

// ---- what is done ----

static bool is_polling(void)
{
    return irq_get_mode() == IRQ_POLL || irq_get_config()->spin_ns;
}

static void one_more(unsigned *count)
{
    ++*count;
    machine_stop = is_polling(); // it never rests
}

static void handle(void *arg)
{
    step();
    one_more(&handled[(uintptr_t)arg]);
}

static void handle_at_once(void *arg)
{
    assert_false(in_immediate);
    in_immediate = true;
    step();
    one_more(&handled[(uintptr_t)arg]);
    step();
    in_immediate = false;
}

static void handle_fault(void)
{
    one_more(&faults);
}

static void handle_timer(struct cpu_timer *t)
{
    one_more(&timers);
}

static void handle_message(struct cpu_msg *msg)
{
    one_more(&messages);
}

// ---- what comes ----

static void send(void *irq)
{
    machine_send(irqs[(uintptr_t)irq]);
}

static void fault(void *arg)
{
    machine_request(0, VECTOR_FAULT);
}

static void expire(void *arg)
{
    world.now_ns = timer.due_ns;
    machine_request(0, VECTOR_TIMER);
}

static void send_message(void *arg)
{
    cpu_post(0, &message);
}

struct event {
    void (*run)(void *);
    uintptr_t arg;
    unsigned cpu;
    unsigned *count; // of its handler's calls
};

static const struct event events[] = {
    { send, PLAIN, STEPS_NO_CPU, &handled[PLAIN] },
    { send, URGENT, STEPS_NO_CPU, &handled[URGENT] },
    { send, IMMEDIATE, STEPS_NO_CPU, &handled[IMMEDIATE] },
    { fault, 0, STEPS_NO_CPU, &faults },
    { expire, 0, STEPS_NO_CPU, &timers },
    { send_message, 0, 1, &messages },
};

// ---- the play ----

static void make_irq(unsigned i, uint8_t vector)
{
    struct problem p;
    keep_vectors(0, vector);
    irqs[i] = irq_alloc(&world.device, i, 0, i == IMMEDIATE && !plain ? handle_at_once : handle,
                        (void *)(uintptr_t)i, "step", &p);
    assert_int_equal(irqs[i]->vector, vector);
    give_vectors_back(0);
    handled[i] = 0;
}

static void reset(const struct irq_config *config)
{
    static const uint8_t apart[IRQS] = { 33, 200, 100, 150 }; // one in each word
    static const uint8_t together[IRQS] = { 201, 202, 203, 204 };
    static const uint8_t in_the_first[IRQS] = { 41, 42, 43, 44 };
    const uint8_t *vectors = plain ? in_the_first : in_one_word ? together : apart;
    struct problem p;
    machine_start(2, *config);
    cpus[1].online = false; // it only sends
    for (unsigned i = 0; i < IRQS; i++)
        make_irq(i, vectors[i]);
    if (!plain) {
        assert_true(irq_set_urgent(irqs[URGENT], true, &p));
        irq_set_immediate(irqs[IMMEDIATE]);
    }
    irq_set_fault_handler(handle_fault);
    faults = timers = messages = 0;
    timer = (struct cpu_timer){ .fn = handle_timer };
    message = (struct cpu_msg){ .fn = handle_message };
    cpu_timer_start(&timer, 1000000);
}

static unsigned add(const struct event *event)
{
    return steps_add(event->cpu, event->run, (void *)event->arg);
}

static void check(const struct event *event)
{
    assert_int_equal(*event->count, 1);
    assert_int_equal(cpus[0].stats.spurious, 0);
    if (!is_polling())
        machine_is_at_rest();
}

// The CPU sleeps, and is woken.
static void wake(unsigned cpu)
{
    assert_false(steps_run(cpu, STEPS_ALL));
    machine_send(irqs[WAKER]);
}

// The event begins when the CPU has made so many steps, and makes some itself before the CPU goes
// on. False where the CPU sleeps before that: then it has woken it.
static bool comes_after(const struct irq_config *config, const struct event *event, bool woken,
                        unsigned steps, unsigned own)
{
    reset(config);
    unsigned cpu = machine_cpu(0), other = add(event);
    if (woken)
        wake(cpu);
    bool awake = steps_run(cpu, steps);
    steps_run(other, own);
    steps_rest();
    check(event);
    return awake;
}

static void comes_at_any_step(const struct irq_config *config, const struct event *event,
                              bool woken, unsigned own)
{
    unsigned steps = 1, most = is_polling() ? SPIN_STEPS : UINT32_MAX;
    while (comes_after(config, event, woken, steps, own) && steps < most)
        steps++;
    assert_true(steps > (plain ? 25 : 50));
}

// Another one comes some steps after the first. Either may end a loop that never rests.
static bool come_after(const struct irq_config *config, const struct event *first,
                       const struct event *second, unsigned steps, unsigned later)
{
    reset(config);
    unsigned cpu = machine_cpu(0), one = add(first), two = add(second);
    bool awake = steps_run(cpu, steps);
    steps_run(one, STEPS_ALL);
    steps_run(cpu, later);
    steps_run(two, STEPS_ALL);
    steps_rest();
    if (!is_polling()) {
        check(first);
        check(second);
    }
    return awake;
}

static void two_come(const struct irq_config *config, const struct event *first,
                     const struct event *second)
{
    for (unsigned later = 1; later < 150; later += 1 + later / 3)
        for (unsigned steps = 1; come_after(config, first, second, steps, later); steps++)
            if (is_polling() && steps == SPIN_STEPS)
                break;
}

static void one_comes(const struct irq_config *config)
{
    unsigned times = is_polling() ? 1 : 2;
    for (unsigned i = 0; i < ARRAY_SIZE(events); i++)
        for (unsigned own = 0; own < 4; own++)
            for (unsigned woken = 0; woken < times; woken++)
                comes_at_any_step(config, &events[i], woken, own);
}

static void come_at_any_step(struct irq_config config)
{
    in_one_word = false;
    reset(&config);
    for (unsigned i = 0; i < 2; i++) {
        steps_seen_at_once = i == 0;
        one_comes(&config);
    }
    in_one_word = true;
    for (unsigned i = 0; i < ARRAY_SIZE(events); i++)
        for (unsigned j = 0; j < ARRAY_SIZE(events); j++)
            if (i != j)
                two_come(&config, &events[i], &events[j]);
}

static void remapped(void **state)
{
    come_at_any_step((struct irq_config){ .mode = IRQ_REMAPPED });
}

static void posted(void **state)
{
    come_at_any_step((struct irq_config){ .mode = IRQ_POSTED });
}

// Notifications wait for the end of handlers that run.
static void posted_plain(void **state)
{
    plain = true;
    come_at_any_step((struct irq_config){ .mode = IRQ_POSTED });
    plain = false;
}

static void send_often(void *irq)
{
    for (unsigned i = 0; i < 100; i++)
        send(irq);
}

// However fast a device posts, a notification's handler ends: posted.loops, and the last harvest.
static void a_loud_device_ends_no_loop(void **state)
{
    struct irq_config config = { .mode = IRQ_POSTED, .loops = 3 };
    plain = true;
    for (unsigned own = 1; own < 40; own++) {
        reset(&config);
        unsigned cpu = machine_cpu(0), loud = steps_add(STEPS_NO_CPU, send_often, (void *)PLAIN);
        while (!steps_ended(loud)) {
            steps_run(loud, own);
            steps_run(cpu, 1);
        }
        steps_rest();
        machine_is_at_rest();
        for (unsigned i = config.loops + 2; i < CPU_STATS_LOOPS; i++)
            assert_int_equal(cpus[0].stats.loops[i], 0);
    }
    plain = false;
}

static void adaptive(void **state)
{
    come_at_any_step((struct irq_config){ .mode = IRQ_ADAPTIVE });
}

static void adaptive_with_mwait(void **state)
{
    come_at_any_step((struct irq_config){ .mode = IRQ_ADAPTIVE, .mwait = true });
}

static void adaptive_with_a_window(void **state)
{
    come_at_any_step((struct irq_config){ .mode = IRQ_ADAPTIVE, .window_ns = 1000 });
}

static void adaptive_that_spins(void **state)
{
    come_at_any_step((struct irq_config){ .mode = IRQ_ADAPTIVE, .spin_ns = 1ull << 60 });
}

static void polling(void **state)
{
    come_at_any_step((struct irq_config){ .mode = IRQ_POLL });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remapped),
        cmocka_unit_test(posted),
        cmocka_unit_test(posted_plain),
        cmocka_unit_test(a_loud_device_ends_no_loop),
        cmocka_unit_test(adaptive),
        cmocka_unit_test(adaptive_with_mwait),
        cmocka_unit_test(adaptive_with_a_window),
        cmocka_unit_test(adaptive_that_spins),
        cmocka_unit_test(polling),
    };
    return cmocka_run_group_tests_name("loop, step by step", tests, NULL, NULL);
}
