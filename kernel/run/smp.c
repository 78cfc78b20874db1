// SPDX-License-Identifier: BSD-2-Clause
// Starting the other CPUs by INIT and start-up IPIs (SDM vol. 3, 9.4.4 and 11.12).

#include "kernel/run/smp.h"

#include "kernel/base/percpu.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/mem/mem.h"
#include "kernel/mem/mem_init.h"
#include "kernel/mem/paging.h"
#include "kernel/run/desc.h"
#include "kernel/run/loop.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/time.h"
#include "lib/string.h"

#define INIT_WAIT_NS (10 * NS_PER_MS)
#define STARTUP_WAIT_NS (10 * NS_PER_MS) // before the second one
#define ONLINE_WAIT_NS (5 * NS_PER_S)

// trampoline.asm
extern const char trampoline_start[], trampoline_end[], trampoline_params[];
struct trampoline_params {
    uint64_t cr3, cr4, cpu, entry, main;
};
extern const char secondary_entry[];
extern const char boot_stack_top[]; // linker.ld

static struct trampoline_params *params; // in the trampoline's page
static uint64_t trampoline_page;
static smp_left after_loop;

static unsigned node_of(const struct srat *srat, uint32_t apic_id)
{
    for (size_t i = 0; i < srat->cpus_count; i++)
        if (srat->cpus[i].apic_id == apic_id)
            return srat->cpus[i].node;
    return NODE_ANY;
}

static void add_cpu(uint32_t id, unsigned node)
{
    struct cpu *cpu = mem_alloc(sizeof(*cpu), alignof(struct cpu), node);
    cpu->apic_id = id;
    cpu->node = node;
    cpu->stack_top = paging_alloc_stack(node);
    desc_alloc_stacks(cpu);
    cpu_add(cpu);
}

bool smp_prepare(const struct madt *madt, const struct srat *srat, unsigned most, struct problem *p)
{
    boot_cpu.apic_id = apic_id();
    boot_cpu.stack_top = (uint64_t)boot_stack_top;
    boot_cpu.node = node_of(srat, boot_cpu.apic_id);
    unsigned limit = most ? most : CPU_MAX;
    for (size_t i = 0; i < madt->cpus_count && cpu_count() < limit; i++)
        if (madt->cpus[i].apic_id != boot_cpu.apic_id)
            add_cpu(madt->cpus[i].apic_id, node_of(srat, madt->cpus[i].apic_id));
    if (cpu_count() >= most)
        return true;
    return problem_set(p, "cpus", "cpus=%u: this machine has %u: ask for at most as many", most,
                       cpu_count());
}

// First code in C on a secondary CPU: leaves the trampoline's tables, then the same steps as the
// boot CPU took.
noreturn static void start_secondary(void)
{
    struct cpu *cpu = this_cpu();
    cpu->start_tsc = rdtsc();
    write_cr3(paging_root());
    paging_set_cpu();
    desc_load(cpu);
    apic_init_cpu();
    cpu->sleeping = cpu->leaving = false; // as it left off, when it comes back
    irq_start_cpu();
    __atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
    interrupts_on();
    cpu_run_until(&cpu->leaving);
    after_loop(cpu);
    halt_forever();
}

// Timers and deadlines travel between CPUs, so their TSCs must agree: the CPU read its own between
// two readings of ours.
static bool check_tsc(const struct cpu *cpu, uint64_t before, struct problem *p)
{
    uint64_t after = rdtsc(), theirs = cpu->start_tsc;
    if (theirs >= before && theirs <= after)
        return true;
    return problem_set(
        p, "tsc-not-synchronised",
        "the TSC of CPU %u (APIC id %u) reads %llu while the boot CPU's goes from %llu "
        "to %llu: update the firmware, or leave the CPU out with cpus=%u",
        cpu->index, cpu->apic_id, (unsigned long long)theirs, (unsigned long long)before,
        (unsigned long long)after, cpu->index);
}

// After INIT and its wait.
static bool start(struct cpu *cpu, uint64_t page, struct problem *p)
{
    uint64_t before = rdtsc();
    apic_send_startup(cpu->apic_id, (uint8_t)(page / PAGE_BYTES));
    if (poll_until(__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE), STARTUP_WAIT_NS))
        return check_tsc(cpu, before, p);
    apic_send_startup(cpu->apic_id, (uint8_t)(page / PAGE_BYTES));
    if (poll_until(__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE), ONLINE_WAIT_NS))
        return check_tsc(cpu, before, p);
    return problem_set(p, "cpu-not-started",
                       "CPU %u (APIC id %u) did not start within %llu s: leave it out with cpus=%u",
                       cpu->index, cpu->apic_id, ONLINE_WAIT_NS / NS_PER_S, cpu->index);
}

static void prepare_trampoline(uint64_t page_phys)
{
    char *page = (char *)(page_phys + HANDOFF_DIRECT_MAP);
    memcpy(page, trampoline_start, (size_t)(trampoline_end - trampoline_start));
    params = (struct trampoline_params *)(page + (trampoline_params - trampoline_start));
    params->cr3 = paging_trampoline_root(page_phys);
    params->cr4 = read_cr4();
    params->entry = (uint64_t)secondary_entry;
    params->main = (uint64_t)start_secondary;
    trampoline_page = page_phys;
}

static bool start_on_trampoline(struct cpu *cpu, struct problem *p)
{
    params->cpu = (uint64_t)cpu;
    bool ok = start(cpu, trampoline_page, p);
    params->cpu = 0; // the trampoline halts who comes late
    if (!ok) {       // put to sleep, lest it wake up late and take the next one's place
        apic_send_init(cpu->apic_id);
        __atomic_store_n(&cpu->online, false, __ATOMIC_SEQ_CST);
    }
    return ok;
}

bool smp_start_cpu(unsigned index, struct problem *p)
{
    apic_send_init(cpu_get(index)->apic_id);
    time_delay_ns(INIT_WAIT_NS);
    return start_on_trampoline(cpu_get(index), p);
}

bool smp_start(const struct handoff *h, smp_left left, struct problem *p)
{
    after_loop = left;
    if (cpu_count() == 1)
        return true;
    if (!h->trampoline)
        return problem_set(p, "no-trampoline",
                           "firmware left no free page below 1 MiB to start CPUs from: use cpus=1");
    prepare_trampoline(h->trampoline);
    for (unsigned i = 1; i < cpu_count(); i++)
        apic_send_init(cpu_get(i)->apic_id);
    time_delay_ns(INIT_WAIT_NS); // once for all
    for (unsigned i = 1; i < cpu_count(); i++)
        if (!start_on_trampoline(cpu_get(i), p))
            return false;
    return true;
}
