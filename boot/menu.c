// SPDX-License-Identifier: BSD-2-Clause
// The menu on firmware's console: its keyboards and, where firmware has the port as a console, the serial line.

#include "boot/menu.h"

#include "boot/console.h"
#include "boot/menu_choice.h"

#define TICK_US (1000000 / MENU_TICKS_PER_SECOND)
#define WORDS_SHOWN 50 // of the command line

static void show(const char *words)
{
    console_line("Onebell: what is to run?");
    for (unsigned i = 0; i < MENU_ENTRIES; i++) {
        const struct menu_entry *e = &menu_entries[i];
        console_line("  %u  %-8s  %s", i + 1, e->app ? e->app : "default", e->help);
    }
    console_line("default: %.*s", WORDS_SHOWN, words);
}

static void show_clock(const struct menu_state *m, const char *last)
{
    if (menu_left(m))
        console_again("1 to %d, or Enter for 1, which is taken in %u s  %s", MENU_ENTRIES,
                      menu_left(m), last);
    else
        console_again("1 to %d, or Enter for 1                          %s", MENU_ENTRIES, last);
}

// All keys that were typed since.
static void read_keys(struct loader *l, struct menu_state *m)
{
    EFI_INPUT_KEY key;
    while (!m->done && l->system->ConIn &&
           !EFI_ERROR(l->system->ConIn->ReadKeyStroke(l->system->ConIn, &key)))
        menu_key(m, key.UnicodeChar);
}

// After a run that may have ended in a reset nothing begins without a key: it would go on for ever.
const char *menu_run(struct loader *l, const char *words)
{
    struct menu_state m;
    unsigned seconds = menu_seconds(words), shown = 0;
    if (!seconds && !l->ran_before)
        return NULL;
    menu_begin(&m, l->ran_before ? 0 : seconds);
    if (l->system->ConIn) // what was typed at firmware isn't meant for us
        l->system->ConIn->Reset(l->system->ConIn, FALSE);
    show(words);
    while (!m.done) {
        if (shown != menu_left(&m) + 1)
            show_clock(&m, "");
        shown = menu_left(&m) + 1;
        l->services->Stall(TICK_US);
        menu_tick(&m);
        read_keys(l, &m);
    }
    show_clock(&m, "\r\n");
    return menu_entries[m.choice].app;
}
