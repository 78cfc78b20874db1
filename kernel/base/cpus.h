// SPDX-License-Identifier: BSD-2-Clause
// The CPUs: how many there are, who they are, and what each has counted.
#pragma once

#ifndef ONEBELL_HOST
#include "kernel/base/x86.h"
#endif
#include "lib/types.h"

#define CPU_MAX 4096
#define NODE_ANY (~0u) // a NUMA node that is unknown, or doesn't matter

unsigned cpu_count(void); // CPUs in use: indexes 0 to cpu_count() - 1; 0 is the boot CPU

// With those behind them that are kept for domains (domain=): for the kernel's own rooms, and for what
// every CPU's loop touches.
unsigned cpu_total(void);

// The calling CPU. Inline: each I/O asks.
#ifdef ONEBELL_HOST
unsigned cpu_index(void);
#else
static inline unsigned cpu_index(void)
{
    unsigned index;
    __asm__("movl %%gs:16, %0" : "=r"(index)); // struct cpu
    return index;
}
#endif

// One time stamp for all that a look at a device finds at once, for those to whom that is exact
// enough. The driver begins a batch before it ends any request; in done(), the TSC of then.
#ifdef ONEBELL_HOST
void cpu_begin_batch(void);
uint64_t cpu_batch_tsc(void);
#else
static inline void cpu_begin_batch(void)
{
    __asm__ volatile("movq %0, %%gs:24" : : "r"(rdtsc())); // struct cpu
}
static inline uint64_t cpu_batch_tsc(void)
{
    uint64_t tsc;
    __asm__ volatile("movq %%gs:24, %0" : "=r"(tsc));
    return tsc;
}
#endif

uint32_t cpu_apic_id(unsigned cpu);
unsigned cpu_node(unsigned cpu); // NUMA node, NODE_ANY where unknown

// False while it is out of use (kernel/run/hotplug.h), and before it has started. Any CPU.
bool cpu_is_online(unsigned cpu);

// How many bytes of its stack a CPU has ever used, interrupts included: stacks start as zeros. Any CPU.
unsigned cpu_stack_used(unsigned cpu);

// Counters since boot, written by their CPU alone; others may read them at any time.
#define CPU_STATS_BUCKETS 9
#define CPU_STATS_LOOPS 8 // the last one: that many or more
struct cpu_stats {
    uint64_t notifications; // posted-MSI notifications taken (PMN); 0 where not posted
    uint64_t msis;          // device MSIs taken: PIR bits harvested, or interrupts where not posted
    uint64_t timers;        // timer interrupts
    uint64_t ipis;          // wake-ups by other CPUs
    uint64_t faults;        // VT-d fault events
    uint64_t spurious;      // spurious and unexpected vectors
    uint64_t per_harvest[CPU_STATS_BUCKETS]; // PIR scans by vectors found: 1, 2, 3-4, 5-8, ...
    uint64_t loops[CPU_STATS_LOOPS]; // notifications by harvests that found something: 0, 1, 2, ...
    uint64_t spins;                  // waits that ended before the CPU slept
    uint64_t sleeps;                 // times it halted
    uint64_t wakes;                  // sleeps that a notification or a device vector ended
    uint64_t windows;                // harvests by the window's timer
    uint64_t moderated;              // harvests by timer in place of a notification
    uint64_t mwait_misses;           // posts that ended no MWAIT
    uint64_t idle_tsc; // TSC cycles halted, or in rounds of the loop that found nothing to do
};
const struct cpu_stats *cpu_stats(unsigned cpu);
