// SPDX-License-Identifier: BSD-2-Clause
// An app: what runs on top once the machine is up.
#pragma once

#include "kernel/cmdline.h"

struct app {
    const char *name;             // app=name
    const char *help;             // one line
    const struct option *options; // its own words, ended by a NULL name; may be NULL
    // Runs on the boot CPU, which is in its loop only while the app calls cpu_run_until(); the
    // other CPUs are in theirs. Errors go to error(); the status follows from report_failed().
    void (*run)(const struct cmdline *c);
};
