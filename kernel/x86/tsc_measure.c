// SPDX-License-Identifier: BSD-2-Clause
// How fast the TSC runs: as CPUID and hypervisors tell, and as measured.

#include "kernel/base/report.h"
#include "kernel/mem/map.h"
#include "kernel/x86/hypervisor.h"
#include "kernel/x86/time.h"
#include "kernel/x86/time_init.h"
#include "lib/mmio.h"

#define HPET_CAPABILITIES 0x00
#define HPET_CAPABILITIES_64BIT BIT64(13)
#define HPET_CAPABILITIES_PERIOD BITS64(63, 32) // femtoseconds per tick
#define HPET_CONFIGURATION 0x10
#define HPET_CONFIGURATION_ENABLE BIT64(0)
#define HPET_COUNTER 0xf0
#define HPET_PERIOD_MAX 100000000ull // IA-PC HPET 1.0a, 2.3.4
#define PM_TIMER_HZ 3579545ull       // ACPI 6.5, 4.8.3.3
#define FS_PER_S 1000000000000000ull
#define HYPERVISOR_TIMING 0x40000010 // TSC frequency in kHz, by VMware's convention
#define MEASURE_PART 50              // of a second: 20 ms
#define READ_TRIES 16
#define READS_MOST 2000000ull // a clock that doesn't count is given up

// A counter to measure against.
struct reference {
    uint64_t (*read)(const struct reference *r);
    volatile void *registers;
    uint64_t port;
    uint64_t mask; // it wraps there
    uint64_t hz;
};

static void read_cpuid(struct tsc_facts *f)
{
    uint32_t most = cpuid(0, 0).a;
    if (most >= 0x15)
        f->leaf15 = cpuid(0x15, 0);
    if (most >= 0x16)
        f->leaf16 = cpuid(0x16, 0);
    if (hypervisor_is_there() && cpuid(0x40000000, 0).a >= HYPERVISOR_TIMING)
        f->hypervisor_hz = (uint64_t)cpuid(HYPERVISOR_TIMING, 0).a * 1000;
}

static uint64_t read_hpet(const struct reference *r)
{
    return mmio_read32(mmio_at(r->registers, HPET_COUNTER));
}

static uint64_t read_pm_port(const struct reference *r)
{
    return in32((uint16_t)r->port);
}

static uint64_t read_pm_memory(const struct reference *r)
{
    return mmio_read32(r->registers);
}

// Both counters at one moment, as nearly as can be told: an SMI, or the host of a virtual machine,
// may come between two reads, so the shortest of several tries counts.
struct moment {
    uint64_t ticks, tsc;
};

static struct moment read_moment(const struct reference *r)
{
    struct moment best = { 0 };
    uint64_t shortest = UINT64_MAX;
    for (unsigned i = 0; i < READ_TRIES; i++) {
        uint64_t before = rdtsc();
        uint64_t ticks = r->read(r);
        uint64_t span = rdtsc() - before;
        if (span < shortest) {
            shortest = span;
            best = (struct moment){ ticks, before + span / 2 };
        }
    }
    return best;
}

// TSC cycles per second by the reference; 0 where that stands still.
static uint64_t measure(const struct reference *r)
{
    struct moment start = read_moment(r);
    uint64_t wanted = r->hz / MEASURE_PART;
    for (uint64_t reads = 0; reads < READS_MOST; reads++)
        if (((r->read(r) - start.ticks) & r->mask) >= wanted) {
            struct moment end = read_moment(r);
            return (end.tsc - start.tsc) * r->hz / ((end.ticks - start.ticks) & r->mask);
        }
    return 0;
}

static bool hpet_reference(const struct hpet_table *table, struct reference *r)
{
    volatile void *registers = mem_map_mmio(table->address, 0x400);
    uint64_t period = field_get(HPET_CAPABILITIES_PERIOD, mmio_read64(registers));
    if (!period || period > HPET_PERIOD_MAX)
        return false;
    volatile void *configuration = mmio_at(registers, HPET_CONFIGURATION);
    mmio_write64(configuration, mmio_read64(configuration) | HPET_CONFIGURATION_ENABLE);
    *r = (struct reference){
        .read = read_hpet, .registers = registers, .mask = UINT32_MAX, .hz = FS_PER_S / period
    };
    return true;
}

static void pm_reference(const struct fadt *fadt, struct reference *r)
{
    *r = (struct reference){
        .read = fadt->pm_timer_io ? read_pm_port : read_pm_memory,
        .registers = fadt->pm_timer_io ? NULL : mem_map_mmio(fadt->pm_timer, 4),
        .port = fadt->pm_timer,
        .mask = fadt->pm_timer_32bit ? UINT32_MAX : BITS64(23, 0),
        .hz = PM_TIMER_HZ,
    };
}

// Also where CPUID tells: firmware and hypervisors are wrong at times.
static void measure_by_any(const struct hpet_table *hpet, const struct fadt *fadt,
                           struct tsc_facts *f)
{
    struct reference r;
    if (hpet && hpet_reference(hpet, &r)) {
        f->measured_by = "HPET";
        f->measured_hz = measure(&r);
    }
    if (!time_hz_is_sane(f->measured_hz) && fadt && fadt->pm_timer) {
        f->measured_by = "ACPI PM timer";
        pm_reference(fadt, &r);
        f->measured_hz = measure(&r);
    }
}

bool time_init(const struct hpet_table *hpet, const struct fadt *fadt, const char **source,
               struct problem *p)
{
    struct tsc_facts facts = { 0 };
    struct tsc_choice choice;
    read_cpuid(&facts);
    measure_by_any(hpet, fadt, &facts);
    if (!time_choose(&facts, &choice))
        return problem_set(p, "no-clock",
                           "the TSC's frequency can't be told (%llu Hz as measured): neither CPUID "
                           "nor an HPET nor an ACPI PM timer is usable: turn the HPET on in the "
                           "firmware's set-up",
                           (unsigned long long)facts.measured_hz);
    if (choice.warned)
        warn_problem(&choice.warning);
    *source = choice.source;
    time_start(choice.hz, rdtsc());
    return true;
}
