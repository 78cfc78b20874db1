// SPDX-License-Identifier: BSD-2-Clause
// The registry of CPUs. Bring-up adds to it; nothing is ever taken out.

#include "kernel/base/percpu.h"

struct cpu boot_cpu = { .node = NODE_ANY, .online = true };

static struct {
    struct cpu *all[CPU_MAX];
    unsigned count, kept;
} cpus = { .all = { &boot_cpu }, .count = 1 };

void cpu_add(struct cpu *cpu)
{
    cpu->self = cpu;
    cpu->index = cpus.count;
    cpus.all[cpus.count++] = cpu;
}

struct cpu *cpu_get(unsigned index)
{
    return cpus.all[index];
}

void cpu_add_kept(struct cpu *cpu)
{
    cpu_add(cpu);
    cpus.kept++;
}

unsigned cpu_count(void)
{
    return cpus.count - cpus.kept;
}

unsigned cpu_total(void)
{
    return cpus.count;
}

uint32_t cpu_apic_id(unsigned cpu)
{
    return cpus.all[cpu]->apic_id;
}

unsigned cpu_node(unsigned cpu)
{
    return cpus.all[cpu]->node;
}

const struct cpu_stats *cpu_stats(unsigned cpu)
{
    return &cpus.all[cpu]->stats;
}

bool cpu_is_online(unsigned cpu)
{
    return __atomic_load_n(&cpus.all[cpu]->online, __ATOMIC_SEQ_CST);
}

unsigned cpu_stack_used(unsigned cpu)
{
    const uint64_t *top = (const uint64_t *)cpus.all[cpu]->stack_top;
    const uint64_t *at = top - STACK_BYTES / sizeof(uint64_t);
    while (at < top && !*at)
        at++;
    return (unsigned)(top - at) * sizeof(uint64_t);
}
