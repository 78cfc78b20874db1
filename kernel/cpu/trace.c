// SPDX-License-Identifier: BSD-2-Clause
// The trace's rings, and what writes them. What reads them is in trace_dump.c.

#include "kernel/cpu/trace.h"

#include "kernel/base/percpu.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"

struct trace_rings trace_rings;

// Gives out a slot in one instruction: no interrupt can come within, so each gets a slot of its
// own, without the price of a locked one.
static uint64_t reserve(struct trace_ring *ring)
{
    uint64_t slot = 1;
    __asm__("xaddq %0, %1" : "+r"(slot), "+m"(ring->next) : : "cc");
    return slot;
}

// An interrupt that comes in the middle puts its own events ahead of this one in the ring, never
// over it. The time is taken first, so that order by time is the order in which things happened.
void trace_record(enum trace_kind kind, uint32_t arg)
{
    uint64_t tsc = rdtsc();
    struct trace_ring *ring = trace_rings.of[this_cpu()->index];
    struct trace_entry *entry = &ring->entries[reserve(ring) & ring->mask];
    entry->tsc = tsc;
    entry->kind = kind;
    entry->arg = arg;
}

static unsigned power_of_two(unsigned least)
{
    unsigned size = 1;
    while (size < least)
        size *= 2;
    return size;
}

void trace_start(unsigned entries)
{
    if (!entries)
        return;
    unsigned size = power_of_two(entries);
    size_t bytes = sizeof(struct trace_ring) + size * sizeof(struct trace_entry);
    for (unsigned cpu = 0; cpu < cpu_total(); cpu++) {
        if (trace_rings.of[cpu])
            continue;
        struct trace_ring *ring = mem_alloc(bytes, CACHE_LINE, cpu_node(cpu));
        ring->mask = size - 1;
        trace_rings.of[cpu] = ring;
        cpu_get(cpu)->traced = true;
    }
    // Release: who sees it on finds its ring.
    __atomic_store_n(&trace_rings.on, true, __ATOMIC_RELEASE);
}

void trace_stop(void)
{
    __atomic_store_n(&trace_rings.on, false, __ATOMIC_RELEASE);
}
