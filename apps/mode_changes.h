// SPDX-License-Identifier: BSD-2-Clause
// For tests: changes of irq= at random, one after the other.
#pragma once

#include "kernel/cpu/timer.h"
#include "kernel/irq/irq.h"
#include "lib/problem.h"

struct mode_changes {
    struct irq_mode_change change;
    struct cpu_timer pause;
    uint64_t random;
    // A change has ended well or not, and was checked. May begin the next one.
    void (*changed)(bool ok, const struct problem *p);
};

// True where the platform has all modes that remap or post. Problem: that of irq_mode_is_possible().
bool mode_changes_are_possible(struct problem *p);

// After a short while changes to any of these modes, and to any posted.loops from 1
// to 8. Boot CPU, from its loop.
void mode_changes_next(struct mode_changes *m);
