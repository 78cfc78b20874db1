// SPDX-License-Identifier: BSD-2-Clause

#include "kernel/base/result.h"

#include "lib/format.h"

static struct result result;

void result_set_app(const char *app)
{
    format_text(result.app, sizeof(result.app), "%s", app);
}

void result_say(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    format_text_v(result.said, sizeof(result.said), fmt, args);
    va_end(args);
}

void result_error(const char *what, const char *message)
{
    static bool there;
    if (!__atomic_exchange_n(&there, true, __ATOMIC_RELAXED))
        format_text(result.error, sizeof(result.error), "%s: %s", what, message);
}

const struct result *result_get(void)
{
    return &result;
}

// Each part is bounded, so that all of them fit.
size_t result_text(const struct result *r, bool ok, const char *build, char to[RESULT_BYTES])
{
    int length = format_text(to, RESULT_BYTES, "%s%s%s%s%s%s%s\nOnebell %s", ok ? "PASS" : "FAIL",
                             r->app[0] ? " " : "", r->app, r->said[0] ? "\n" : "", r->said,
                             r->error[0] ? "\n" : "", r->error, build);
    return MIN((size_t)length, RESULT_BYTES - 1ul);
}
