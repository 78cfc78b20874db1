// SPDX-License-Identifier: BSD-2-Clause
// Page tables of domains have the kernel's half, all of RAM, with U=0: what that is worth is the processor's
// affair. So is what threads of one core see of each other.

#include "kernel/domain/leaks.h"

#include "kernel/base/percpu.h"
#include "kernel/base/report.h"
#include "kernel/domain/life.h"
#include "kernel/x86/errata.h"
#include "kernel/x86/topology.h"

static uint64_t arch_capabilities(struct cpuid leaf7)
{
    return leaf7.d & CPUID_7_D_ARCH_CAPABILITIES ? rdmsr(MSR_ARCH_CAPABILITIES) : 0;
}

static void warn_of_meltdown(void)
{
    struct cpuid leaf7 = cpuid(7, 0);
    if (errata_shows_kernel(cpuid(0, 0), leaf7, arch_capabilities(leaf7)))
        warn("domain-meltdown",
             "domains: this processor shows ring 3 what is ring 0's (Meltdown: "
             "IA32_ARCH_CAPABILITIES.RDCL_NO isn't 1): run no program that may not read all of "
             "memory, or use a later processor");
}

static bool has_cpu(const struct domain *d, unsigned cpu)
{
    for (unsigned i = 0; i < d->team.cpus_count; i++)
        if (d->seats[i].cpu == cpu)
            return true;
    return false;
}

// Somebody else's thread of the core; CPU_MAX: there is none.
static unsigned sibling_of(const struct domain *d, unsigned cpu, struct cpuid level0)
{
    for (unsigned other = 0; other < cpu_total(); other++)
        if (!has_cpu(d, other) &&
            topology_is_one_core(level0, cpu_get(cpu)->apic_id, cpu_get(other)->apic_id))
            return other;
    return CPU_MAX;
}

static void warn_of_sibling(const struct domain *d)
{
    struct cpuid level0 = cpuid(CPUID_TOPOLOGY_LEVELS, 0);
    unsigned cpu = CPU_MAX, other = CPU_MAX;
    for (unsigned i = 0; i < d->team.cpus_count && other == CPU_MAX; i++) {
        cpu = d->seats[i].cpu;
        other = sibling_of(d, cpu, level0);
    }
    if (other != CPU_MAX)
        warn("domain-sibling",
             "domain %s: its CPU %u (APIC id %xh) shares a core with CPU %u (%xh), which isn't its "
             "own, and each may learn what the other computes: give it both, or turn "
             "Hyper-Threading off",
             d->words->name, cpu, cpu_get(cpu)->apic_id, other, cpu_get(other)->apic_id);
}

void domain_warn_leaks(const struct domain *first)
{
    if (first)
        warn_of_meltdown();
    for (const struct domain *d = first; d; d = d->next)
        warn_of_sibling(d);
}
