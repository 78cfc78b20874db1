// SPDX-License-Identifier: BSD-2-Clause
// What all commands of the monitor do with their words. Pure.

#include "kernel/run/command.h"

#include "lib/bits.h"
#include "lib/format.h"
#include "lib/parse.h"
#include "lib/string.h"

bool command_split(char *line, struct command_words *words)
{
    words->count = 0;
    for (;;) {
        while (*line == ' ')
            line++;
        if (!*line)
            return true;
        if (words->count == COMMAND_WORDS)
            return false;
        words->word[words->count++] = line;
        while (*line && *line != ' ')
            line++;
        if (*line)
            *line++ = 0;
    }
}

bool command_number(const struct command_words *words, unsigned i, const char *thing, uint64_t most,
                    uint64_t absent, uint64_t *value, struct problem *p)
{
    *value = absent;
    if (i >= words->count)
        return true;
    const char *word = words->word[i];
    if (!parse_number(word, strlen(word), value))
        return problem_set(p, "monitor-word", "\"%.40s\" is no %s: give a number, decimal or 0x...",
                           word, thing);
    if (*value > most)
        return problem_set(p, "monitor-word", "%s %.40s: the last one is %llu", thing, word,
                           (unsigned long long)most);
    return true;
}

bool command_at_most(const struct command_words *words, unsigned most, struct problem *p)
{
    if (words->count <= most + 1)
        return true;
    return problem_set(p, "monitor-word", "\"%.40s\" is one word too many: see help %s",
                       words->word[most + 1], words->word[0]);
}

void command_field_text(char to[COMMAND_FIELD_BYTES], uint64_t word,
                        const struct command_field *field)
{
    unsigned low = (unsigned)__builtin_ctzll(field->mask);
    unsigned high = 63 - (unsigned)__builtin_clzll(field->mask);
    uint64_t value = field_get(field->mask, word), i = 0;
    char bits[8];
    if (high == low)
        format_text(bits, sizeof(bits), "%u", low);
    else
        format_text(bits, sizeof(bits), "%u:%u", high, low);
    while (field->says && field->says[i] && i < value)
        i++;
    const char *says = field->says && field->says[i] ? field->says[i] : "";
    format_text(to, COMMAND_FIELD_BYTES, "%-7s %-8s %s%llx%s%s", bits, field->name,
                value > 9 ? "0x" : "", (unsigned long long)value, says[0] ? "  " : "", says);
}
