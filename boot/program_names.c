// SPDX-License-Identifier: BSD-2-Clause
// Finds prog= in domain=NAME:...:prog=FILE:...; kernel/domain/words.c reads all of it.

#include "boot/program_names.h"

#include "lib/parse.h"
#include "lib/string.h"

#define WORD "domain="
#define PART "prog="

static bool begins(const char *at, const char *with)
{
    return strncmp(at, with, strlen(with)) == 0;
}

static bool is_end(char c)
{
    return c == 0 || c == ' ';
}

static bool copy_name(const char *at, char name[HANDOFF_PROGRAM_NAME])
{
    size_t length = 0;
    while (!is_end(at[length]) && at[length] != ':')
        length++;
    return parse_name(at, length, name, HANDOFF_PROGRAM_NAME);
}

// Reads a domain's word up to its end. False: it names what is no file's name.
static bool read_word(const char **at, char name[HANDOFF_PROGRAM_NAME])
{
    bool ok = true;
    name[0] = 0;
    for (; !is_end(**at); ++*at)
        if (**at == ':' && begins(*at + 1, PART))
            ok = copy_name(*at + 1 + strlen(PART), name);
    return ok;
}

bool program_names_next(const char **words, char name[HANDOFF_PROGRAM_NAME])
{
    while (**words) {
        bool ours = begins(*words, WORD);
        bool found = read_word(words, name);
        *words += **words == ' ';
        if (ours && found)
            return true;
    }
    return false;
}
