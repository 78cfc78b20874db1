// SPDX-License-Identifier: BSD-2-Clause
// app=nvme: what administrators look up with nvme-cli, by its names.
#include "drivers/nvme/cli/tool.h"
#include "drivers/nvme/nvme.h"
#include "kernel/base/report.h"
#include "kernel/run/app.h"
#include "lib/parse.h"
#include "lib/string.h"

#define JSON_BYTES (64 * KIB) // raw bytes and power states included

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

// ---- what goes out ----

static void print_line(void *arg, const char *text)
{
    info("%s", text);
}

static void drop_line(void *arg, const char *text)
{
}

void tool_begin(struct tool *t, const char *type)
{
    static char buffer[JSON_BYTES];
    json_begin(&t->json, buffer, sizeof(buffer), type);
    json_text(&t->json, "device", t->ctrl->name);
    t->sheet = (struct sheet){
        .line = cmdline_is(t->words, "output", "binary") ? drop_line : print_line,
        .json = &t->json,
    };
}

void tool_end(struct tool *t, const void *data, size_t bytes)
{
    t->sheet.line = print_line;
    if (bytes && cmdline_is(t->words, "output", "binary"))
        sheet_raw(&t->sheet, data, bytes);
    report_json(&t->json);
}

// ---- what it is about ----

// All active ones, usable or not; of controllers without a list, those that are in use.
static bool find_namespaces(struct tool *t, uint32_t *nsids, size_t *count, struct problem *p)
{
    *count = 0;
    if (t->ctrl->version < NVME_VERSION(1, 1)) {
        for (const struct nvme_ns *ns = t->ctrl->namespaces; ns && *count < NVME_NSID_LIST_ENTRIES;
             ns = ns->next)
            nsids[(*count)++] = ns->dev.nsid;
        return true;
    }
    if (!nvme_identify(t->ctrl, NVME_CNS_ACTIVE_LIST, 0, "Identify Active Namespace List", p))
        return false;
    memcpy(nsids, t->ctrl->page, NVME_NSID_LIST_ENTRIES * sizeof(*nsids));
    while (*count < NVME_NSID_LIST_ENTRIES && nsids[*count])
        (*count)++;
    return true;
}

bool tool_each_namespace(struct tool *t,
                         bool (*each)(struct tool *t, uint32_t nsid, struct problem *p),
                         struct problem *p)
{
    static uint32_t nsids[NVME_NSID_LIST_ENTRIES];
    size_t count;

    if (t->nsid)
        return each(t, t->nsid, p);
    if (!find_namespaces(t, nsids, &count, p))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!each(t, nsids[i], p))
            return false;
    return true;
}

// "nvme0", or "nvme0n1".
static bool find_target(const char *name, size_t length, struct tool *t)
{
    for (t->ctrl = nvme_first(); t->ctrl; t->ctrl = t->ctrl->next) {
        size_t own = strlen(t->ctrl->name);
        uint64_t nsid = 0;
        if (length < own || memcmp(name, t->ctrl->name, own))
            continue;
        if (length > own &&
            (name[own] != 'n' || !parse_number(name + own + 1, length - own - 1, &nsid) || !nsid ||
             nsid > NVME_NSID_LAST))
            continue;
        if (nsid)
            t->nsid = (uint32_t)nsid;
        return true;
    }
    return false;
}

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
        if (!find_target(name, targets.length, &t)) {
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
        find_target(name, targets.length, &t);
        run_one(which, &t);
    }
    if (cmdline_get(words, "filename")->text)
        return;
    for (t.ctrl = nvme_first(); t.ctrl; t.ctrl = t.ctrl->next) {
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
    { .name = "output",
      .kind = OPTION_CHOICE,
      .fallback = "normal",
      .choices = "normal|binary",
      .help = "decoded, or the controller's own bytes" },
    { .name = NULL },
};

APP(app_nvme) = {
    .name = "nvme",
    .help = "what nvme-cli's commands tell of disks",
    .options = options,
    .run = run,
};
