// SPDX-License-Identifier: BSD-2-Clause
// A domain's CPU: the program runs on it in ring 3, and between its stays there the kernel's own loop takes
// its turns, as on any other CPU. Inside kernel/domain only.
#pragma once

#include "kernel/base/symbols.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/domain/abi.h"
#include "kernel/domain/voice.h"
#include "kernel/run/trap.h"

struct domain_cpu;
struct space;

// Why a life ended.
enum domain_end {
    DOMAIN_END_EXIT,   // by itself
    DOMAIN_END_FAILED, // by itself, as failed
    DOMAIN_END_FAULT,  // it did what it may not
    DOMAIN_END_TIME,   // its time was up
    DOMAIN_END_KILLED, // by people, or with the run
    DOMAIN_END_START,  // it couldn't be started
};

// What all CPUs of a domain share. Who starts domains embeds it, and fills all of it in.
struct domain_team {
    const char *name;
    const struct space *space;
    struct domain_cpu *cpus;
    unsigned cpus_count;
    uint64_t
        patience_ns; // a CPU that doesn't come round its loop for so long ends the domain; 0: never
    const struct symbols *symbols; // of the program
    struct domain_voice voice;

    // Both are called on the boot CPU, from its loop. The program has come to its end on one of its CPUs,
    // and people know: all of them are to be stopped.
    void (*over)(struct domain_team *team, enum domain_end why);
    // One of them is the kernel's alone again, after domain_cpu_stop().
    void (*is_back)(struct domain_team *team);
};

struct domain_cpu {
    _Alignas(16) struct trap_frame frame; // ring_enter()'s
    struct domain_team *team;
    struct domain_events *events; // the program's page, where the kernel has it
    unsigned index;               // of the domain's
    unsigned cpu;                 // the kernel's
    uint64_t gs;
    bool wake;    // ends its sleep
    bool leaving; // it is to come back
    bool asleep;
    bool stuck; // its patience is over
    uint64_t calls;
    struct domain_watch {
        uint64_t rounds, calls; // when it last came round its loop
        uint64_t since_ns;
    } watch;
    struct cpu_timer start, deadline, look;
    struct cpu_msg begin, stop, woken, over, back;
    bool wake_posted; // woken is on its way
    enum domain_end why;
    char text[DOMAIN_TEXT_BYTES + DOMAIN_VOICE_BYTES]; // what it prints, on its way
};

// Once: the domain's CPU `index` is the kernel's `cpu`. Boot CPU.
void domain_cpu_init(struct domain_cpu *dc, struct domain_team *team, unsigned index, unsigned cpu,
                     struct domain_events *events);

// Begins at `entry`, with all registers zero but RDI, which has the index. Boot CPU; not while it runs.
void domain_cpu_start(struct domain_cpu *dc, uint64_t entry);

// Has it come back, whatever the program does. Boot CPU, once for each start.
void domain_cpu_stop(struct domain_cpu *dc);
