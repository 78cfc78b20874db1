// SPDX-License-Identifier: BSD-2-Clause
// Which region of the guest's code an instruction belongs to: one stack of open regions per virtual
// CPU, whose top takes what is executed. No QEMU in here.
#pragma once

#include "lib/bits.h"

#define REGIONS_MAX 64
#define REGION_DEPTH_MAX 32
#define REGION_OTHER 0 // outside of any mark

struct region_counts {
    uint64_t entries, instructions;
};

// Written by its virtual CPU's thread alone.
struct region_stack {
    uint64_t accounted;  // of the instructions executed, those that have found their region
    uint64_t unbalanced; // ends of a region that wasn't the innermost, and begins out of depth
    unsigned depth;
    uint8_t open[REGION_DEPTH_MAX];
    struct region_counts counts[REGIONS_MAX];
};

static inline unsigned region_innermost(const struct region_stack *s)
{
    return s->depth ? s->open[s->depth - 1] : REGION_OTHER;
}

// `executed` counts this CPU's instructions from the start.
static inline void region_account(struct region_stack *s, uint64_t executed)
{
    s->counts[region_innermost(s)].instructions += executed - s->accounted;
    s->accounted = executed;
}

static inline void region_begin(struct region_stack *s, unsigned region, uint64_t executed)
{
    region_account(s, executed);
    s->counts[region].entries++;
    if (s->depth == REGION_DEPTH_MAX)
        s->unbalanced++;
    else
        s->open[s->depth++] = (uint8_t)region;
}

// An end that doesn't fit is none: where paths meet right behind a region, its end lies on all of
// them, also on those that never entered it.
static inline void region_end(struct region_stack *s, unsigned region, uint64_t executed)
{
    region_account(s, executed);
    if (s->depth && s->open[s->depth - 1] == region)
        s->depth--;
    else
        s->unbalanced++;
}
