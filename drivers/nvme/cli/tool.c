// SPDX-License-Identifier: BSD-2-Clause
// Where the commands' lines and objects go.
#include "drivers/nvme/cli/tool.h"
#include "kernel/base/report.h"

#define JSON_BYTES (64 * KIB) // raw bytes and power states included

static void print_line(void *arg, const char *text)
{
    info("%s", text);
}

void tool_begin(struct tool *t, const char *type)
{
    static char buffer[JSON_BYTES];
    json_begin(&t->json, buffer, sizeof(buffer), type);
    json_text(&t->json, "device", t->ctrl->name);
    t->sheet = (struct sheet){ .line = print_line, .json = &t->json };
}

void tool_end(struct tool *t, const void *data, size_t bytes)
{
    if (bytes && cmdline_is(t->words, "raw", "1"))
        sheet_raw(&t->sheet, data, bytes);
    report_json(&t->json);
}
