// SPDX-License-Identifier: BSD-2-Clause
// Collects warnings by kind.
#include "lib/warnings.h"

#include "lib/format.h"
#include "lib/string.h"

// The kind's place; count: it is new.
static size_t find(const struct warnings *w, const char *what)
{
    size_t i = 0;
    while (i < w->count && strcmp(w->kinds[i].first.what, what) != 0)
        i++;
    return i;
}

void warnings_add(struct warnings *w, const char *what, const char *fmt, ...)
{
    va_list args;
    size_t i = find(w, what);
    if (i == WARNINGS_KINDS)
        return;
    if (i == w->count) {
        struct problem *p = &w->kinds[w->count++].first;
        p->what = what;
        va_start(args, fmt);
        format_text_v(p->message, sizeof(p->message), fmt, args);
        va_end(args);
        w->kinds[i].count = 0;
    }
    w->kinds[i].count++;
}

unsigned warnings_of(const struct warnings *w, const char *what)
{
    size_t i = find(w, what);
    return i < w->count ? w->kinds[i].count : 0;
}
