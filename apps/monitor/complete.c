// SPDX-License-Identifier: BSD-2-Clause
// Completion: what the candidates that match have in common.

#include "apps/monitor/complete.h"

#include "lib/string.h"

size_t complete_word(const char *text, size_t at)
{
    while (at && text[at - 1] != ' ')
        at--;
    return at;
}

static void take_first(struct completion *c, const char *rest)
{
    size_t length = MIN(strlen(rest), sizeof(c->add) - 2);
    memcpy(c->add, rest, length);
    c->add[length] = 0;
}

static void keep_common(struct completion *c, const char *rest)
{
    size_t i = 0;
    while (c->add[i] && c->add[i] == rest[i])
        i++;
    c->add[i] = 0;
}

// A value follows the '=' of an option: no blank there.
static void end_word(struct completion *c, char last)
{
    size_t length = strlen(c->add);
    if (length)
        last = c->add[length - 1];
    if (last != '=')
        memcpy(&c->add[length], " ", 2);
}

struct completion complete(const char *prefix, size_t length, complete_candidate *candidate,
                           void *arg)
{
    struct completion c = { 0 };
    const char *word;
    for (size_t i = 0; (word = candidate(arg, i)); i++) {
        if (strncmp(word, prefix, length))
            continue;
        if (c.matches++)
            keep_common(&c, word + length);
        else
            take_first(&c, word + length);
    }
    if (c.matches == 1)
        end_word(&c, length ? prefix[length - 1] : ' ');
    return c;
}
