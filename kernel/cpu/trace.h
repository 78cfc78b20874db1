// SPDX-License-Identifier: BSD-2-Clause
// The trace: for each CPU a ring of what its interrupt path did and when. Off, a trace point is one
// test of a flag that nobody writes during a run.
#pragma once

#include "kernel/base/cpus.h"
#include "lib/types.h"

// What happened. Spans have a kind for each end; an interrupt's span ends with its EOI.
enum trace_kind {
    TRACE_NONE,        // a slot that was never written
    TRACE_NOTIFY,      // notification vector taken
    TRACE_DEVICE,      // a device's own vector taken; arg: vector
    TRACE_TIMER,       // timer interrupt taken
    TRACE_IPI,         // IPI taken
    TRACE_FAULT,       // VT-d fault event taken
    TRACE_EOI,         // EOI sent, for the innermost of these
    TRACE_HARVEST,     // a harvest took bits out of the PIR
    TRACE_POST,        // one of them; arg: vector
    TRACE_HARVEST_END, // arg: how many
    TRACE_CLEAR_ON,    // ON cleared
    TRACE_WINDOW,      // the moderation window's timer harvests
    TRACE_HANDLER,     // a handler is called; arg: vector
    TRACE_HANDLER_END, // and is back; arg: vector
    TRACE_SPIN,        // the loop found nothing and looks on for a while
    TRACE_SLEEP,       // the CPU is about to wait for an interrupt
    TRACE_WAKE,        // its loop goes on
    TRACE_KINDS,
};

struct trace_entry {
    uint64_t tsc;
    uint32_t kind; // enum trace_kind
    uint32_t arg;
};
static_assert(sizeof(struct trace_entry) == 16, "four to a cache line");

struct trace_ring {
    uint64_t next; // entries ever begun; the next one's slot, modulo the ring's size
    uint64_t mask; // size - 1
    struct trace_entry entries[];
};

// Written before and after a run alone, so every CPU keeps the lines that it reads.
struct trace_rings {
    bool on;
    struct trace_ring *of[CPU_MAX];
} __attribute__((aligned(CACHE_LINE)));
extern struct trace_rings trace_rings;

// It saves every register that it uses, which the compiler can't be told of a C call: so a trace
// point that is off costs its caller a comparison and a branch, and no register.
#ifdef ONEBELL_HOST
void trace_record(enum trace_kind kind, uint32_t arg);
#define TRACE_RECORD(kind, arg) trace_record(kind, arg)
#else
__attribute__((no_caller_saved_registers)) void trace_record(enum trace_kind kind, uint32_t arg);
#define TRACE_RECORD(kind, arg)                                                                    \
    __asm__ volatile("call %P0" : : "i"(trace_record), "D"(kind), "S"(arg) : "memory", "cc")
#endif

static inline bool trace_is_on(void)
{
    return trace_rings.on;
}

// Notes an event, if the trace is on. Owner CPU, any context, interrupts on or off.
static inline void trace(enum trace_kind kind, uint32_t arg)
{
    if (unlikely(trace_is_on()))
        TRACE_RECORD(kind, arg);
}

// Gives every CPU a ring of so many entries (at most TRACE_ENTRIES_MAX; rounded up to a power of
// two), and turns the trace on. 0: does nothing. One that has a ring keeps it, whatever its size. Boot
// CPU, when all CPUs are up.
#define TRACE_ENTRIES_MAX (1u << 20)
void trace_start(unsigned entries);

// Turns it off; what was kept stays. Another CPU may still be writing one entry. Any CPU.
void trace_stop(void);

// Sends what was kept, oldest first, in JSON objects of type `trace`. Boot CPU, stopped.
void trace_dump(void);

// Prints a CPU's newest entries on the console; those that it writes meanwhile may look odd. False: it
// has none. Any CPU.
bool trace_print(unsigned cpu, unsigned count);

// Stops the trace and prints a CPU's newest entries on the console, if it is on. For panics.
void trace_print_last(unsigned cpu, unsigned count);

// Short name of a kind, as in the JSON.
const char *trace_kind_name(uint32_t kind);
