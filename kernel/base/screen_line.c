// SPDX-License-Identifier: BSD-2-Clause

#include "kernel/base/screen_line.h"

#include "kernel/base/canvas.h"
#include "lib/string.h"

static bool begins(const char *line, size_t length, const char *with)
{
    size_t count = strlen(with);
    return length >= count && memcmp(line, with, count) == 0;
}

// Verdicts say what was run first, in a word or two: "job: ok: ...", "selftest moves: failed: ...".
static bool has_verdict(const char *line, size_t length, const char *word)
{
    const char *colon = memchr(line, ':', length);
    size_t before = colon ? (size_t)(colon - line) : 0;
    return colon && before < 32 && begins(colon, length - before, word);
}

uint8_t screen_line_colour(const char *line, size_t length)
{
    if (begins(line, length, "error: ") || begins(line, length, "not ok ") ||
        has_verdict(line, length, ": failed:"))
        return COLOUR_RED;
    if (begins(line, length, "warning: "))
        return COLOUR_YELLOW;
    if (begins(line, length, "ok ") || has_verdict(line, length, ": ok:"))
        return COLOUR_GREEN;
    return COLOUR_TEXT;
}

size_t screen_line_break(const char *line, size_t length, size_t columns)
{
    if (length <= columns)
        return length;
    for (size_t at = columns; at > columns / 2; at--)
        if (line[at] == ' ')
            return at;
    return columns;
}
