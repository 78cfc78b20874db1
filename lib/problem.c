// SPDX-License-Identifier: BSD-2-Clause
// Fills in what went wrong.
#include "lib/problem.h"

#include "lib/format.h"

bool problem_set(struct problem *p, const char *what, const char *fmt, ...)
{
    va_list args;
    if (!p)
        return false;
    p->what = what;
    va_start(args, fmt);
    format_text_v(p->message, sizeof(p->message), fmt, args);
    va_end(args);
    return false;
}
