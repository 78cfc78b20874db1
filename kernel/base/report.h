// SPDX-License-Identifier: BSD-2-Clause
// What people and tools are told: lines on the console, as a rule COM1 and the screen; JSON objects, on COM2.
// Lines come out whole, whichever CPU prints.
#pragma once

#include "lib/json.h"
#include "lib/problem.h"
#include "lib/types.h"
#include "lib/warnings.h"

// One line for people; the newline is added. Any CPU, not in interrupt context.
void info(const char *fmt, ...) PRINTF_LIKE(1, 2);

// The line that somebody types, as it comes to be: printable characters, '\b' that goes one back, '\n'.
// It goes to the console alone, not to the log; a line that is printed meanwhile begins one of its
// own, and then report_is_typing() is false: write the whole of it again. Boot CPU.
void report_typed(const char *bytes, size_t count);
bool report_is_typing(void);

// A warning: printed, and sent as JSON `warning`: something is odd, and work goes on without it. The
// sentence names the thing, the value and the remedy; `what` is a short id that never changes.
void warn(const char *what, const char *fmt, ...) PRINTF_LIKE(2, 3);
void warn_problem(const struct problem *p);

// One warning for each kind. Boot CPU.
void warn_all(const struct warnings *w);

// An error: printed, sent as JSON `error`, and the run ends with status failed, now or when the
// remaining work is done.
void error(const char *what, const char *fmt, ...) PRINTF_LIKE(2, 3);
void error_problem(const struct problem *p);

// The same, but what a domain's program says, which JSON has as `domain`.
void warn_by(const char *domain, const char *what, const char *message);
void error_by(const char *domain, const char *what, const char *message);

// Whether the console has fallen behind: who prints for others, and can wait, had better. Any CPU.
bool report_is_behind(void);

// True once error() was called.
bool report_failed(void);

// An error that ends the run at once: prints, JSON, exits with status failed.
noreturn void fail(const char *what, const char *fmt, ...) PRINTF_LIKE(2, 3);
noreturn void fail_problem(const struct problem *p);

// Ends a JSON object and sends it as a line. Its text is used up. As info().
void report_json(struct json *j);

// The same, but what a domain's program says.
void report_json_of_domain(struct json *j);
