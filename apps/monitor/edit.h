// SPDX-License-Identifier: BSD-2-Clause
// A line editor: the bytes of a keyboard in, those for a terminal out, whole lines as the result. Keys
// are those of readline; the terminal needs to know printable characters, '\b' and '\n' alone. Pure.
#pragma once

#include "lib/types.h"

#define EDIT_BYTES 256    // of a line, with the zero that ends it
#define EDIT_COLUMNS 79   // of the terminal: longer lines are shown in part
#define EDIT_HISTORY 32   // lines
#define EDIT_ESCAPE_MAX 8 // bytes of a key's sequence; longer ones are none

enum edit_event {
    EDIT_NOTHING,
    EDIT_LINE,     // Enter: text[] is the line, until edit_begin()
    EDIT_COMPLETE, // Tab
    EDIT_STOP,     // Ctrl-C: the line is dropped; edit_begin() comes next
};

struct edit {
    // The caller's, before the first edit_begin().
    void (*write)(void *arg, const char *bytes, size_t count);
    void *arg;
    const char *prompt; // shorter than EDIT_COLUMNS / 2

    // What it reads.
    char text[EDIT_BYTES]; // ended by a zero
    size_t length, at;     // at: the cursor's place in it
    bool too_long;         // characters had no room, so that it isn't what was typed

    // The rest is edit.c's.
    size_t from;              // the first character shown
    char shown[EDIT_COLUMNS]; // on the terminal, behind the prompt
    size_t shown_length, cursor;
    char escape[EDIT_ESCAPE_MAX]; // a key's sequence, so far
    size_t escape_length;
    bool after_cr;
    char history[EDIT_HISTORY][EDIT_BYTES];
    size_t lines, back;     // kept in all; how many back the one shown is, 0: none of them
    char draft[EDIT_BYTES]; // what was typed before it went back
};

// An empty line, with its prompt.
void edit_begin(struct edit *e);

// Something else was printed: prompt and line once more.
void edit_redraw(struct edit *e);

// One byte that was typed. Any byte, in any order.
enum edit_event edit_feed(struct edit *e, uint8_t byte);

// Text that comes in at the cursor, as if it had been typed: printable characters.
void edit_insert(struct edit *e, const char *text, size_t count);
