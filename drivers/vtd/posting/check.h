// SPDX-License-Identifier: BSD-2-Clause
// The tests, by topic. Each is a chain of steps; where one fails, the verdict says why.
#pragma once

#include "drivers/vtd/posting/rig.h"

struct posting_check {
    const char *name;    // never changes
    const char *section; // of the VT-d specification, revision 5.10
    bool posts;          // needs a unit that posts
    bool (*run)(struct rig *r, struct verdict *v);
};

extern const struct posting_check checks_delivery[], checks_descriptor[], checks_entries[],
    checks_faults[], checks_end[]; // each ended by a NULL name

// Faults that need requests, or memory, of a kind of its own.
bool check_overflow(struct rig *r, struct verdict *v);
bool check_fence(struct rig *r, struct verdict *v);
bool check_fence_beyond(struct rig *r, struct verdict *v);
bool check_unreachable_table(struct rig *r, struct verdict *v);
bool check_unreachable_descriptor(struct rig *r, struct verdict *v);

// Has the unit read, and once write, at an address where nothing is: true unless set otherwise.
void check_set_unreachable(bool allowed);
