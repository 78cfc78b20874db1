// SPDX-License-Identifier: BSD-2-Clause
// What went wrong, in a form that can be returned from pure code and tested: a short id that never
// changes and one sentence that names the thing, the value and the remedy.
#pragma once

#include "lib/types.h"

struct problem {
    const char *what;  // e.g. "dmar-truncated": the `what` of the JSON error
    char message[240]; // for people
};

// Fills in the problem, if there is one; returns false, so that a failing function can `return problem_set(...)`.
bool problem_set(struct problem *p, const char *what, const char *fmt, ...) PRINTF_LIKE(3, 4);
