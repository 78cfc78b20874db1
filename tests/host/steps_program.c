// SPDX-License-Identifier: BSD-2-Clause
// The loop of a domain's CPU, with something for it to do coming at each step: before it sleeps, while it
// makes up its mind, and after it was woken. Nothing is left behind, and it sleeps in the end.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domain/call.h"
#include "domain/cpu.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/domain/event.h"
#include "kernel/irq/irq_config.h"
#include "kernel/mem/mem.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "kernel/x86/time_init.h"
#include "tests/host/irq_world.h"
#include "tests/host/step.h"

#define CPUS 3
#define QUEUES 2
#define QUEUE_EVENT 65 // and the next: in the second word
#define MORE_STEPS 60  // a round, and a look before it sleeps
#define SPIN_STEPS 100 // of a loop that never sleeps: some rounds

struct irq_world world; // step.c's

static struct program_cpu program_cpus[CPUS];
static struct domain_events events[CPUS];
static struct domain_info info;
static bool stop;
static unsigned handled, messages, timers, calls_of_sleep;
static bool tag[QUEUES];    // a completion that the device has written to memory
static bool posted[QUEUES]; // its MSI lies in the descriptor
static bool is_set_up;
static uint64_t now_ns;

// ---- the kernel ----

const struct domain_info *domain_info(void)
{
    return &info;
}

static bool any_bit(unsigned cpu)
{
    for (unsigned w = 0; w < DOMAIN_EVENT_WORDS; w++)
        if (events[cpu].bits[w])
            return true;
    return false;
}

static void set_event(unsigned cpu, unsigned event)
{
    events[cpu].bits[event / 64] |= BIT64(event % 64);
}

// The kernel's loop harvests while the program sleeps.
static void harvest(void)
{
    for (unsigned q = 0; q < QUEUES; q++) {
        if (posted[q])
            set_event(0, QUEUE_EVENT + q);
        posted[q] = false;
    }
}

static uint64_t deadline[CPUS];

static bool is_woken(void)
{
    return any_bit(world.current) || (world.current == 0 && (posted[0] || posted[1])) ||
           now_ns >= deadline[world.current];
}

static void sleep_until(uint64_t ns)
{
    calls_of_sleep++;
    deadline[world.current] = ns;
    if (!is_woken())
        steps_wait(is_woken);
    if (world.current == 0)
        harvest();
}

int64_t domain_call(enum domain_call number, uint64_t a, uint64_t b, uint64_t c)
{
    steps_drain();
    step();
    if (number == DOMAIN_CALL_SLEEP)
        sleep_until(a);
    else if (number == DOMAIN_CALL_WAKE)
        set_event((unsigned)a, DOMAIN_EVENT_WAKE);
    else if (number != DOMAIN_CALL_STATS)
        fail_msg("no such call: %d", (int)number);
    return DOMAIN_OK;
}

// ---- the machine ----

struct cpu *this_cpu(void)
{
    return &program_cpus[world.current].cpu;
}

unsigned cpu_index(void)
{
    return world.current;
}

uint64_t rdtsc(void)
{
    return now_ns;
}

uint64_t time_ns(void)
{
    return now_ns;
}

uint64_t time_tsc_at(uint64_t ns)
{
    return ns;
}

uint64_t time_tsc_span(uint64_t ns)
{
    return ns;
}

void interrupts_off(void)
{
}

uint64_t interrupts_save(void)
{
    return 0;
}

void interrupts_restore(uint64_t flags)
{
}

void *mem_alloc(size_t bytes, size_t align, unsigned node)
{
    static _Alignas(CACHE_LINE) uint8_t memory[8192];
    static size_t used;
    void *at = memory + used;
    used += ALIGN_UP(bytes, CACHE_LINE);
    assert_true(used <= sizeof(memory));
    return at;
}

// ---- what there is to do ----

static void handle(void *arg)
{
    handled += __atomic_exchange_n((bool *)arg, false, __ATOMIC_SEQ_CST);
    stop = irq_get_mode() == IRQ_POLL; // it never rests
}

static bool is_ready(const void *arg)
{
    return __atomic_load_n((const bool *)arg, __ATOMIC_ACQUIRE);
}

static void take_message(struct cpu_msg *msg)
{
    messages++;
    stop = irq_get_mode() == IRQ_POLL;
}

static void take_timer(struct cpu_timer *timer)
{
    timers++;
    stop = irq_get_mode() == IRQ_POLL;
}

static struct cpu_msg message;
static struct cpu_timer timer;

static void post_one(void *arg)
{
    message = (struct cpu_msg){ .fn = take_message };
    cpu_post(0, &message);
}

// While the CPU is awake the MSI tells nobody (SN), but where the mode has it notify.
static void complete(unsigned q)
{
    __atomic_store_n(&tag[q], true, __ATOMIC_SEQ_CST);
    step();
    if (irq_get_mode() == IRQ_POSTED)
        set_event(0, QUEUE_EVENT + q);
    else
        posted[q] = true;
}

static void complete_one(void *arg)
{
    complete(0);
}

static void complete_two(void *arg)
{
    complete(0);
    complete(1);
}

static void let_time_pass(void *arg)
{
    now_ns += 1000;
}

static void run_loop(void *arg)
{
    cpu_run_until(&stop);
}

static void run_loop_with_timer(void *arg)
{
    cpu_timer_start(&timer, 500);
    cpu_run_until(&stop);
}

// The registry of CPUs only grows.
static void set_up(enum irq_mode mode)
{
    irq_set_config(&(struct irq_config){ .mode = mode });
    info.irq_mode = mode;
    for (unsigned i = 0; i < CPUS && !is_set_up; i++)
        program_add_cpu(&program_cpus[i], &events[i]);
    is_set_up = true;
    program_cpus[0].looked_at = NULL;
    for (unsigned q = 0; q < QUEUES; q++)
        event_irq(0, QUEUE_EVENT + q, handle, is_ready, &tag[q], "queue");
}

static void begin(void)
{
    steps_begin(NULL);
    stop = false;
    memset(tag, 0, sizeof(tag));
    memset(posted, 0, sizeof(posted));
    handled = messages = timers = calls_of_sleep = 0;
    now_ns = 0;
    memset(events, 0, sizeof(events));
    for (unsigned i = 0; i < CPUS; i++) {
        struct cpu *cpu = &program_cpus[i].cpu;
        atomic_store(&cpu->inbox, NULL);
        atomic_store(&cpu->sleeping, false);
        cpu->irq_mode = (uint8_t)irq_get_mode();
        cpu->timers = NULL;
        cpu->timer_due = cpu->looping = false;
        cpu->round_tsc = 0;
        memset(cpu->ready, 0, sizeof(cpu->ready));
    }
    timer = (struct cpu_timer){ .fn = take_timer };
}

static void is_at_rest(void)
{
    const struct cpu *cpu = &program_cpus[0].cpu;
    assert_false(tag[0] || tag[1]);
    assert_null(atomic_load(&cpu->inbox));
    if (irq_get_mode() == IRQ_POLL)
        return;
    assert_false(posted[0] || posted[1]);
    assert_true(atomic_load(&cpu->sleeping));
}

// ---- plays ----

struct what {
    void (*loop)(void *), (*first)(void *), (*second)(void *);
    unsigned messages, handled, timers; // in the end
};

// The others come after the loop has made so many steps, and pause in turn while it makes some more. False:
// it slept before that.
static bool play(const struct what *what, unsigned at, unsigned pause, unsigned more, bool *paused)
{
    begin();
    unsigned cpu = steps_add(0, what->loop, NULL);
    bool awake = steps_run(cpu, at);
    unsigned first = steps_add(1, what->first, NULL);
    *paused = steps_run(first, pause);
    steps_run(cpu, more);
    if (what->second)
        steps_run(steps_add(2, what->second, NULL), STEPS_ALL);
    steps_run(first, STEPS_ALL);
    steps_rest();
    is_at_rest();
    assert_int_equal(messages, what->messages);
    assert_int_equal(handled, what->handled);
    assert_int_equal(timers, what->timers);
    return awake && (irq_get_mode() != IRQ_POLL || at < SPIN_STEPS);
}

static void play_all(struct what what)
{
    bool paused = true;
    for (unsigned pause = 1, at; paused; pause++)
        for (unsigned more = 1; more < MORE_STEPS; more++) {
            for (at = 1; play(&what, at, pause, more, &paused); at++)
                ;
            assert_true(at > 10);
        }
}

static void in_mode(enum irq_mode mode)
{
    set_up(mode);
    play_all((struct what){ .loop = run_loop, .first = post_one, .messages = 1 });
    play_all((struct what){ .loop = run_loop, .first = complete_one, .handled = 1 });
    play_all((struct what){ .loop = run_loop_with_timer, .first = let_time_pass, .timers = 1 });
    if (mode == IRQ_POLL)
        return; // ends with the first that comes
    play_all((struct what){
        .loop = run_loop, .first = complete_two, .second = post_one, .messages = 1, .handled = 2 });
}

static void posted_mode(void **state)
{
    in_mode(IRQ_POSTED);
}

static void adaptive(void **state)
{
    in_mode(IRQ_ADAPTIVE);
}

static void poll(void **state)
{
    in_mode(IRQ_POLL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posted_mode),
        cmocka_unit_test(adaptive),
        cmocka_unit_test(poll),
    };
    return cmocka_run_group_tests_name("a program's loop, step by step", tests, NULL, NULL);
}
