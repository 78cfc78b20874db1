// SPDX-License-Identifier: BSD-2-Clause
// Inside app=selftest: what it does, and has done.
#pragma once

#include "apps/load.h"
#include "apps/mode_changes.h"
#include "kernel/cpu/timer.h"
#include "kernel/irq/irq.h"
#include "kernel/run/hotplug.h"

struct mover;

struct selftest_kind {
    const char *name, *steps;
    bool moves, changes, modes, rounds; // what it does
};

struct selftest {
    struct load load;
    const struct selftest_kind *kind;
    bool changes;           // the kind does, and the mode can
    uint64_t wanted, begun; // of the kind's steps
    uint64_t moves, changed, modes, rounds, failed;
    uint64_t refused; // moves to a CPU that was just away
    bool rounds_done;
    bool stop, stalled;
    unsigned waiting; // movers that run, and changes of mode; then CPUs that have not drained
    uint64_t began_ns, progress_ns;
    uint64_t seen; // steps and reads when there last was any progress
    struct cpu_timer progress;

    struct mover *movers;
    struct irq **irqs; // that can move
    bool *busy;        // ... and do, or change
    size_t irqs_count;

    uint64_t random;
    struct cpu_change change;
    struct cpu_timer away;
    struct mode_changes mode_changes;
};

// How many of the kind's steps are done. Any CPU.
uint64_t selftest_steps(const struct selftest *t);

// The screen's panel, at the start and while it runs. Boot CPU.
void selftest_live_begin(const struct selftest *t);
void selftest_live_show(const struct selftest *t);

// Tells, on the console and as JSON, what came of it; an error where reads or steps are missing.
void selftest_report(const struct selftest *t);
