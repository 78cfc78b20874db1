// SPDX-License-Identifier: BSD-2-Clause
// What the driver reports: kept for the tests to ask about.

#include "tests/host/nvme_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/base/report.h"

#include <cmocka.h> // after report.h: it has a macro called fail

#define ERRORS_MAX 64

static struct {
    char whats[ERRORS_MAX][32];
    unsigned errors, warnings;
    char last_error[512], last_warning[512], last_info[512], last_json[1024];
    char warning_what[64];
    char infos[8192];
} told;

void info(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(told.last_info, sizeof(told.last_info), fmt, args);
    va_end(args);
    size_t used = strlen(told.infos);
    snprintf(told.infos + used, sizeof(told.infos) - used, "%s\n", told.last_info);
}

void warn(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(told.last_warning, sizeof(told.last_warning), fmt, args);
    va_end(args);
    snprintf(told.warning_what, sizeof(told.warning_what), "%s", what);
    told.warnings++;
}

// Where a test is prepared for it.
static jmp_buf *world_fails;

void world_prepare_fail(jmp_buf *to)
{
    world_fails = to;
}

noreturn void(fail)(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(told.last_error, sizeof(told.last_error), fmt, args);
    va_end(args);
    if (!world_fails)
        fail_msg("%s: %s", what, told.last_error);
    longjmp(*world_fails, 1);
}

void warn_problem(const struct problem *p)
{
    warn(p->what, "%s", p->message);
}

void error(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(told.last_error, sizeof(told.last_error), fmt, args);
    va_end(args);
    assert_true(told.errors < ERRORS_MAX);
    snprintf(told.whats[told.errors++], sizeof(told.whats[0]), "%s", what);
}

void error_problem(const struct problem *p)
{
    error(p->what, "%s", p->message);
}

void report_json(struct json *j)
{
    const char *text = json_end(j);
    assert_non_null(text);
    snprintf(told.last_json, sizeof(told.last_json), "%s", text);
}

void world_forget_reports(void)
{
    memset(&told, 0, sizeof(told));
}

unsigned world_errors(const char *what)
{
    unsigned count = 0;
    for (unsigned i = 0; i < told.errors; i++)
        count += !what || !strcmp(told.whats[i], what);
    return count;
}

const char *world_last_error(void)
{
    return told.last_error;
}

unsigned world_warnings(void)
{
    return told.warnings;
}

const char *world_last_warning(void)
{
    return told.last_warning;
}

const char *world_last_warning_what(void)
{
    return told.warning_what;
}

const char *world_last_info(void)
{
    return told.last_info;
}

const char *world_infos(void)
{
    return told.infos;
}

const char *world_json(void)
{
    return told.last_json;
}
