// SPDX-License-Identifier: BSD-2-Clause
// posted.rate. Counts the machine's notifications and sets the window by them. The boot CPU does so by
// timer, and reads what each CPU counts for itself, some CPUs in a turn: no counter is shared, and no
// turn takes long.

#include "kernel/irq/irq_rate.h"

#include "kernel/base/cpus.h"
#include "kernel/cpu/timer.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/rate.h"
#include "kernel/x86/time.h"

#define CPUS_IN_A_TURN 64

uint64_t irq_rate_window;

static struct looks {
    struct rate rate;
    struct cpu_timer turn;
    unsigned next;     // CPU
    uint64_t sum;      // of those before it
    uint64_t before;   // the sum of the last look
    uint64_t begun_ns; // when that was
} looks;

static uint64_t served(unsigned cpu)
{
    const struct cpu_stats *stats = cpu_stats(cpu);
    return __atomic_load_n(&stats->notifications, __ATOMIC_RELAXED) +
           __atomic_load_n(&stats->moderated, __ATOMIC_RELAXED);
}

static uint64_t counted(void)
{
    uint64_t sum = 0;
    for (unsigned cpu = 0; cpu < cpu_total(); cpu++)
        sum += served(cpu);
    return sum;
}

static void look(uint64_t now)
{
    uint64_t count = looks.sum - looks.before, span_ns = now - looks.begun_ns;
    if (rate_is_due(&looks.rate, count, span_ns)) {
        uint64_t window = rate_update(&looks.rate, count, span_ns);
        if (window != irq_rate_window)
            __atomic_store_n(&irq_rate_window, window, __ATOMIC_RELAXED);
        looks.before = looks.sum;
        looks.begun_ns = now;
    }
    looks.sum = looks.next = 0;
}

static void take_turn(struct cpu_timer *timer)
{
    uint64_t now = time_ns();
    unsigned end = MIN(looks.next + CPUS_IN_A_TURN, cpu_total());
    for (; looks.next < end; looks.next++)
        looks.sum += served(looks.next);
    if (looks.next == cpu_total())
        look(now);
    cpu_timer_start(timer, now + RATE_TURN_NS);
}

void irq_set_rate(uint64_t budget)
{
    cpu_timer_stop(&looks.turn);
    __atomic_store_n(&irq_rate_window, 0, __ATOMIC_RELAXED);
    if (!budget)
        return;
    looks = (struct looks){
        .rate = { .budget = budget },
        .turn.fn = take_turn,
        .before = counted(),
        .begun_ns = time_ns(),
    };
    cpu_timer_start(&looks.turn, looks.begun_ns + RATE_TURN_NS);
}
