// SPDX-License-Identifier: BSD-2-Clause
// An app that always has something to do: what it gets done beside a fixed rate of reads is what these
// left over.
#include "apps/bench.h"
#include "kernel/base/cpus.h"
#include "kernel/base/x86.h"
#include "kernel/cpu/msg.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "lib/muldiv.h"
#include "lib/random.h"

#define SLICE 1000u // counted in one round of the loop: some microseconds

struct counter {
    struct cpu_msg msg;
    uint64_t random, counted;
    uint64_t began_tsc, ended_tsc;
} __attribute__((aligned(CACHE_LINE)));

static struct {
    struct counter *counters; // one for each CPU
    unsigned running;         // the boot CPU's
    bool stop, stopped;
} background;

static void has_ended(struct cpu_msg *msg) // boot CPU
{
    background.stopped = --background.running == 0;
}

// A turn of the loop's; then the CPU's irqs and timers have theirs.
static void count(struct cpu_msg *msg)
{
    struct counter *c = container_of(msg, struct counter, msg);
    if (!c->began_tsc)
        c->began_tsc = rdtsc();
    for (unsigned i = 0; i < SLICE; i++)
        random_below(&c->random, 2);
    c->counted += SLICE;
    c->ended_tsc = rdtsc();
    if (!__atomic_load_n(&background.stop, __ATOMIC_RELAXED))
        return cpu_post(cpu_index(), msg);
    msg->fn = has_ended;
    cpu_post(0, msg);
}

void bench_begin_counting(struct arena *arena)
{
    background.counters =
        arena_alloc(arena, cpu_count() * sizeof(*background.counters), CACHE_LINE, NODE_ANY);
    background.running = cpu_count();
    background.stop = background.stopped = false;
    for (unsigned i = 0; i < cpu_count(); i++) {
        background.counters[i] = (struct counter){ .random = i, .msg.fn = count };
        cpu_post(i, &background.counters[i].msg);
    }
}

uint64_t bench_end_counting(void)
{
    uint64_t sum = 0;
    __atomic_store_n(&background.stop, true, __ATOMIC_RELAXED);
    cpu_run_until(&background.stopped);
    for (unsigned i = 0; i < cpu_count(); i++) {
        const struct counter *c = &background.counters[i];
        sum += mul_div(c->counted, time_tsc_hz(), c->ended_tsc - c->began_tsc);
    }
    return sum;
}
