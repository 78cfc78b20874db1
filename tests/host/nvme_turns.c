// SPDX-License-Identifier: BSD-2-Clause
// The kernel's side: CPUs that take turns, what they send one another, and a clock.

#include "tests/host/nvme_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/irq/irq.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "kernel/x86/vectors.h"

#include <cmocka.h>

struct world world;

// ---- time, CPUs, messages, timers ----

uint32_t cpu_apic_id(unsigned cpu)
{
    return world.apic_ids[cpu];
}

void world_set_apic_id(unsigned cpu, uint32_t id)
{
    world.apic_ids[cpu] = id;
}

static uint64_t batch_tsc[WORLD_CPUS];

void cpu_begin_batch(void)
{
    batch_tsc[world.cpu] = world.now;
}

uint64_t cpu_batch_tsc(void)
{
    return batch_tsc[world.cpu];
}

uint64_t time_ns(void)
{
    return world.now += world.clock_step;
}

void time_delay_ns(uint64_t ns)
{
    world.now += ns;
}

bool world_is_program(void)
{
    return world.cpu >= world.cpus + world.kept;
}

unsigned world_offset(void)
{
    return world_is_program() ? world.cpus + world.kept : 0;
}

static unsigned all_cpus(void)
{
    return world.cpus + 2 * world.kept;
}

unsigned cpu_count(void)
{
    return world_is_program() ? world.kept : world.cpus;
}

unsigned cpu_total(void)
{
    return world_is_program() ? world.kept : world.cpus + world.kept;
}

unsigned cpu_index(void)
{
    return world.cpu - world_offset();
}

unsigned cpu_node(unsigned cpu)
{
    assert_true(cpu < cpu_total());
    return WORLD_NODE(cpu);
}

void cpu_post(unsigned cpu, struct cpu_msg *msg)
{
    struct cpu_msg **link = &world.inbox[cpu + world_offset()];
    while (*link) {
        assert_ptr_not_equal(*link, msg);
        link = &(*link)->next;
    }
    msg->next = NULL;
    *link = msg;
}

void cpu_timer_stop(struct cpu_timer *timer)
{
    struct cpu_timer **link = &world.timers[world.cpu];
    while (*link && *link != timer)
        link = &(*link)->next;
    if (timer->armed)
        assert_non_null(*link); // armed on another CPU: not ours to stop
    if (*link)
        *link = timer->next;
    timer->armed = false;
}

void cpu_timer_start(struct cpu_timer *timer, uint64_t due_ns)
{
    cpu_timer_stop(timer);
    timer->due_ns = due_ns;
    timer->next = world.timers[world.cpu];
    timer->armed = true;
    world.timers[world.cpu] = timer;
}

static void (*flush)(void), (*program_flush)(void);

void loop_set_flush(void (*fn)(void))
{
    *(world_is_program() ? &program_flush : &flush) = fn;
}

void loop_flush(void)
{
    if (!world_is_program())
        flush();
    else if (program_flush)
        program_flush();
}

// ---- time and turns ----

void world_begin(unsigned cpus)
{
    memset(&world, 0, sizeof(world));
    world_forget_memory();
    world_forget_reports();
    world.cpus = cpus;
    world.clock_step = 1000;
    world.now = 1000000;
    program_flush = NULL;
    for (unsigned cpu = 0; cpu < WORLD_CPUS; cpu++) {
        world.vectors_left[cpu] = VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1;
        world.apic_ids[cpu] = cpu;
    }
    nvme_set_timeout(30000);
    srand(1);
}

static void run_irqs(void)
{
    if (world_is_program())
        return world_run_events();
    for (unsigned i = 0; i < world.models_count; i++) {
        struct model *m = world.models[i];
        for (unsigned v = 0; v < MODEL_VECTORS; v++)
            if (m->raised[v] && !m->masked[v] && m->messages[v] &&
                m->messages[v]->cpu == world.cpu) {
                m->raised[v] = false;
                m->messages[v]->handler(m->messages[v]->arg);
            }
    }
}

static void run_messages(void)
{
    struct cpu_msg *msg = world.inbox[world.cpu], *next;
    world.inbox[world.cpu] = NULL;
    for (; msg; msg = next) {
        next = msg->next;
        msg->fn(msg);
    }
}

static void run_timers(void)
{
    struct cpu_timer *timer = world.timers[world.cpu], *next;
    for (; timer; timer = next) {
        next = timer->next;
        if (timer->due_ns <= world.now) {
            cpu_timer_stop(timer);
            timer->fn(timer);
            next = world.timers[world.cpu]; // the list may have changed
        }
    }
}

static void finish_move(void)
{
    struct irq *irq = world.moving[world.cpu];
    world.moving[world.cpu] = NULL;
    if (irq)
        irq->moved(irq->arg, irq->cpu);
}

void world_round(void)
{
    for (world.cpu = 0; world.cpu < all_cpus(); world.cpu++) {
        finish_move();
        if (world.timers_first)
            run_timers();
        run_irqs();
        run_messages();
        run_timers();
        loop_flush();
    }
    world.cpu = 0;
    for (unsigned i = 0; i < world.models_count; i++)
        model_work(world.models[i]);
    world.now += 1000;
}

bool world_move(struct model *m, unsigned vector, unsigned to)
{
    struct irq *irq = m->irqs[vector];
    unsigned from = irq->cpu;
    for (unsigned cpu = 0; cpu < world.cpus; cpu++)
        if (world.moving[cpu] == irq)
            return false;
    if (world.moving[from] || from == to)
        return false;
    world.moving[from] = irq;
    irq->cpu = to;
    return true;
}

void world_turn(unsigned cpu, enum world_part part)
{
    world.cpu = cpu;
    finish_move();
    if (part == WORLD_IRQS)
        run_irqs();
    else if (part == WORLD_MESSAGES)
        run_messages();
    else if (part == WORLD_TIMERS)
        run_timers();
    else if (part == WORLD_FLUSH)
        loop_flush();
    world.cpu = 0;
    world.now += 1000;
}

void world_turn_any(void)
{
    if (rand() % 8)
        world_turn((unsigned)rand() % all_cpus(), (enum world_part)(rand() % WORLD_PARTS));
    else
        model_work(world.models[(unsigned)rand() % world.models_count]);
}

bool world_run(const bool *stop, unsigned rounds)
{
    while (!*stop && rounds--)
        world_round();
    return *stop;
}

void world_pass(uint64_t ns)
{
    for (uint64_t end = world.now + ns; world.now < end;) {
        world.now += MAX(ns / 200, 1ull);
        world_round();
    }
}

void world_skip(uint64_t ns)
{
    world.now += ns;
}

void world_end(void)
{
    world.cpu = 0;
    nvme_shutdown();
    for (unsigned i = 0; i < world.models_count; i++)
        assert_true(world.models[i]->master_stuck || !(world.models[i]->pci_command & 4));
}

void world_use_cpu(unsigned cpu)
{
    world.cpu = cpu;
}

uint64_t world_now(void)
{
    return world.now;
}

void world_set_timers_first(bool first)
{
    world.timers_first = first;
}

void world_set_clock_step(uint64_t ns)
{
    world.clock_step = ns;
}

void world_set_vectors_left(unsigned cpu, unsigned left)
{
    world.vectors_left[cpu] = left;
}
