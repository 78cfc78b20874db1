// SPDX-License-Identifier: BSD-2-Clause
// A command of the monitor's (app=monitor): what a line that begins with its name does. Any room above
// may have some.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

#define COMMAND_WORDS 24

// A line's words, that of the command itself first.
struct command_words {
    const char *word[COMMAND_WORDS];
    unsigned count;
};

// When a command may run.
enum command_when {
    COMMAND_ALONE,  // not while an app runs in the background
    COMMAND_BESIDE, // then, too
    COMMAND_ALWAYS, // even after a failed run: it reads, and needs neither loop nor devices
};

struct command {
    const char *name;
    const char *usage; // its words, such as "[CPU]"; NULL: none
    const char *help;  // one line
    const char *more;  // what `help NAME` tells besides, lines with '\n' between; may be NULL
    enum command_when when;
    // Prints with info(). Boot CPU, from its loop (but for COMMAND_ALWAYS after a failed run); it may run the
    // loop itself until what it has begun is done. False: the problem names the word, and the remedy.
    bool (*run)(const struct command_words *words, struct problem *p);
    // Candidate number i for the word that comes next; NULL past the last one. May be NULL.
    const char *(*candidate)(const struct command_words *before, size_t i);
};

// Cuts the line, in place, at its blanks. False: more words than COMMAND_WORDS.
bool command_split(char *line, struct command_words *words);

// Word number i as a number up to `most`, decimal or 0x; `absent` where the line has no such word.
// Problem "monitor-word", which calls it `thing`.
bool command_number(const struct command_words *words, unsigned i, const char *thing, uint64_t most,
                    uint64_t absent, uint64_t *value, struct problem *p);

// False, and problem "monitor-word", where the line has more than so many words after its first.
bool command_at_most(const struct command_words *words, unsigned most, struct problem *p);

// The function of that name: "0000:00:1f.2", or without the segment where it is 0. NULL: there is none.
struct pci_dev;
const struct pci_dev *command_pci_function(const char *word, struct problem *p);

// A field of a raw word, by the name that its specification gives it.
struct command_field {
    const char *name;
    uint64_t mask;
    const char *const
        *says; // what its values mean, in order, ended by NULL; NULL: the number tells
};

// "63:38  PDAL  0x1fc0", and what it means. `to` holds COMMAND_FIELD_BYTES.
#define COMMAND_FIELD_BYTES 100
void command_field_text(char to[COMMAND_FIELD_BYTES], uint64_t word,
                        const struct command_field *field);

// A word in hex with its name, and below it each of its fields.
void command_print_fields(const char *name, uint64_t word, const struct command_field *fields,
                          size_t count);

// Makes a command known, wherever it is linked from: COMMAND(command_log) = { .name = "log", ... };
// Host tests, which have no such section, call theirs directly.
#ifdef ONEBELL_HOST
#define COMMAND_ENTRY
#else
#define COMMAND_ENTRY __attribute__((used, section(".commands")))
#endif
#define COMMAND(id)                                                                                \
    extern const struct command id;                                                                \
    static const struct command *const id##_entry COMMAND_ENTRY __attribute__((unused)) = &id;     \
    const struct command id

extern const struct command *const commands_start[], *const commands_end[]; // linker.ld
