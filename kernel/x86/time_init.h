// SPDX-License-Identifier: BSD-2-Clause
// Calibration of the TSC, for the boot steps alone.
#pragma once

#include "kernel/acpi/acpi.h"
#include "kernel/base/x86.h"

// By CPUID where it is told, else measured by the HPET or the ACPI PM timer (either may be NULL),
// which also check CPUID: warns where they differ. Problem "no-clock" where nothing tells. Boot
// CPU. Returns the source's name in *source.
bool time_init(const struct hpet_table *hpet, const struct fadt *fadt, const char **source,
               struct problem *p);

// What is known of the TSC's frequency; what isn't, is 0.
struct tsc_facts {
    struct cpuid leaf15, leaf16;
    uint64_t hypervisor_hz; // CPUID 40000010h
    uint64_t measured_hz;
    const char *measured_by;
};
struct tsc_choice {
    uint64_t hz;
    const char *source;
    bool warned; // in warning: the facts don't agree, or are poor
    struct problem warning;
};

// Pure: whom to believe. CPUID 15h where it tells the crystal, then the hypervisor, then what was
// measured; 16h, which is rounded, only where there is nothing else. False: nobody tells.
bool time_choose(const struct tsc_facts *f, struct tsc_choice *out);

// Pure: may be a TSC's.
bool time_hz_is_sane(uint64_t hz);

// The clock runs from here on: time_ns() is 0 at that TSC.
void time_start(uint64_t hz, uint64_t tsc_at_zero);

// The TSC at a time of time_ns().
uint64_t time_tsc_at(uint64_t ns);

// TSC cycles in so many nanoseconds.
uint64_t time_tsc_span(uint64_t ns);
