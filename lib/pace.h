// SPDX-License-Identifier: BSD-2-Clause
// So many events a second, by a clock of the caller's. They are due by count, not by the time of
// the one before, so that nothing drifts; who is late catches up, but for what is more than a burst
// behind, which is lost.
#pragma once

#include "lib/types.h"

struct pace {
    uint64_t hz;    // of the clock
    uint64_t rate;  // events a second; > 0
    uint64_t burst; // clock ticks that may be caught up on
    uint64_t base;  // time of event 0
    uint64_t taken; // events since then, below rate
};

// burst: events that may come at once.
void pace_start(struct pace *p, uint64_t rate, uint64_t burst, uint64_t hz, uint64_t now);

// When the next event is due.
uint64_t pace_due(const struct pace *p);

// Takes the next event if it is due.
bool pace_take(struct pace *p, uint64_t now);
