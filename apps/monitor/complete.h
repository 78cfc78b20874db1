// SPDX-License-Identifier: BSD-2-Clause
// Completion of the word at the cursor. Pure.
#pragma once

#include "lib/types.h"

// Candidate number i, a whole word; NULL past the last one. Valid until the next call.
typedef const char *complete_candidate(void *arg, size_t i);

struct completion {
    size_t matches; // candidates that begin with the prefix
    char add[128];  // what all of them have behind it; with a blank where there is one alone
};

// Where the word that ends at text[at] begins.
size_t complete_word(const char *text, size_t at);

// `prefix` has `length` characters.
struct completion complete(const char *prefix, size_t length, complete_candidate *candidate,
                           void *arg);
