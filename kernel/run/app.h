// SPDX-License-Identifier: BSD-2-Clause
// An app: what runs on top once the machine is up. docs/writing-an-app.md says what it may use.
#pragma once

#include "kernel/base/cmdline.h"
#include "lib/problem.h"

struct app {
    const char *name;             // app=name
    const char *help;             // one line
    const struct option *options; // its own words, ended by a NULL name; may be NULL
    // Runs on the boot CPU, which is in its loop only while the app calls cpu_run_until(); the
    // other CPUs are in theirs. Errors go to error(); the status follows from report_failed().
    // The monitor may run it again.
    void (*run)(const struct cmdline *c);

    // The rest may be left out.
    const char *bare[2]; // options that the monitor takes words without '=' for, in order
    bool is_load;        // irqs may move, and irq= change, while it runs
    // Where people are to look around after fail() has ended the run: boot CPU, with nothing but what
    // needs neither its loop nor devices. NULL: the run just ends.
    void (*after_failure)(void);
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

extern const struct app *const apps_start[], *const apps_end[]; // linker.ld

// The image's app of that name; NULL: it has none.
const struct app *app_find(const char *name);

// Runs an app with these words, as if it were the first one; `boot` are those of the command line. False:
// a problem of cmdline_parse(), or "app-boot-word", and it hasn't run. Boot CPU, one at a time.
bool app_run(const struct app *app, const char *words, const struct cmdline *boot,
             struct problem *p);

// Somebody wants the app to end before its time, or no longer so; it looks now and then. Boot CPU.
void app_ask_to_stop(bool stop);
bool app_is_asked_to_stop(void);
