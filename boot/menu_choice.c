// SPDX-License-Identifier: BSD-2-Clause
// The menu without its console.

#include "boot/menu_choice.h"

#include "lib/string.h"

#define WORD "menu="
#define WORD_LENGTH (sizeof(WORD) - 1)

const struct menu_entry menu_entries[MENU_ENTRIES] = {
    { NULL, "what the command line says" },
    { "job", "I/O on the disks, and what it costs" },
    { "bench", "the ways to deliver interrupts, compared" },
    { "platform", "can this machine post interrupts, and if not, why not" },
    { "selftest", "does it deliver each interrupt where and when it should" },
    { "monitor", "look into the machine while it runs" },
};

// Up to the end of the word; 0 for what is no number, or too large a one.
static unsigned read_number(const char *at)
{
    unsigned number = 0;
    for (; *at && *at != ' '; at++) {
        if (*at < '0' || *at > '9' || number > MENU_SECONDS_MAX)
            return 0;
        number = 10 * number + (unsigned)(*at - '0');
    }
    return number > MENU_SECONDS_MAX ? 0 : number;
}

unsigned menu_seconds(const char *words)
{
    unsigned seconds = 0;
    bool begins = true;
    for (; *words; words++) {
        if (begins && strncmp(words, WORD, WORD_LENGTH) == 0)
            seconds = read_number(words + WORD_LENGTH);
        begins = *words == ' ';
    }
    return seconds;
}

void menu_begin(struct menu_state *m, unsigned seconds)
{
    *m = (struct menu_state){ .ticks = seconds * MENU_TICKS_PER_SECOND };
}

void menu_key(struct menu_state *m, unsigned character)
{
    m->ticks = 0;
    if (character >= '1' && character < '1' + MENU_ENTRIES)
        m->choice = character - '1';
    else if (character != '\r' && character != '\n')
        return;
    m->done = true;
}

void menu_tick(struct menu_state *m)
{
    if (m->ticks && --m->ticks == 0)
        m->done = true;
}

unsigned menu_left(const struct menu_state *m)
{
    return (m->ticks + MENU_TICKS_PER_SECOND - 1) / MENU_TICKS_PER_SECOND;
}
