// SPDX-License-Identifier: BSD-2-Clause
// A slow poll and not the corrected-error interrupt (CMCI): it is there on every processor, whoever
// else has claimed the banks, and a storm of errors costs no more than one look a second.

#include "kernel/cpu/mce_watch.h"

#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/mce.h"
#include "kernel/x86/time.h"

#define PERIOD_NS NS_PER_S

struct look {
    struct cpu_msg msg;
    unsigned cpu;
    bool sent; // and not answered yet: the CPU is busy in an app's code
};

static struct look *looks; // one for each CPU

static void look(struct cpu_msg *msg)
{
    struct look *l = container_of(msg, struct look, msg);
    if (cpu_index() == l->cpu) // else it has gone out of use meanwhile
        mce_poll();
    __atomic_store_n(&l->sent, false, __ATOMIC_RELEASE);
}

static void send(struct look *l)
{
    if (!cpu_is_online(l->cpu) || __atomic_load_n(&l->sent, __ATOMIC_ACQUIRE))
        return;
    l->sent = true;
    cpu_post(l->cpu, &l->msg);
}

static void look_all(struct cpu_timer *timer)
{
    for (unsigned i = 0; i < cpu_total(); i++)
        send(&looks[i]);
    cpu_timer_start(timer, time_ns() + PERIOD_NS);
}

void mce_watch_start(void)
{
    static struct cpu_timer timer = { .fn = look_all };
    looks = mem_alloc(cpu_total() * sizeof(*looks), CACHE_LINE, NODE_ANY);
    for (unsigned i = 0; i < cpu_total(); i++)
        looks[i] = (struct look){ .msg = { .fn = look }, .cpu = i };
    cpu_timer_start(&timer, time_ns() + PERIOD_NS);
}
