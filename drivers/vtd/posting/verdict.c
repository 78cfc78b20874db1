// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/vtd/posting/verdict.h"

#include "lib/format.h"

static void set(struct verdict *v, enum verdict_kind kind, const char *fmt, va_list args)
{
    if (v->kind != VERDICT_PASS)
        return;
    v->kind = kind;
    format_text_v(v->text, sizeof(v->text), fmt, args);
}

bool verdict_fail(struct verdict *v, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    set(v, VERDICT_FAIL, fmt, args);
    va_end(args);
    return false;
}

bool verdict_skip(struct verdict *v, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    set(v, VERDICT_SKIP, fmt, args);
    va_end(args);
    return false;
}

bool verdict_note(struct verdict *v, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    set(v, VERDICT_PASS, fmt, args);
    va_end(args);
    return true;
}

const char *verdict_name(const struct verdict *v)
{
    static const char *const names[] = { "passed", "failed", "skipped" };
    return names[v->kind];
}

int ktap_result(char *to, size_t bytes, unsigned number, const char *name, const struct verdict *v)
{
    bool skipped = v->kind == VERDICT_SKIP;
    return format_text(to, bytes, "%sok %u %s%s%s", v->kind == VERDICT_FAIL ? "not " : "", number,
                       name, skipped ? " # SKIP " : "", skipped ? v->text : "");
}

int ktap_remark(char *to, size_t bytes, const char *name, const struct verdict *v)
{
    if (v->kind == VERDICT_SKIP || !v->text[0])
        return format_text(to, bytes, "%s", "");
    return format_text(to, bytes, "# %s: %s", name, v->text);
}
