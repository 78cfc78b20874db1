// SPDX-License-Identifier: BSD-2-Clause
// Events by count: event n of each second is due n/rate seconds into it.
#include "lib/pace.h"

#include "lib/muldiv.h"

void pace_start(struct pace *p, uint64_t rate, uint64_t burst, uint64_t hz, uint64_t now)
{
    *p = (struct pace){ .hz = hz, .rate = rate, .base = now, .burst = mul_div(burst, hz, rate) };
}

uint64_t pace_due(const struct pace *p)
{
    return p->base + mul_div(p->taken, p->hz, p->rate);
}

bool pace_take(struct pace *p, uint64_t now)
{
    uint64_t due = pace_due(p);
    if (now < due)
        return false;
    if (now - due > p->burst)
        p->base += now - due - p->burst;
    if (++p->taken == p->rate) {
        p->taken = 0;
        p->base += p->hz; // a second is exactly as long: nothing is rounded away
    }
    return true;
}
