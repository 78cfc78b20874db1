// SPDX-License-Identifier: BSD-2-Clause
// The table of checks, for people and tools.

#include "drivers/vtd/platform/platform.h"
#include "kernel/base/report.h"

static void send(const struct check_words *w, const struct check_result *r)
{
    char buffer[768];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "platform_check");
    json_text(&j, "id", w->id);
    json_text(&j, "verdict",
              r->verdict == CHECK_SKIPPED ? "SKIP" : checks_verdict_name(r->verdict));
    json_text(&j, "section", w->section);
    json_text(&j, "what", w->what);
    if (r->count) {
        json_u64(&j, "count", r->count);
        json_text(&j, "found", r->found);
        json_text(&j, "remedy", w->remedy);
    }
    report_json(&j);
}

static void print_one(const struct check_words *w, const struct check_result *r)
{
    info("%-4s  %-20s  %-16s  %s", checks_verdict_name(r->verdict), w->id, w->section, w->what);
    if (!r->count)
        return;
    info("      found: %s", r->found);
    if (r->count > 1)
        info("      and %u more", r->count - 1);
    info("      do: %s", w->remedy);
}

void platform_print_checks(const struct checks *c)
{
    for (size_t i = 0; i < CHECKS; i++) {
        print_one(&checks_list[i], &c->of[i]);
        send(&checks_list[i], &c->of[i]);
    }
}
