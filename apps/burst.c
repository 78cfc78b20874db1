// SPDX-License-Identifier: BSD-2-Clause
// app=burst: many vectors become pending on one CPU while its interrupts are off, each with a handler
// that takes long. Shows that one notification carries them all, and that a timer which falls due in
// the middle needn't wait for all handlers (posted.preempt=1), or does (0, as in Linux).
//
// The vectors are MSI-X entries of the first disk's controller that its queues don't use, raised by
// software in the way of a remapping unit: PIR bit, ON, notification.
#include "apps/apps.h"
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/irq.h"
#include "kernel/mem.h"
#include "kernel/report.h"
#include "kernel/time.h"
#include "kernel/vectors.h"
#include "kernel/x86.h"
#include "lib/format.h"
#include "lib/json.h"

#define DEADLINE_NS (10 * NS_PER_S)

static const struct option options[] = {
    { .name = "vectors",
      .kind = OPTION_NUMBER,
      .fallback = "200",
      .min = 2,
      .max = 200,
      .help = "how many become pending at once" },
    { .name = "work",
      .kind = OPTION_NUMBER,
      .fallback = "10000",
      .min = 100,
      .max = 100000000,
      .help = "instructions of each handler" },
    { .name = NULL },
};

static struct {
    struct irq **irqs;
    unsigned vectors;
    uint64_t work;
    unsigned handled;
    unsigned waited; // handlers that began while the timer's interrupt was requested and not taken
    uint64_t timers_before;
    bool timer_seen; // taken before the last handler began
} burst;

// Two instructions a turn.
static void spend(uint64_t instructions)
{
    uint64_t turns = instructions / 2;
    __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(turns));
}

static void handler(void *arg)
{
    burst.waited += apic_is_requested(VECTOR_TIMER);
    burst.timer_seen |= cpu_stats(0)->timers != burst.timers_before;
    spend(burst.work);
    burst.handled++;
}

// Entries from the end of the table on: queues take them from its beginning.
static bool make_irqs(struct problem *p)
{
    struct irq *first = irq_first();
    unsigned used = 0;
    for (const struct irq *irq = first; irq; irq = irq->next)
        used += irq->dev == first->dev;
    if (!first || first->dev->msix.vectors < used + burst.vectors)
        return problem_set(
            p, "burst-vectors",
            "app=burst needs a controller with %u free MSI-X entries: give the first "
            "disk more (QEMU: msix_qsize=), or lower vectors=",
            burst.vectors);
    burst.irqs = mem_alloc(burst.vectors * sizeof(struct irq *), CACHE_LINE, NODE_ANY);
    for (unsigned i = 0; i < burst.vectors; i++) {
        char name[16];
        format_text(name, sizeof(name), "burst%u", i);
        burst.irqs[i] =
            irq_alloc(first->dev, first->dev->msix.vectors - 1 - i, 0, handler, NULL, name, p);
        if (!burst.irqs[i])
            return false;
        irq_set_immediate(burst.irqs[i]);
    }
    return true;
}

static void ignore(struct cpu_timer *timer)
{
}

// The timer falls due while the first handlers run.
static void run(struct cpu_timer *timer)
{
    uint64_t start = time_ns();
    spend(burst.work); // how long one takes
    uint64_t one = time_ns() - start;
    interrupts_off();
    burst.timers_before = cpu_stats(0)->timers;
    for (unsigned i = 0; i < burst.vectors; i++)
        irq_raise(burst.irqs[i]);
    cpu_timer_start(timer, time_ns() + burst.vectors / 8 * one);
    interrupts_on();
}

static void report(uint64_t notifications, bool preempt)
{
    char text[256];
    struct json j;
    bool ok = burst.handled == burst.vectors;
    if (!ok)
        error("burst-lost", "%u vectors were raised and %u handled", burst.vectors, burst.handled);
    json_begin(&j, text, sizeof(text), "test");
    json_text(&j, "name", "burst");
    json_bool(&j, "ok", ok);
    json_text(&j, "irq", irq_mode_name(irq_get_mode()));
    json_bool(&j, "preempt", preempt);
    json_u64(&j, "vectors", burst.vectors);
    json_u64(&j, "handled", burst.handled);
    json_u64(&j, "notifications", notifications);
    json_u64(&j, "handlers_while_timer_waited", burst.waited);
    json_bool(&j, "timer_in_between", burst.timer_seen);
    report_json(&j);
    info("burst: %u vectors, %lu notification%s; the timer's interrupt was held back from %u "
         "handlers",
         burst.vectors, notifications, notifications == 1 ? "" : "s", burst.waited);
}

static void burst_run(const struct cmdline *c)
{
    struct problem p;
    struct cpu_timer timer = { .fn = ignore };
    burst.vectors = (unsigned)cmdline_number(c, "vectors");
    burst.work = cmdline_number(c, "work");
    if (irq_get_mode() != IRQ_POSTED) {
        error("burst-mode", "app=burst is about irq=posted, and this is %s",
              irq_mode_name(irq_get_mode()));
        return;
    }
    if (!make_irqs(&p)) {
        error_problem(&p);
        return;
    }
    uint64_t before = cpu_stats(0)->notifications;
    run(&timer);
    (void)poll_until(burst.handled == burst.vectors, DEADLINE_NS); // the report tells
    report(cpu_stats(0)->notifications - before, irq_get_config()->preempt);
    cpu_timer_stop(&timer);
}

const struct app app_burst = {
    .name = "burst",
    .help = "many vectors at once: one notification, and timers get in",
    .options = options,
    .run = burst_run,
};
