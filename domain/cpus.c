// SPDX-License-Identifier: BSD-2-Clause
// The registry of the domain's CPUs, numbered from 0.

#include "domain/call.h"
#include "domain/cpu.h"
#include "kernel/mem/mem.h"

struct program_cpu program_boot_cpu;

static struct {
    struct program_cpu *all[DOMAIN_CPUS_MAX];
    unsigned count;
} cpus;

// What a stack's canary is must not be known where it is attacked from; within a domain it is there to
// find its own mistakes. Each CPU's is another one, whatever the times are.
static uint64_t canary(unsigned index)
{
    return (rdtsc() * DOMAIN_CPUS_MAX + index) * 6364136223846793005ull;
}

void program_add_cpu(struct program_cpu *cpu, struct domain_events *events)
{
    cpu->events = events;
    cpu->timer_tsc = UINT64_MAX;
    cpu->cpu.self = &cpu->cpu;
    cpu->cpu.index = cpu->cpu.apic_id = cpus.count;
    cpu->cpu.stack_top = domain_stack_top(cpus.count);
    cpu->cpu.node = domain_info()->node;
    cpu->cpu.online = true;
    cpu->cpu.irq_mode = (uint8_t)domain_info()->irq_mode;
    cpu->cpu.stack_guard = canary(cpus.count);
    cpus.all[cpus.count++] = cpu;
}

void program_add_cpus(unsigned count)
{
    while (cpus.count < count)
        program_add_cpu(mem_alloc(sizeof(struct program_cpu), 2 * CACHE_LINE, NODE_ANY),
                        (struct domain_events *)domain_events_at(cpus.count));
}

struct cpu *cpu_get(unsigned index)
{
    return &cpus.all[index]->cpu;
}

unsigned cpu_count(void)
{
    return cpus.count;
}

unsigned cpu_total(void)
{
    return cpus.count;
}

uint32_t cpu_apic_id(unsigned cpu)
{
    return cpu_get(cpu)->apic_id;
}

unsigned cpu_node(unsigned cpu)
{
    return cpu_get(cpu)->node;
}

bool cpu_is_online(unsigned cpu)
{
    return true;
}

// The kernel counts what it alone sees, in the page of the CPU's events.
const struct cpu_stats *cpu_stats(unsigned cpu)
{
    domain_call(DOMAIN_CALL_STATS, cpu, 0, 0);
    const struct domain_events *events = cpus.all[cpu]->events;
    struct cpu_stats *stats = &cpus.all[cpu]->cpu.stats;
    stats->notifications = __atomic_load_n(&events->notifications, __ATOMIC_RELAXED);
    stats->msis = __atomic_load_n(&events->msis, __ATOMIC_RELAXED);
    stats->timers = __atomic_load_n(&events->timers, __ATOMIC_RELAXED);
    stats->ipis = __atomic_load_n(&events->ipis, __ATOMIC_RELAXED);
    stats->sleeps = __atomic_load_n(&events->sleeps, __ATOMIC_RELAXED);
    stats->wakes = __atomic_load_n(&events->wakes, __ATOMIC_RELAXED);
    return stats;
}

unsigned cpu_stack_used(unsigned cpu)
{
    const uint64_t *top = (const uint64_t *)domain_stack_top(cpu);
    const uint64_t *at = top - DOMAIN_STACK_BYTES / sizeof(uint64_t);
    while (at < top && !*at)
        at++;
    return (unsigned)(top - at) * sizeof(uint64_t);
}
