// SPDX-License-Identifier: BSD-2-Clause
// The controller behind posted.rate.

#include "kernel/irq/rate.h"

#include "lib/bits.h"

#define SECOND_NS 1000000000ull
#define SERVED_LEAST 32ull // fewer say little
#define STEP_MOST 3        // times what there is, before it is halved with that
#define WINDOW_NS_MAX (100 * 1000000ull)
#define CALM_LOOKS 10

bool rate_is_due(const struct rate *r, uint64_t served, uint64_t span_ns)
{
    return served >= SERVED_LEAST || span_ns >= SECOND_NS * SERVED_LEAST / r->budget;
}

// The windows end once all together leave an eighth of the budget, though each may soon have all of it:
// what is near the budget must not switch to and fro.
static bool is_over(struct rate *r, uint64_t per_second)
{
    bool calm = per_second < r->budget - r->budget / 8;
    r->calm = calm ? r->calm + 1 : 0;
    return r->calm >= CALM_LOOKS;
}

// With all CPUs at the limit, `most` times budget / served meets the budget at once; with some below, it
// comes nearer from the same side. Half of that step, since counts of a short time are noisy.
static uint64_t next_most(const struct rate *r, uint64_t per_second)
{
    uint64_t aim = r->most * STEP_MOST;
    if (per_second)
        aim = MIN(aim, r->most * r->budget / per_second);
    uint64_t next = MAX((r->most + aim) / 2, SECOND_NS / WINDOW_NS_MAX);
    return MIN(next, r->budget);
}

uint64_t rate_update(struct rate *r, uint64_t served, uint64_t span_ns)
{
    uint64_t per_second = served * SECOND_NS / span_ns;
    if (!r->most) {
        r->calm = 0;
        r->most = per_second > r->budget ? r->budget : 0;
    } else if (is_over(r, per_second)) {
        r->most = 0;
    } else {
        r->most = next_most(r, per_second);
    }
    return r->most ? SECOND_NS / r->most : 0;
}
