// SPDX-License-Identifier: BSD-2-Clause
// What an app feeds the screen's panel with while it runs: it counts, and rates come of that. Without a
// screen, all of this does nothing. Boot CPU.
#pragma once

#include "apps/disks.h"

// Counted since the beginning.
struct live_disk {
    uint64_t ios, bytes, errors;
    uint64_t latency_tsc; // sum over `timed` of the I/Os
    uint64_t timed;
    uint16_t kelvin;   // 0: unknown
    uint64_t permille; // of what is to be done there; LIVE_UNKNOWN: its bar shows how fast it is
};
#define LIVE_UNKNOWN UINT64_MAX

struct live_state {
    uint64_t elapsed_ns;
    uint64_t left_s, permille; // of the whole; LIVE_UNKNOWN
};

// Begins, or goes on with other disks (NULL: all are one): `title` is a word or two, the rest says what
// runs.
void live_begin(const char *title, const struct disks *disks, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

// What runs, from now on.
void live_say(const char *fmt, ...) PRINTF_LIKE(1, 2);

// The counts of a disk, by its place in the list, before live_show().
struct live_disk *live_disk(size_t disk);

// Is there anybody to count for?
bool live_is_shown(void);

// Shows all that; what comes too soon after the last time is passed over.
void live_show(const struct live_state *state);

// By time alone, with an end that is known (ns).
struct live_state live_until(uint64_t elapsed_ns, uint64_t end_ns);

// By what is done of all; what is left takes as long for each.
struct live_state live_done(uint64_t elapsed_ns, uint64_t done, uint64_t all);
