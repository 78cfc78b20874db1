// SPDX-License-Identifier: BSD-2-Clause
// The command line: words of the form name=value, described by tables, the last one of a name wins.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

enum option_kind {
    OPTION_NUMBER, // decimal or 0x; with k, m, g (1024-based) as a suffix where it is a size
    OPTION_SIZE,
    OPTION_TIME,   // fio's: seconds, or with a suffix us, ms, s, m, h; kept in microseconds
    OPTION_CHOICE, // one of `choices`
    OPTION_TEXT,
    OPTION_FLAG, // a word by itself, without a value; its number is 1 where it is given
};

struct option {
    const char *name;
    enum option_kind kind;
    const char *fallback; // used when the word is absent; NULL: none (number 0, empty text)
    uint64_t min, max;    // numbers, sizes, times (us); max 0: no limit
    const char *choices;  // "a|b|c"
    const char *help;
};

#define CMDLINE_OPTIONS_MAX 64

struct cmdline_value {
    const struct option *option;
    const char *text; // not ended by a zero byte; NULL: absent and without fallback
    size_t length;
    uint64_t number; // of a choice: its place in `choices`, from 0
    bool given;      // on the command line, not by fallback
};

struct cmdline {
    const char *line;
    struct cmdline_value values[CMDLINE_OPTIONS_MAX];
    size_t count;
};

// Reads `text` against tables of options (each ended by a NULL name). Unknown names, words without
// `=` that aren't flags, and values out of range are problems that name the word. `text` must outlive the result.
// Pass lenient to skip unknown words (to learn app= before the app's own table is known).
bool cmdline_parse(const char *text, const struct option *const *tables, size_t tables_count,
                   bool lenient, struct cmdline *out, struct problem *p);

// For a word that may come several times, each of which counts: its next value behind `after`, which is one
// of them (NULL: the first one). NULL: there is none.
const char *cmdline_next(const struct cmdline *c, const char *name, const char *after,
                         size_t *length);

// The named option must be in the tables.
const struct cmdline_value *cmdline_get(const struct cmdline *c, const char *name);
uint64_t cmdline_number(const struct cmdline *c, const char *name);
bool cmdline_is(const struct cmdline *c, const char *name, const char *value);
