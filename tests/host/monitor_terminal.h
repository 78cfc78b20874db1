// SPDX-License-Identifier: BSD-2-Clause
// A terminal that knows printable characters, '\b' and '\n': what a person would see.
#pragma once

#include <assert.h>

#include "apps/monitor/edit.h"
#include "lib/string.h"

#define TERMINAL_COLUMNS 80

static struct {
    char line[TERMINAL_COLUMNS + 1]; // the last one; blank beyond what was written
    size_t column, lines;
} terminal;

static inline void terminal_clear(void)
{
    memset(terminal.line, ' ', TERMINAL_COLUMNS);
    terminal.column = 0;
}

static inline void terminal_write(void *arg, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n') {
            terminal.lines++;
            terminal_clear();
        } else if (bytes[i] == '\b') {
            assert(terminal.column > 0);
            terminal.column--;
        } else {
            assert(bytes[i] >= ' ' && bytes[i] < 0x7f);
            assert(terminal.column < TERMINAL_COLUMNS - 1); // the last one may wrap
            terminal.line[terminal.column++] = bytes[i];
        }
    }
}

// The prompt, the part of the text around the cursor, and blanks; the cursor where it should be.
static inline bool terminal_shows(const struct edit *e)
{
    char expected[TERMINAL_COLUMNS + 1];
    size_t prompt = strlen(e->prompt), room = EDIT_COLUMNS - prompt;
    size_t from = terminal.column >= prompt && e->at >= terminal.column - prompt
                      ? e->at - (terminal.column - prompt)
                      : e->length + 1;
    if (from > e->length)
        return false;
    size_t count = MIN(e->length - from, room);
    memset(expected, ' ', TERMINAL_COLUMNS);
    memcpy(expected, e->prompt, prompt);
    memcpy(expected + prompt, e->text + from, count);
    return !memcmp(expected, terminal.line, TERMINAL_COLUMNS) && (from == 0 || e->length >= room);
}
