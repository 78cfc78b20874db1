// SPDX-License-Identifier: BSD-2-Clause
// The run's result in a few short lines, for who can see the screen alone.
#pragma once

#include "lib/types.h"

#define RESULT_BYTES 272 // QR_BYTES_MAX, and a zero

struct result {
    char app[24];
    char said[128]; // what the app says of it; empty: nothing
    char error[96]; // the first one; empty: none
};

// The app that runs. Boot CPU.
void result_set_app(const char *app);

// What came of it, in one line; said again, it is said anew. Boot CPU.
void result_say(const char *fmt, ...) PRINTF_LIKE(1, 2);

// report.c's: only the first one is kept. Any CPU.
void result_error(const char *what, const char *message);

const struct result *result_get(void);

// Status, app, what it said, the first error, and the build, a line each. Pure.
size_t result_text(const struct result *r, bool ok, const char *build, char to[RESULT_BYTES]);
