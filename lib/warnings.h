// SPDX-License-Identifier: BSD-2-Clause
// What pure code finds wrong and gets along with: the first of each kind, and how many of it there
// are, so that a table with hundreds of bad entries is told of in one sentence.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

#define WARNINGS_KINDS 16 // no reader of anything has more

struct warnings {
    struct {
        struct problem first;
        unsigned count;
    } kinds[WARNINGS_KINDS];
    size_t count; // of kinds; 0: nothing is wrong
};

// `what` is the kind.
void warnings_add(struct warnings *w, const char *what, const char *fmt, ...) PRINTF_LIKE(3, 4);

// How many of a kind there are.
unsigned warnings_of(const struct warnings *w, const char *what);
