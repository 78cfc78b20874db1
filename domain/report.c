// SPDX-License-Identifier: BSD-2-Clause
// Lines to people and to tools: the kernel prints them, whole, in the name of the domain.

#include "kernel/base/report.h"

#include "domain/call.h"
#include "kernel/base/x86.h"
#include "lib/format.h"
#include "lib/string.h"

#define LINE_BYTES 1024

static bool failed; // any CPU's

static void print(enum domain_text kind, const char *text, size_t bytes)
{
    bytes = MIN(bytes, (size_t)DOMAIN_TEXT_BYTES);
    while (domain_call(DOMAIN_CALL_PRINT, kind, (uint64_t)text, bytes) == DOMAIN_BUSY)
        cpu_relax();
}

void info(const char *fmt, ...)
{
    char text[LINE_BYTES];
    va_list args;
    va_start(args, fmt);
    format_text_v(text, sizeof(text), fmt, args);
    va_end(args);
    print(DOMAIN_TEXT_INFO, text, strlen(text));
}

// The id stands before the first blank.
static void tell(enum domain_text kind, const char *what, const char *message)
{
    char text[LINE_BYTES];
    format_text(text, sizeof(text), "%s %s", what, message);
    print(kind, text, strlen(text));
}

void warn(const char *what, const char *fmt, ...)
{
    char message[LINE_BYTES / 2];
    va_list args;
    va_start(args, fmt);
    format_text_v(message, sizeof(message), fmt, args);
    va_end(args);
    tell(DOMAIN_TEXT_WARN, what, message);
}

void warn_problem(const struct problem *p)
{
    tell(DOMAIN_TEXT_WARN, p->what, p->message);
}

static void report_error(const char *what, const char *message)
{
    __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
    tell(DOMAIN_TEXT_ERROR, what, message);
}

static void error_v(const char *what, const char *fmt, va_list args)
{
    char message[LINE_BYTES / 2];
    format_text_v(message, sizeof(message), fmt, args);
    report_error(what, message);
}

void error(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    error_v(what, fmt, args);
    va_end(args);
}

void error_problem(const struct problem *p)
{
    report_error(p->what, p->message);
}

bool report_failed(void)
{
    return __atomic_load_n(&failed, __ATOMIC_RELAXED);
}

noreturn void fail(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    error_v(what, fmt, args);
    va_end(args);
    domain_exit(true);
}

noreturn void fail_problem(const struct problem *p)
{
    error_problem(p);
    domain_exit(true);
}

void report_json(struct json *j)
{
    const char *text = json_end(j);
    size_t bytes = text ? strlen(text) : 0;
    if (!text || bytes > DOMAIN_TEXT_BYTES)
        info("warning: a JSON object did not fit %s and was left out",
             text ? "into one call" : "its buffer");
    else
        print(DOMAIN_TEXT_JSON, text, bytes);
}
