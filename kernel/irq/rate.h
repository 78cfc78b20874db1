// SPDX-License-Identifier: BSD-2-Clause
// How long a CPU waits from one notification to the next, so that all of them together stay within a
// budget (posted.rate). Pure: told what was counted, it answers with the window.
//
// All CPUs have the same window, the shortest that meets the budget: those that ask for fewer than one
// notification in each have them all, and leave the rest of their share to the others.
#pragma once

#include "lib/types.h"

struct rate {
    uint64_t budget; // notifications a second, of all CPUs
    uint64_t most;   // ... of one CPU; 0: as they come, for all together are within the budget
    unsigned calm;   // looks in a row at which no window would have been needed
};

#define RATE_TURN_NS 10000000ull // counts are taken that often

// True where what was counted says enough for a look: there are some, or would be some by now.
bool rate_is_due(const struct rate *r, uint64_t served, uint64_t span_ns);

// `served` is the number of notifications, and of harvests in place of one, within the last span_ns, which
// is not 0. Returns the window; 0: none.
uint64_t rate_update(struct rate *r, uint64_t served, uint64_t span_ns);
