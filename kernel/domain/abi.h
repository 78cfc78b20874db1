// SPDX-License-Identifier: BSD-2-Clause
// What the kernel and a domain's program agree on: addresses, the pages that they share, and the calls.
// A program of another DOMAIN_ABI isn't started.
#pragma once

#include "lib/types.h"

#define DOMAIN_ABI 2

// What a program says of itself, in a PT_NOTE: its name "Onebell", its descriptor the DOMAIN_ABI.
#define DOMAIN_NOTE_TYPE 1
struct domain_note {
    uint32_t name_bytes, bytes, type;
    char name[8]; // with its zero byte
    uint32_t abi;
};
#define DOMAIN_NOTE { 8, 4, DOMAIN_NOTE_TYPE, "Onebell", DOMAIN_ABI }

// ---- addresses: a device that a domain has uses the same ones for its memory ----

#define DOMAIN_IMAGE 0x400000ull // where programs are linked
#define DOMAIN_IMAGE_END 0x20000000ull
#define DOMAIN_STACKS 0x20000000ull // each CPU's ends DOMAIN_STACK_SPAN further on
#define DOMAIN_STACK_SPAN 0x100000ull
#define DOMAIN_STACK_BYTES 0x10000ull
#define DOMAIN_INFO 0x80000000ull // struct domain_info, read-only
#define DOMAIN_INFO_BYTES 0x10000ull
#define DOMAIN_EVENTS 0x80100000ull // a struct domain_events, a page, for each CPU
#define DOMAIN_DOORBELLS 0x90000000ull
#define DOMAIN_DOORBELL_SPAN 0x100000ull // for each function
#define DOMAIN_MEMORY 0x100000000ull     // all that devices reach
#define DOMAIN_END (1ull << 38)

#define DOMAIN_CPUS_MAX 256u
#define DOMAIN_FUNCTIONS_MAX 64u
#define DOMAIN_NAME_BYTES 16

static inline uint64_t domain_stack_top(unsigned cpu)
{
    return DOMAIN_STACKS + (cpu + 1) * DOMAIN_STACK_SPAN;
}

static inline uint64_t domain_events_at(unsigned cpu)
{
    return DOMAIN_EVENTS + cpu * 4096ull;
}

// ---- events: a page of each CPU's, written by both sides ----

#define DOMAIN_EVENT_WORDS 4
#define DOMAIN_EVENT_WAKE 255 // another CPU of the domain called WAKE; all others are queues

struct domain_events {
    uint64_t bits[DOMAIN_EVENT_WORDS]; // set by the kernel; the program takes them by exchange
    uint64_t rounds; // the program's: one more each time that it comes round its loop
    uint64_t notifications,
        msis; // the kernel's, as in struct cpu_stats, when STATS was last called
    uint64_t sleeps, wakes, timers, ipis;
};

// ---- what a program is told at the start ----

// An I/O queue pair that the controller has at these addresses, and nobody else uses.
struct domain_queue {
    uint64_t sq, cq;   // addresses in the domain's memory, zeroed
    uint64_t doorbell; // the submission queue's
    uint32_t entries;  // of each
    uint32_t stride;   // bytes from one doorbell to the next
    uint16_t qid;
    uint16_t cpu;   // of the domain's
    uint16_t event; // bit of that CPU's events; by no interrupt at all: 0xffff
    uint16_t function;
};

struct domain_info {
    uint32_t abi;
    uint32_t bytes; // all that follows, with the driver's parts
    char name[DOMAIN_NAME_BYTES];
    uint32_t cpus;
    uint32_t irq_mode;    // enum irq_mode
    uint64_t spin_ns;     // in adaptive mode it looks on for so long at most before it sleeps
    uint64_t memory;      // bytes at DOMAIN_MEMORY
    uint64_t memory_used; // of them, from the start: queues
    uint64_t tsc_hz;
    uint64_t tsc_at_zero;          // time_ns() counts from this TSC
    uint32_t words, words_bytes;   // the program's command line: offset from the start of this
    uint32_t queues, queues_count; // struct domain_queue
    uint32_t disks, disks_count;   // what the driver says of each disk: drivers/nvme/granted.h
    uint32_t disk_bytes;           // of one; another size: the program is of another build
    uint32_t node;                 // NUMA node of the memory; ~0: not known
    uint32_t life;                 // how often it was started before
    uint32_t reserved;
};

// ---- calls: SYSCALL, the number in RAX, arguments in RDI, RSI and RDX, the result in RAX ----

enum domain_call {
    DOMAIN_CALL_EXIT,  // (failed): the domain's end
    DOMAIN_CALL_PRINT, // (enum domain_text, text, bytes): a line, or a JSON object
    DOMAIN_CALL_SLEEP, // (time_ns() to wake at the latest): until events, that time, or WAKE
    DOMAIN_CALL_WAKE,  // (CPU of the domain's): ends its sleep, or its next one
    DOMAIN_CALL_GS,    // (address): this CPU's GS base
    DOMAIN_CALL_STATS, // (CPU of the domain's): the kernel's counts of it, into the page of its events
    DOMAIN_CALLS,
};

enum domain_text {
    DOMAIN_TEXT_INFO,
    DOMAIN_TEXT_WARN,
    DOMAIN_TEXT_ERROR,
    DOMAIN_TEXT_JSON,
    DOMAIN_TEXTS
};
#define DOMAIN_TEXT_BYTES 4096 // of one; for WARN and ERROR the id stands before the first blank

// Results; what no right program does ends the domain instead.
#define DOMAIN_OK 0
#define DOMAIN_BUSY (-1l)
