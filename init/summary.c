// SPDX-License-Identifier: BSD-2-Clause
// Lines for people and JSON objects for tools, at the beginning and at the end of a run.

#include "init/summary.h"

#include "kernel/base/percpu.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "kernel/mem/mem_init.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/hypervisor.h"
#include "kernel/x86/time.h"
#include "lib/string.h"

#define CPUID_EXTENDED 0x80000000
#define CPUID_BRAND 0x80000002 // and the next two leaves: 16 characters each
#define CPU_MODEL_BYTES 49

// What the CPU touches all the time: its own structure, and its stacks.
static void report_nodes(struct json *j, const struct cpu *cpu)
{
    const volatile void *pieces[2 + ARRAY_SIZE(cpu->tss.ist)] = { cpu };
    size_t count = 1;
    pieces[count++] = (const char *)cpu->stack_top - 1;
    for (size_t i = 0; i < ARRAY_SIZE(cpu->tss.ist); i++)
        if (cpu->tss.ist[i])
            pieces[count++] = (const char *)cpu->tss.ist[i] - 1;
    mem_report_nodes(j, pieces, count);
}

static void print_cpu(unsigned i)
{
    char line[256];
    struct json j;
    json_begin(&j, line, sizeof(line), "cpu");
    json_u64(&j, "cpu", i);
    json_u64(&j, "apic_id", cpu_apic_id(i));
    if (cpu_node(i) != NODE_ANY)
        json_u64(&j, "node", cpu_node(i));
    report_nodes(&j, cpu_get(i));
    report_json(&j);
}

static const char *timer_text(void)
{
    unsigned deadlines = 0;
    for (unsigned i = 0; i < cpu_total(); i++)
        deadlines += apic_timer_is_tsc_deadline(i);
    if (deadlines == cpu_total())
        return "TSC deadline";
    return deadlines ? "TSC deadline or local APIC counter" : "local APIC counter";
}

// As the processor names itself (SDM vol. 2, CPUID, leaves 80000002h to 80000004h).
static const char *cpu_model(char to[CPU_MODEL_BYTES])
{
    memset(to, 0, CPU_MODEL_BYTES);
    for (uint32_t i = 0; i < 3 && cpuid(CPUID_EXTENDED, 0).a >= CPUID_BRAND + 2; i++) {
        struct cpuid r = cpuid(CPUID_BRAND + i, 0);
        memcpy(to + i * sizeof(r), &r, sizeof(r));
    }
    while (*to == ' ') // some begin with spaces
        to++;
    return to;
}

void summary_platform(const char *clock)
{
    char line[512], hypervisor[HYPERVISOR_NAME_BYTES], model[CPU_MODEL_BYTES];
    struct json j;
    uint64_t mhz = time_tsc_hz() / 1000000;
    const char *timer = timer_text();
    info("%u CPU%s, %llu MiB of memory, TSC %llu MHz by %s, timer: %s", cpu_count(),
         cpu_count() == 1 ? "" : "s", (unsigned long long)(mem_total_bytes() / MIB),
         (unsigned long long)mhz, clock, timer);
    json_begin(&j, line, sizeof(line), "platform");
    json_u64(&j, "cpus", cpu_count());
    if (cpu_total() > cpu_count())
        json_u64(&j, "domain_cpus", cpu_total() - cpu_count());
    json_u64(&j, "memory", mem_total_bytes());
    json_u64(&j, "tsc_hz", time_tsc_hz());
    json_text(&j, "tsc_source", clock);
    json_text(&j, "timer", timer);
    json_text(&j, "hypervisor", hypervisor_name(hypervisor));
    json_text(&j, "cpu_model", cpu_model(model));
    report_json(&j);
    for (unsigned i = 0; i < cpu_total(); i++)
        print_cpu(i);
}

static void report_apic_errors(void)
{
    for (unsigned i = 0; i < cpu_total(); i++)
        if (cpu_get(i)->apic_errors)
            warn("apic-errors",
                 "CPU %u: its local APIC reports errors (ESR 0x%llx; SDM vol. 3, 11.5.3)", i,
                 (unsigned long long)cpu_get(i)->apic_errors);
}

static void report_stacks(void)
{
    for (unsigned i = 0; i < cpu_total(); i++) {
        char line[128];
        struct json j;
        unsigned used = cpu_stack_used(i);
        json_begin(&j, line, sizeof(line), "stack");
        json_u64(&j, "cpu", i);
        json_u64(&j, "bytes", STACK_BYTES);
        json_u64(&j, "used", used);
        report_json(&j);
        if (used > STACK_BYTES / 4 * 3)
            warn("stack-use", "CPU %u has used %u of its stack's %u bytes: please report this", i,
                 used, STACK_BYTES);
    }
}

void summary_end(void)
{
    report_apic_errors();
    report_stacks();
}
