// SPDX-License-Identifier: BSD-2-Clause
// What people type, from every keyboard and serial port that there is, as one stream of the bytes that
// a VT100 terminal sends: arrow keys as ESC [ A..D, Enter as CR, backspace as 7Fh or 08h.
#pragma once

#include "lib/types.h"

struct input_source {
    int (*poll)(void);         // the next byte (0 to 255), or -1; called by input_poll() alone
    struct input_source *next; // input_add()'s
};

// From now on what the source has is part of the stream; it stays for good. Boot CPU, at set-up.
void input_add(struct input_source *source);

// Whether there is any. Boot CPU.
bool input_has_source(void);

// The next byte of any source, or -1 if none has one. Never waits. Boot CPU, in its loop.
int input_poll(void);
