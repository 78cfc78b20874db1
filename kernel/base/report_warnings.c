// SPDX-License-Identifier: BSD-2-Clause
// What a parser found wrong, told in one line for each kind.

#include "kernel/base/report.h"

void warn_all(const struct warnings *w)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct problem *p = &w->kinds[i].first;
        unsigned more = w->kinds[i].count - 1;
        if (more)
            warn(p->what, "%s (and %u more of the kind)", p->message, more);
        else
            warn_problem(p);
    }
}
