// SPDX-License-Identifier: BSD-2-Clause
// Programs in ring 3 for step.h: CPU n + 1 runs programs[n], an instruction in each step, on a machine of
// step_machine.h.
#pragma once

#include "kernel/domain/cpu.h"

#define RING3_PROGRAMS 2u
#define RING3_QUEUE_EVENT 65u // of the first one, in the second word

enum ring3_kind {
    SERVES, // its events and completions, and sleeps
    WAKES,  // likewise, but wakes the first CPU at first, twice
    EXITS,  // at once
    SPINS,  // wakes itself, and never comes round its loop
};

struct ring3 {
    enum ring3_kind kind;
    enum { ROUND, TAKE, TAGS, LAST } at;
    unsigned word, asked;
    bool found;
    uint64_t until_ns; // of its sleeps; 0: for ever
    unsigned timeouts;
};

extern struct ring3 programs[RING3_PROGRAMS];
extern union ring3_page {
    struct domain_events events;
    uint8_t bytes[512]; // all that is used
} pages[RING3_PROGRAMS];

extern struct ring3_told {
    unsigned sent, seen;   // completions of the first one's queue
    unsigned asked, woken; // by WAKE
    unsigned stuck;        // programs that the kernel has said that of
    bool taken_back;       // none of them may run any more
} told;
