// SPDX-License-Identifier: BSD-2-Clause
// x2APIC (SDM vol. 3, 11.12).

#include "kernel/x86/apic.h"

#include "kernel/base/percpu.h"
#include "kernel/x86/time.h"
#include "kernel/x86/time_init.h"
#include "kernel/x86/vectors.h"

#define CPUID_1_C_TSC_DEADLINE BIT32(24)

static struct {
    bool can_deadline;
    uint64_t ticks_per_tsc; // 32.32 fixed point, one-shot counting only; 0: not measured
} apic_timer;

bool apic_check(struct problem *p)
{
    if (cpuid(1, 0).c & BIT32(21))
        return true;
    return problem_set(p, "no-x2apic",
                       "the CPU offers no x2APIC (CPUID 1 ECX bit 21 is 0): turn x2APIC on in the "
                       "firmware's set-up, or give the virtual machine a CPU with +x2apic");
}

// Straight from disabled to x2APIC is not a legal step (SDM vol. 3, 11.12.5).
static void enter_x2apic(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);
    if (!(base & APIC_BASE_EN))
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_EN);
    if (!(base & APIC_BASE_EXTD))
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_EN | APIC_BASE_EXTD);
}

// Which LVT entries exist follows from their number (SDM vol. 3, 11.4.8). An entry that firmware
// uses for SMIs (thermal throttling) stays, and all CPUs get it.
static void mask_local_sources(void)
{
    static const struct {
        uint32_t msr;
        unsigned least_max_lvt;
    } sources[] = {
        { X2APIC_LVT_TIMER, 0 },       { X2APIC_LVT_LINT0, 0 },   { X2APIC_LVT_LINT1, 0 },
        { X2APIC_LVT_PERFORMANCE, 4 }, { X2APIC_LVT_THERMAL, 5 }, { X2APIC_LVT_CMCI, 6 },
    };
    static uint64_t smi[ARRAY_SIZE(sources)]; // the boot CPU's; INIT resets the others'
    uint64_t max_lvt = field_get(X2APIC_VERSION_MAX_LVT, rdmsr(X2APIC_VERSION));
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        if (max_lvt < sources[i].least_max_lvt)
            continue;
        uint64_t lvt = rdmsr(sources[i].msr);
        if (field_get(X2APIC_LVT_MODE, lvt) == X2APIC_LVT_MODE_SMI)
            smi[i] = lvt;
        wrmsr(sources[i].msr, smi[i] ? smi[i] : X2APIC_LVT_MASKED);
    }
}

// At most one EOI per vector, so it ends even where the hardware lies.
static void finish_in_service(void)
{
    for (unsigned tries = 0; tries < VECTORS; tries++) {
        uint64_t in_service = 0;
        for (unsigned i = 0; i < VECTORS / 32; i++)
            in_service |= rdmsr(X2APIC_ISR + i);
        if (!in_service)
            return;
        apic_eoi();
    }
}

// With some microcode of the Haswell to Skylake servers, deadlines fire wrongly on a CPU whose
// TSC_ADJUST was written, by firmware or by us; the counter doesn't care.
static bool tsc_is_adjusted(void)
{
    return cpuid(7, 0).b & CPUID_7_B_TSC_ADJUST && rdmsr(MSR_TSC_ADJUST);
}

// All CPUs' counters run at the same rate: the first one that needs it measures.
static void measure_counter(void)
{
    wrmsr(X2APIC_TIMER_INITIAL, UINT32_MAX);
    uint64_t start = rdtsc();
    time_delay_ns(10 * NS_PER_MS);
    uint64_t ticks = UINT32_MAX - rdmsr(X2APIC_TIMER_CURRENT);
    uint64_t cycles = rdtsc() - start;
    wrmsr(X2APIC_TIMER_INITIAL, 0);
    apic_timer.ticks_per_tsc = (ticks << 32) / cycles;
}

static void init_timer(struct cpu *cpu)
{
    cpu->tsc_deadline = apic_timer.can_deadline && !tsc_is_adjusted();
    wrmsr(X2APIC_TIMER_DIVIDE, X2APIC_TIMER_DIVIDE_1);
    if (!cpu->tsc_deadline && !apic_timer.ticks_per_tsc) {
        wrmsr(X2APIC_LVT_TIMER, X2APIC_LVT_MASKED); // one-shot, so that it counts
        measure_counter();
    }
    uint64_t mode = cpu->tsc_deadline ? X2APIC_LVT_TIMER_TSC_DEADLINE : X2APIC_LVT_TIMER_ONE_SHOT;
    wrmsr(X2APIC_LVT_TIMER, field_put(X2APIC_LVT_TIMER_MODE, mode) | VECTOR_TIMER);
    // The write to the LVT must be done before the deadline is armed (SDM vol. 3, 11.5.4.1).
    __asm__ volatile("mfence" ::: "memory");
}

void apic_init_cpu(void)
{
    enter_x2apic();
    wrmsr(X2APIC_TPR, 0);
    wrmsr(X2APIC_SVR, X2APIC_SVR_ENABLE | VECTOR_SPURIOUS);
    mask_local_sources();
    finish_in_service();
    wrmsr(X2APIC_ESR, 0);
    wrmsr(X2APIC_LVT_ERROR, VECTOR_ERROR);
    init_timer(this_cpu());
}

// NMIs by pin are edges, whatever a table says of their trigger mode (SDM vol. 3, 11.5.1). A pin
// that firmware uses for SMIs stays so.
void apic_take_nmis(uint8_t lint)
{
    uint32_t pin = lint ? X2APIC_LVT_LINT1 : X2APIC_LVT_LINT0;
    if (field_get(X2APIC_LVT_MODE, rdmsr(pin)) != X2APIC_LVT_MODE_SMI)
        wrmsr(pin, field_put(X2APIC_LVT_MODE, X2APIC_LVT_MODE_NMI));
}

bool apic_is_requested(uint8_t vector)
{
    return rdmsr(X2APIC_IRR + vector / 32) & BIT64(vector % 32);
}

void apic_stop_timer(void)
{
    wrmsr(X2APIC_LVT_TIMER, X2APIC_LVT_MASKED);
}

uint32_t apic_id(void)
{
    return (uint32_t)rdmsr(X2APIC_ID);
}

// WRMSR to x2APIC registers doesn't wait for earlier stores (SDM vol. 3, 11.12.3).
static void send(uint64_t icr)
{
    __asm__ volatile("mfence\n\tlfence" ::: "memory");
    wrmsr(X2APIC_ICR, icr);
}

void apic_send(uint32_t id, uint8_t vector)
{
    send(field_put(X2APIC_ICR_DESTINATION, id) | X2APIC_ICR_LEVEL_ASSERT | vector);
}

void apic_send_init(uint32_t id)
{
    send(field_put(X2APIC_ICR_DESTINATION, id) | X2APIC_ICR_LEVEL_ASSERT |
         field_put(X2APIC_ICR_MODE, X2APIC_ICR_MODE_INIT));
}

void apic_send_startup(uint32_t id, uint8_t page)
{
    send(field_put(X2APIC_ICR_DESTINATION, id) | X2APIC_ICR_LEVEL_ASSERT |
         field_put(X2APIC_ICR_MODE, X2APIC_ICR_MODE_STARTUP) | page);
}

void apic_send_nmi(uint32_t id)
{
    send(field_put(X2APIC_ICR_DESTINATION, id) | X2APIC_ICR_LEVEL_ASSERT |
         field_put(X2APIC_ICR_MODE, X2APIC_ICR_MODE_NMI));
}

bool apic_is_ready(void)
{
    return rdmsr(MSR_APIC_BASE) & APIC_BASE_EXTD;
}

void apic_timer_init(void)
{
    apic_timer.can_deadline = cpuid(1, 0).c & CPUID_1_C_TSC_DEADLINE;
}

bool apic_timer_is_tsc_deadline(unsigned cpu)
{
    return cpu_get(cpu)->tsc_deadline;
}

void apic_timer_set(uint64_t tsc)
{
    if (this_cpu()->tsc_deadline) {
        wrmsr(MSR_TSC_DEADLINE, tsc);
        return;
    }
    uint64_t now = rdtsc();
    uint64_t cycles = tsc > now ? MIN(tsc - now, BIT64(31)) : 0;
    uint64_t ticks = (cycles * apic_timer.ticks_per_tsc) >> 32;
    wrmsr(X2APIC_TIMER_INITIAL, MAX(MIN(ticks, (uint64_t)UINT32_MAX), 1ull));
}

// Both ways stop at zero (SDM vol. 3, 11.5.4 and 11.5.4.1).
void apic_timer_cancel(void)
{
    wrmsr(this_cpu()->tsc_deadline ? MSR_TSC_DEADLINE : X2APIC_TIMER_INITIAL, 0);
}
