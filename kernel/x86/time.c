// SPDX-License-Identifier: BSD-2-Clause
// The TSC as the clock: conversion by multiplication, never by division.

#include "kernel/x86/time.h"

#include "kernel/x86/time_init.h"
#include "lib/bits.h"

static struct {
    uint64_t tsc_start;
    uint64_t tsc_hz;
    uint64_t ns_per_tsc; // 32.32 fixed point
    uint64_t tsc_per_ns; // 32.32 fixed point
} clock = { .tsc_hz = NS_PER_S, .ns_per_tsc = BIT64(32), .tsc_per_ns = BIT64(32) };

void time_start(uint64_t hz, uint64_t tsc_at_zero)
{
    clock.tsc_hz = hz;
    clock.ns_per_tsc = ((NS_PER_S << 32) / hz);
    // Rounded up from the other one, not from hz: no timer comes before its time by time_ns().
    clock.tsc_per_ns = UINT64_MAX / clock.ns_per_tsc + 1;
    clock.tsc_start = tsc_at_zero;
}

uint64_t time_ns(void)
{
    return (uint64_t)(((unsigned __int128)(rdtsc() - clock.tsc_start) * clock.ns_per_tsc) >> 32);
}

uint64_t time_tsc_span(uint64_t ns)
{
    return (uint64_t)(((unsigned __int128)ns * clock.tsc_per_ns) >> 32);
}

uint64_t time_tsc_at(uint64_t ns)
{
    return clock.tsc_start + time_tsc_span(ns) + 1;
}

uint64_t time_tsc_hz(void)
{
    return clock.tsc_hz;
}

void time_delay_ns(uint64_t ns)
{
    uint64_t end = time_ns() + ns;
    while (time_ns() < end)
        cpu_relax();
}
