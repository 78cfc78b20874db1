// SPDX-License-Identifier: BSD-2-Clause
// How fast the TSC runs: which of those who say so is believed. Pure: runs on the host too.

#include "kernel/x86/time_init.h"

#define HZ_LEAST 100000000ull // slower or faster ones are nonsense
#define HZ_MOST (BIT64(34) - 1)
#define PER_CENT_MOST 1 // by which two may differ; CPUID 16h is rounded, up to 0.4% off

bool time_hz_is_sane(uint64_t hz)
{
    return hz >= HZ_LEAST && hz <= HZ_MOST;
}

// Exact, but only where the crystal is told (SDM vol. 3, 20.7.3).
static uint64_t by_crystal(const struct tsc_facts *f)
{
    return f->leaf15.a && f->leaf15.b ? (uint64_t)f->leaf15.c * f->leaf15.b / f->leaf15.a : 0;
}

// The processor's base frequency, in whole MHz: the TSC's only nearly.
static uint64_t by_base(const struct tsc_facts *f)
{
    return (uint64_t)(f->leaf16.a & 0xffff) * 1000000;
}

static uint64_t sane(uint64_t hz)
{
    return time_hz_is_sane(hz) ? hz : 0;
}

static bool differ(uint64_t a, uint64_t b)
{
    return MAX(a, b) - MIN(a, b) > MIN(a, b) / 100 * PER_CENT_MOST;
}

static void compare(const char *by, uint64_t hz, const char *other, uint64_t other_hz,
                    struct tsc_choice *out)
{
    if (!hz || !other_hz || !differ(hz, other_hz))
        return;
    out->warned = true;
    problem_set(&out->warning, "tsc-frequency",
                "the TSC runs at %llu kHz by %s, but at %llu kHz by %s: every time and rate may be "
                "wrong by as much (the first one is used); update the firmware",
                (unsigned long long)(hz / 1000), by, (unsigned long long)(other_hz / 1000), other);
}

static bool choose(uint64_t hz, const char *source, struct tsc_choice *out)
{
    out->hz = hz;
    out->source = source;
    return hz != 0;
}

bool time_choose(const struct tsc_facts *f, struct tsc_choice *out)
{
    uint64_t crystal = sane(by_crystal(f)), hypervisor = sane(f->hypervisor_hz);
    uint64_t measured = sane(f->measured_hz), base = sane(by_base(f));
    *out = (struct tsc_choice){ 0 };
    compare("CPUID 15h", crystal, f->measured_by, measured, out);
    if (choose(crystal, "CPUID 15h", out))
        return true;
    compare("the hypervisor's CPUID", hypervisor, f->measured_by, measured, out);
    if (choose(hypervisor, "CPUID 40000010h", out))
        return true;
    compare(f->measured_by, measured, "CPUID 16h", base, out);
    if (choose(measured, f->measured_by, out))
        return true;
    if (!choose(base, "CPUID 16h", out))
        return false;
    out->warned = true;
    problem_set(&out->warning, "tsc-not-measured",
                "the TSC is taken to run at the processor's base frequency, %llu MHz by CPUID 16h, "
                "since no HPET or ACPI PM timer counts: times and rates may be 0.5%% off; turn the "
                "HPET on in the firmware's set-up",
                (unsigned long long)(base / 1000000));
    return true;
}
