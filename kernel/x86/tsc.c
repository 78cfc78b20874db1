// SPDX-License-Identifier: BSD-2-Clause
// What CPUID says about the TSC. Pure: runs on the host too.

#include "kernel/x86/time_init.h"

uint64_t time_tsc_hz_from_cpuid(struct cpuid leaf15, struct cpuid leaf16)
{
    if (!leaf15.a || !leaf15.b)
        return 0;
    if (leaf15.c)
        return (uint64_t)leaf15.c * leaf15.b / leaf15.a;
    return (uint64_t)(leaf16.a & 0xffff) *
           1000000; // base frequency = TSC where the crystal isn't told
}
