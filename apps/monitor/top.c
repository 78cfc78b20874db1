// SPDX-License-Identifier: BSD-2-Clause
// The command top: what CPUs and irqs do, each second.

#include "apps/monitor/monitor.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "kernel/irq/irq.h"
#include "lib/muldiv.h"
#include "kernel/x86/time.h"
#include "lib/string.h"

#define CPUS_SHOWN 16 // the busiest

static struct top_cpu {
    struct cpu_stats stats;
    uint64_t tsc;
} before[CPU_MAX];

struct row {
    unsigned cpu;
    unsigned busy; // tenths of a percent
    uint64_t msis, notifications, timers, sleeps;
};

static struct row measure(unsigned cpu)
{
    const struct cpu_stats now = *cpu_stats(cpu), *old = &before[cpu].stats;
    uint64_t tsc = rdtsc(), span = tsc - before[cpu].tsc, idle = now.idle_tsc - old->idle_tsc;
    struct row row = {
        .cpu = cpu,
        .busy = span && idle < span ? (unsigned)mul_div(span - idle, 1000, span) : 0,
        .msis = mul_div(now.msis - old->msis, time_tsc_hz(), MAX(span, 1ull)),
        .notifications =
            mul_div(now.notifications - old->notifications, time_tsc_hz(), MAX(span, 1ull)),
        .timers = mul_div(now.timers - old->timers, time_tsc_hz(), MAX(span, 1ull)),
        .sleeps = mul_div(now.sleeps - old->sleeps, time_tsc_hz(), MAX(span, 1ull)),
    };
    before[cpu].stats = now;
    before[cpu].tsc = tsc;
    return row;
}

// Keeps the list sorted, the busiest first, and drops what falls off its end.
static void rank(struct row *list, unsigned *count, const struct row *row)
{
    unsigned at = *count;
    while (at && list[at - 1].busy < row->busy)
        at--;
    if (at == CPUS_SHOWN)
        return;
    *count = MIN(*count + 1, (unsigned)CPUS_SHOWN);
    for (unsigned i = *count - 1; i > at; i--)
        list[i] = list[i - 1];
    list[at] = *row;
}

static void print_cpus(void)
{
    struct row list[CPUS_SHOWN];
    unsigned count = 0;
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        struct row row = measure(cpu);
        if (cpu_is_online(cpu))
            rank(list, &count, &row);
    }
    info("CPU   busy%%    MSIs/s  notified/s   timers/s   sleeps/s   irq=%s",
         irq_mode_name(irq_get_mode()));
    for (unsigned i = 0; i < count; i++)
        info("%3u   %3u.%u  %9lu   %9lu  %9lu  %9lu", list[i].cpu, list[i].busy / 10,
             list[i].busy % 10, list[i].msis, list[i].notifications, list[i].timers,
             list[i].sleeps);
}

static void start(void)
{
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        (void)measure(cpu);
}

static bool top(const struct command_words *words, struct problem *p)
{
    if (!command_at_most(words, 0, p))
        return false;
    start();
    info("each second; any key ends it");
    monitor_watch(print_cpus);
    return true;
}

COMMAND(command_top) = {
    .name = "top",
    .help = "the busiest CPUs, each second, until a key is pressed",
    .more = "Of use under load: job ... & first.",
    .when = COMMAND_BESIDE,
    .run = top,
};
