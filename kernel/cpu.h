// SPDX-License-Identifier: BSD-2-Clause
// The CPUs: who they are, messages between them, and each one's run-to-completion loop.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

#define CPU_MAX 4096

// A message to a CPU's loop. Embed it; it must stay valid until fn has been called.
struct cpu_msg {
    struct cpu_msg *next;
    void (*fn)(struct cpu_msg *msg);
};

unsigned cpu_count(void); // CPUs in use: indexes 0 to cpu_count() - 1; 0 is the boot CPU

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

uint32_t cpu_apic_id(unsigned cpu);
unsigned cpu_node(unsigned cpu); // NUMA node, NODE_ANY where unknown

// Has fn called from that CPU's loop, with an IPI if it sleeps; from the boot CPU's where that CPU is
// out of use. Any CPU, any context.
void cpu_post(unsigned cpu, struct cpu_msg *msg);

// One-shot timers of the calling CPU, run from its loop. fn may start the timer again.
struct cpu_timer {
    struct cpu_timer *next;
    uint64_t due_ns; // time_ns() at which it fires
    void (*fn)(struct cpu_timer *timer);
    unsigned cpu; // whose it is
    bool armed;
    bool guest; // with the boot CPU, while its own is away
};
void cpu_timer_start(struct cpu_timer *timer, uint64_t due_ns); // moves it if it is armed
void cpu_timer_stop(struct cpu_timer *timer);

// Runs the loop (handlers, messages, timers, flush, sleep) until *stop is true. *stop is set from
// something the loop runs. Owner CPU.
void cpu_run_until(const bool *stop);

// A CPU's leave or return. Embed it; valid until done() has been called on the boot CPU.
struct cpu_change {
    struct cpu_msg msg;
    unsigned cpu; // not the boot CPU
    bool ok;
    struct problem problem; // where not ok
    void (*done)(struct cpu_change *change);
};

// Takes a CPU out of use: its irqs, with their queues, and its timers go to other CPUs, then it
// halts. The caller has seen to it that nothing of its own waits for completions there.
// Brings it back: it starts anew, and its timers and the irqs that were allocated for it return.
// Both: boot CPU, from its loop, one change at a time.
void cpu_offline(struct cpu_change *change);
void cpu_online(struct cpu_change *change);
bool cpu_is_online(unsigned cpu);

// Counters since boot, written by their CPU alone; others may read them at any time.
#define CPU_STATS_BUCKETS 9
#define CPU_STATS_LOOPS 8 // the last one: that many or more
struct cpu_stats {
    uint64_t msis;          // device MSIs taken: PIR bits harvested, or interrupts where not posted
    uint64_t notifications; // posted-MSI notifications taken (PMN); 0 where not posted
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
    uint64_t idle_tsc; // TSC cycles halted, or in rounds of the loop that found nothing to do
};
const struct cpu_stats *cpu_stats(unsigned cpu);

// TSC cycles per second, as calibrated.
uint64_t time_tsc_hz(void);
