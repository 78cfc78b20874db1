// SPDX-License-Identifier: BSD-2-Clause
// All of this is the CPU's own, in its loop, but for what is said to be the boot CPU's. What ends a program
// here only asks for its end: who starts domains then stops all CPUs of it, and each comes back.

#include "kernel/domain/cpu.h"

#include "kernel/base/percpu.h"
#include "kernel/domain/calls.h"
#include "kernel/domain/device.h"
#include "kernel/domain/ring.h"
#include "kernel/domain/space.h"
#include "kernel/domain/text.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "lib/mark.h"

#define LOOK_NS NS_PER_S

// ---- events ----

static void set_event(struct domain_cpu *dc, unsigned event)
{
    __atomic_fetch_or(&dc->events->bits[event / 64], BIT64(event % 64), __ATOMIC_RELEASE);
    dc->wake = true;
}

void domain_event(void *bell)
{
    const struct domain_bell *b = bell;
    if (b->of)
        set_event(b->of, b->event);
}

static bool has_events(const struct domain_cpu *dc)
{
    uint64_t any = 0;
#pragma GCC unroll 4
    for (unsigned w = 0; w < DOMAIN_EVENT_WORDS; w++)
        any |= __atomic_load_n(&dc->events->bits[w], __ATOMIC_RELAXED);
    return any;
}

// WAKE's message: its sender may send the next one before this one has been looked at.
static void take_wake(struct cpu_msg *msg)
{
    struct domain_cpu *dc = container_of(msg, struct domain_cpu, woken);
    __atomic_store_n(&dc->wake_posted, false, __ATOMIC_SEQ_CST);
    set_event(dc, DOMAIN_EVENT_WAKE);
}

static void wake(struct domain_cpu *other)
{
    if (!__atomic_exchange_n(&other->wake_posted, true, __ATOMIC_SEQ_CST))
        cpu_post(other->cpu, &other->woken);
}

// ---- sleep ----

static void deadline_is_over(struct cpu_timer *timer)
{
    container_of(timer, struct domain_cpu, deadline)->wake = true;
}

// Most sleeps end before their time, and the next one has the same: the timer stays.
static void set_deadline(struct domain_cpu *dc, uint64_t until_ns)
{
    uint64_t set_ns = dc->deadline.armed ? dc->deadline.due_ns : UINT64_MAX;
    if (likely(until_ns == set_ns))
        return;
    cpu_timer_stop(&dc->deadline);
    if (until_ns != UINT64_MAX)
        cpu_timer_start(&dc->deadline, until_ns); // one that is over comes at once
}

// What sets `wake` runs in this CPU's loop, so nothing comes between the look and the sleep. The kernel's
// loop sleeps as everywhere: SN, looking on for a while, MWAIT.
static void sleep(struct domain_cpu *dc, uint64_t until_ns)
{
    dc->wake = dc->leaving;
    if (has_events(dc))
        return;
    set_deadline(dc, until_ns);
    dc->asleep = true;
    cpu_wait_until(&dc->wake);
    dc->asleep = false;
}

// ---- the end ----

static void tell_over(struct cpu_msg *msg) // boot CPU
{
    struct domain_cpu *dc = container_of(msg, struct domain_cpu, over);
    dc->team->over(dc->team, dc->why);
}

// Waits to be stopped, as all CPUs of the domain are then.
static void end(struct domain_cpu *dc, enum domain_end why)
{
    dc->why = why;
    cpu_post(0, &dc->over);
    dc->asleep = true;
    cpu_run_until(&dc->leaving);
    dc->asleep = false;
}

static void come_back(struct cpu_msg *msg) // boot CPU
{
    struct domain_team *team = container_of(msg, struct domain_cpu, back)->team;
    team->is_back(team);
}

// ---- patience ----

// Asleep, or behind a call, a CPU is where it should be.
static bool has_come_round(struct domain_cpu *dc)
{
    uint64_t rounds = __atomic_load_n(&dc->events->rounds, __ATOMIC_RELAXED);
    bool moved = dc->asleep || rounds != dc->watch.rounds || dc->calls != dc->watch.calls;
    dc->watch.rounds = rounds;
    dc->watch.calls = dc->calls;
    return moved;
}

static void look(struct cpu_timer *timer)
{
    struct domain_cpu *dc = container_of(timer, struct domain_cpu, look);
    uint64_t now = time_ns();
    if (has_come_round(dc))
        dc->watch.since_ns = now;
    dc->stuck = dc->team->patience_ns && now - dc->watch.since_ns >= dc->team->patience_ns;
    cpu_timer_start(timer, now + LOOK_NS);
}

// ---- what ended a stay in ring 3 ----

static void take_call(struct domain_cpu *dc)
{
    struct problem p;
    dc->calls++;
    switch (domain_call_take(dc, &p)) {
    case DOMAIN_GO_ON:
        break;
    case DOMAIN_SLEEP:
        sleep(dc, dc->frame.rdi);
        break;
    case DOMAIN_WAKE:
        wake(&dc->team->cpus[dc->frame.rdi]);
        break;
    case DOMAIN_EXIT:
        end(dc, DOMAIN_END_EXIT);
        break;
    case DOMAIN_EXIT_FAILED:
        end(dc, DOMAIN_END_FAILED);
        break;
    case DOMAIN_NONSENSE:
        domain_tell_nonsense(dc, &p);
        end(dc, DOMAIN_END_FAULT);
        break;
    }
}

static void take_fault(struct domain_cpu *dc)
{
    domain_tell_fault(dc, ring_fault_address());
    end(dc, DOMAIN_END_FAULT);
}

static void take(struct domain_cpu *dc, unsigned left_by)
{
    if (left_by == RING_CALL)
        take_call(dc);
    else if (left_by != RING_INTERRUPT)
        take_fault(dc);
    if (dc->stuck && !dc->leaving) {
        domain_tell_stuck(dc);
        end(dc, DOMAIN_END_FAULT);
    }
}

// ---- a life ----

static void run(struct cpu_timer *timer)
{
    struct domain_cpu *dc = container_of(timer, struct domain_cpu, start);
    uint64_t root = space_root(dc->team->space);
    ring_init_cpu();
    dc->watch.since_ns = time_ns();
    cpu_timer_start(&dc->look, dc->watch.since_ns + LOOK_NS);
    MARK_BEGIN("domain");
    while (!dc->leaving)
        take(dc, ring_run(&dc->frame, root, dc->gs));
    MARK_END("domain");
    cpu_timer_stop(&dc->look);
    cpu_timer_stop(&dc->deadline);
    ring_leave();
    cpu_post(0, &dc->back);
}

// By a timer, whose turn has an end: messages behind this one would wait for the program's.
static void begin(struct cpu_msg *msg)
{
    struct domain_cpu *dc = container_of(msg, struct domain_cpu, begin);
    cpu_timer_start(&dc->start, time_ns());
}

static void leave(struct cpu_msg *msg)
{
    struct domain_cpu *dc = container_of(msg, struct domain_cpu, stop);
    dc->wake = dc->leaving = true;
}

void domain_cpu_init(struct domain_cpu *dc, struct domain_team *team, unsigned index, unsigned cpu,
                     struct domain_events *events)
{
    *dc = (struct domain_cpu){
        .team = team,
        .index = index,
        .cpu = cpu,
        .events = events,
        .start.fn = run,
        .deadline.fn = deadline_is_over,
        .look.fn = look,
        .begin.fn = begin,
        .stop.fn = leave,
        .woken.fn = take_wake,
        .over.fn = tell_over,
        .back.fn = come_back,
    };
}

void domain_cpu_start(struct domain_cpu *dc, uint64_t entry)
{
    dc->frame = (struct trap_frame){ .rip = entry, .rdi = dc->index };
    dc->gs = 0;
    dc->wake = dc->leaving = dc->stuck = false;
    dc->watch = (struct domain_watch){ 0 };
    cpu_post(dc->cpu, &dc->begin);
}

void domain_cpu_stop(struct domain_cpu *dc)
{
    cpu_post(dc->cpu, &dc->stop);
}
