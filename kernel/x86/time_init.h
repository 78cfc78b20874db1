// SPDX-License-Identifier: BSD-2-Clause
// Calibration of the TSC, for the boot steps alone.
#pragma once

#include "kernel/acpi/acpi.h"
#include "kernel/base/x86.h"

// From CPUID, else by the HPET or the ACPI PM timer (either may be NULL). Problem "no-clock" where
// none of them is there or counts. Boot CPU. Returns the source's name in *source.
bool time_init(const struct hpet_table *hpet, const struct fadt *fadt, const char **source,
               struct problem *p);

// Pure: TSC frequency by leaves 15h and 16h (SDM vol. 3, 20.7.3), 0 where they don't tell.
uint64_t time_tsc_hz_from_cpuid(struct cpuid leaf15, struct cpuid leaf16);

// The TSC at a time of time_ns().
uint64_t time_tsc_at(uint64_t ns);

// TSC cycles in so many nanoseconds.
uint64_t time_tsc_span(uint64_t ns);
