// SPDX-License-Identifier: BSD-2-Clause
// app=nvme: what administrators look up with nvme-cli, by its names.
#include "drivers/nvme/cli/tool.h"
#include "drivers/nvme/nvme.h"
#include "kernel/base/report.h"
#include "kernel/run/app.h"
#include "lib/string.h"

static const struct {
    const char *name;
    tool_command *run;
    void (*head)(void); // once, before the first controller; may be NULL
} commands[] = {
    { "list", tool_list, tool_list_head },
    { "id-ctrl", tool_id_ctrl, NULL },
    { "id-ns", tool_id_ns, NULL },
    { "smart-log", tool_smart_log, NULL },
    { "error-log", tool_error_log, NULL },
    { "fw-log", tool_fw_log, NULL },
    { "self-test-log", tool_self_test_log, NULL },
    { "get-feature", tool_get_feature, NULL },
    { "set-feature", tool_set_feature, NULL },
    { "show-regs", tool_show_regs, NULL },
    { "device-self-test", tool_self_test, NULL },
};

// ---- the words ----

// The next item of a list with colons; false at its end.
struct items {
    const char *at, *end;
    size_t length;
};

static struct items items_of(const struct cmdline *words, const char *name)
{
    const struct cmdline_value *value = cmdline_get(words, name);
    return (struct items){ .at = value->text, .end = value->text + value->length };
}

static bool next(struct items *i, const char **item)
{
    if (!i->at || i->at > i->end)
        return false;
    *item = i->at;
    while (i->at < i->end && *i->at != ':')
        i->at++;
    i->length = (size_t)(i->at++ - *item);
    return true;
}

static bool find_command(const char *name, size_t length, size_t *which)
{
    for (*which = 0; *which < ARRAY_SIZE(commands); ++*which)
        if (strlen(commands[*which].name) == length && !memcmp(commands[*which].name, name, length))
            return true;
    return false;
}

// Each word is checked before the first command runs.
static bool check(const struct cmdline *words)
{
    struct items names = items_of(words, "cmd"), targets = items_of(words, "filename");
    struct tool t;
    const char *name;
    size_t which;

    while (next(&names, &name))
        if (!find_command(name, names.length, &which)) {
            error("nvme-cli-cmd", "cmd=: there is no command \"%.*s\"",
                  (int)MIN(names.length, 24ul), name);
            return false;
        }
    while (next(&targets, &name))
        if (!tool_find_target(name, targets.length, &t)) {
            error("nvme-cli-filename", "filename=: there is no controller or namespace \"%.*s\"",
                  (int)MIN(targets.length, 24ul), name);
            return false;
        }
    return true;
}

static void run_one(size_t which, struct tool *t)
{
    struct problem p;
    bool up = t->ctrl->running && !atomic_load(&t->ctrl->gone);
    if (!up)
        problem_set(&p, "nvme-cli-down", "%s: it doesn't run", t->ctrl->label);
    if (!up || !commands[which].run(t, &p))
        error_problem(&p);
}

static void run_command(size_t which, const struct cmdline *words)
{
    struct items targets = items_of(words, "filename");
    struct tool t = { .words = words };
    const char *name;

    if (commands[which].head)
        commands[which].head();
    while (next(&targets, &name)) {
        t.nsid = (uint32_t)cmdline_number(words, "nsid");
        tool_find_target(name, targets.length, &t);
        run_one(which, &t);
    }
    if (cmdline_get(words, "filename")->text)
        return;
    for (t.ctrl = nvme_first(); t.ctrl; t.ctrl = t.ctrl->next) {
        if (atomic_load(&t.ctrl->gone))
            continue;
        t.nsid = (uint32_t)cmdline_number(words, "nsid");
        run_one(which, &t);
    }
}

static void run(const struct cmdline *words)
{
    struct items names = items_of(words, "cmd");
    const char *name;
    size_t which;

    if (!check(words))
        return;
    while (next(&names, &name) && find_command(name, names.length, &which))
        run_command(which, words);
}

static const struct option options[] = {
    { .name = "cmd",
      .kind = OPTION_TEXT,
      .fallback = "list",
      .help = "list|id-ctrl|id-ns|smart-log|error-log|fw-log|self-test-log|get-feature|set-feature|"
              "show-regs|device-self-test, several with colons" },
    { .name = "filename",
      .kind = OPTION_TEXT,
      .help = "controllers or namespaces, such as nvme0:nvme1n1; default: all controllers" },
    { .name = "nsid", .kind = OPTION_NUMBER, .max = UINT32_MAX, .help = "namespace" },
    { .name = "fid", .kind = OPTION_NUMBER, .max = UINT8_MAX, .help = "feature; 0: each" },
    { .name = "sel",
      .kind = OPTION_CHOICE,
      .fallback = "current",
      .choices = "current|default|saved|supported",
      .help = "which of a feature's values" },
    { .name = "value", .kind = OPTION_NUMBER, .max = UINT32_MAX, .help = "of set-feature" },
    { .name = "save",
      .kind = OPTION_CHOICE,
      .fallback = "0",
      .choices = "0|1",
      .help = "set-feature lasts beyond power cycles" },
    { .name = "stc",
      .kind = OPTION_CHOICE,
      .fallback = "short",
      .choices = "short|extended|abort",
      .help = "which self-test" },
    { .name = "raw",
      .kind = OPTION_CHOICE,
      .fallback = "0",
      .choices = "0|1",
      .help = "the controller's own bytes as well" },
    { .name = NULL },
};

APP(app_nvme) = {
    .name = "nvme",
    .help = "what nvme-cli's commands tell of disks",
    .options = options,
    .bare = { "cmd", "filename" },
    .run = run,
};
