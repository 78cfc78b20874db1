// SPDX-License-Identifier: BSD-2-Clause
// Each CPU's first steps, until GS shows it its own data: without the stack protector, whose canary lies
// there.

#include "domain/start.h"

#include "domain/call.h"
#include "domain/cpu.h"

#include <stdatomic.h>

static struct program_cpu *_Atomic cpus[DOMAIN_CPUS_MAX];

// What wakes CPUs is kept for those that don't sleep yet.
void program_let_begin(unsigned index)
{
    atomic_store_explicit(&cpus[index], program_cpu_of(cpu_get(index)), memory_order_release);
    domain_call(DOMAIN_CALL_WAKE, index, 0, 0);
}

static struct program_cpu *wait_for_boot_cpu(unsigned index)
{
    struct program_cpu *cpu;
    while (!(cpu = atomic_load_explicit(&cpus[index], memory_order_acquire)))
        domain_call(DOMAIN_CALL_SLEEP, UINT64_MAX, 0, 0);
    return cpu;
}

noreturn void program_start(unsigned index)
{
    struct program_cpu *cpu = &program_boot_cpu;
    if (index)
        cpu = wait_for_boot_cpu(index);
    domain_call(DOMAIN_CALL_GS, (uint64_t)&cpu->cpu, 0, 0);
    if (index)
        program_loop();
    else
        program_main();
}
