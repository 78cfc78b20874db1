// SPDX-License-Identifier: BSD-2-Clause
// An app: what runs on top once the machine is up. docs/writing-an-app.md says what it may use.
#pragma once

#include "kernel/base/cmdline.h"

struct app {
    const char *name;             // app=name
    const char *help;             // one line
    const struct option *options; // its own words, ended by a NULL name; may be NULL
    // Runs on the boot CPU, which is in its loop only while the app calls cpu_run_until(); the
    // other CPUs are in theirs. Errors go to error(); the status follows from report_failed().
    void (*run)(const struct cmdline *c);
};

// Defines an app and makes it known, wherever it is linked from: APP(hello) = { .name = "hello", ... };
// Host tests, which have no such section, call theirs directly.
#ifdef ONEBELL_HOST
#define APP_ENTRY
#else
#define APP_ENTRY __attribute__((used, section(".apps")))
#endif
#define APP(id)                                                                                    \
    extern const struct app id;                                                                    \
    static const struct app *const id##_entry APP_ENTRY __attribute__((unused)) = &id;             \
    const struct app id

// The image's app of that name; NULL: it has none.
const struct app *app_find(const char *name);
