// SPDX-License-Identifier: BSD-2-Clause
// What a line can begin with: the commands and the apps of the image, each by its name.
#pragma once

#include "apps/monitor/complete.h"
#include "kernel/run/app.h"
#include "kernel/run/command.h"

#define SHELL_NAMES_MAX 96

struct shell_name {
    const char *name;
    const char *help;
    const struct command *command; // NULL: it is an app
    const struct app *app;
};

// Collects them, but for the app `self`. Commands hide apps of the same name. Boot CPU, once.
void shell_init(const struct app *self);

// In the order of their names; NULL past the last one, or where there is none of that name.
const struct shell_name *shell_get(size_t i);
const struct shell_name *shell_find(const char *name);

// An app's words as its table knows them: those without '=' are values of its `bare` options, in their
// order. Problem "monitor-word" names the word; "monitor-long": they don't fit.
bool shell_app_words(const struct app *app, const struct command_words *words, char *to,
                     size_t bytes, struct problem *p);

// Candidates for the word text[from..at), which the next word of the line is to be.
struct shell_place {
    struct command_words before;
    const char *prefix;
    size_t length;
};
complete_candidate shell_candidate; // arg: struct shell_place
