// SPDX-License-Identifier: BSD-2-Clause
// The menu's entries, whether it is asked for, and what keys do. Pure.
#pragma once

#include "lib/types.h"

struct menu_entry {
    const char *app; // what app= is to be; NULL: as the words say
    const char *help;
};
#define MENU_ENTRIES 6
extern const struct menu_entry menu_entries[MENU_ENTRIES];

#define MENU_TICKS_PER_SECOND 10
#define MENU_SECONDS_MAX 3600

// Seconds that the last menu= of the words gives; 0: no menu, also where the number is none, which the kernel
// tells of.
unsigned menu_seconds(const char *words);

struct menu_state {
    unsigned ticks; // until the first entry is taken; 0: a key has stopped that
    unsigned choice;
    bool done;
};

void menu_begin(struct menu_state *m, unsigned seconds);

// A character that was typed: a digit takes that entry, Enter the first, all others stop the clock.
void menu_key(struct menu_state *m, unsigned character);

// Another tick without a key.
void menu_tick(struct menu_state *m);

// Seconds left, rounded up; 0: the clock doesn't run.
unsigned menu_left(const struct menu_state *m);
