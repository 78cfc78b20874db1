// SPDX-License-Identifier: BSD-2-Clause
// Names of commands and apps, and what can follow them.

#include "apps/monitor/shell.h"

#include "kernel/run/block.h"
#include "lib/format.h"
#include "lib/string.h"

static struct {
    struct shell_name names[SHELL_NAMES_MAX];
    size_t count;
} shell;

// Sorted by insertion. What finds no room is left out.
static void add(const struct shell_name *name)
{
    if (shell.count == SHELL_NAMES_MAX || shell_find(name->name))
        return;
    size_t at = shell.count++;
    for (; at && strcmp(shell.names[at - 1].name, name->name) > 0; at--)
        shell.names[at] = shell.names[at - 1];
    shell.names[at] = *name;
}

void shell_init(const struct app *self)
{
    shell.count = 0;
    for (const struct command *const *c = commands_start; c < commands_end; c++)
        add(&(struct shell_name){ .name = (*c)->name, .help = (*c)->help, .command = *c });
    for (const struct app *const *app = apps_start; app < apps_end; app++)
        if (*app != self)
            add(&(struct shell_name){ .name = (*app)->name, .help = (*app)->help, .app = *app });
}

const struct shell_name *shell_get(size_t i)
{
    return i < shell.count ? &shell.names[i] : NULL;
}

const struct shell_name *shell_find(const char *name)
{
    for (size_t i = 0; i < shell.count; i++)
        if (!strcmp(shell.names[i].name, name))
            return &shell.names[i];
    return NULL;
}

// ---- an app's words ----

static const char *bare_name(const struct app *app, size_t i)
{
    return i < ARRAY_SIZE(app->bare) ? app->bare[i] : NULL;
}

bool shell_app_words(const struct app *app, const struct command_words *words, char *to,
                     size_t bytes, struct problem *p)
{
    size_t used = 0, bare = 0;
    to[0] = 0;
    for (unsigned i = 1; i < words->count; i++) {
        const char *word = words->word[i], *name = strchr(word, '=') ? "" : bare_name(app, bare++);
        if (!name)
            return problem_set(p, "monitor-word",
                               "\"%.40s\": %s takes words such as name=value; see help %s", word,
                               app->name, app->name);
        used += (size_t)format_text(to + used, bytes - used, "%s%s%s%s", used ? " " : "", name,
                                    name[0] ? "=" : "", word);
        if (used >= bytes)
            return problem_set(p, "monitor-long", "%s: the line is too long", app->name);
    }
    return true;
}

// ---- candidates ----

static const char *name_candidate(size_t i)
{
    const struct shell_name *name = shell_get(i);
    return name ? name->name : NULL;
}

// Number i of "a|b|c", behind `front`.
static const char *choice(const char *choices, size_t i, const char *front, size_t front_length)
{
    static char text[96];
    for (; i && choices; i--) {
        choices = strchr(choices, '|');
        choices += choices != NULL;
    }
    if (!choices)
        return NULL;
    const char *end = strchr(choices, '|');
    size_t length = end ? (size_t)(end - choices) : strlen(choices);
    format_text(text, sizeof(text), "%.*s%.*s", (int)front_length, front, (int)length, choices);
    return text;
}

static const char *disk(size_t i, const char *front, size_t front_length)
{
    static char text[96];
    const struct block_dev *dev = block_first();
    for (; i && dev; i--)
        dev = dev->next;
    if (!dev)
        return NULL;
    format_text(text, sizeof(text), "%.*s%s", (int)front_length, front, dev->name);
    return text;
}

static const struct option *find_option(const struct app *app, const char *name, size_t length)
{
    for (const struct option *o = app->options; o && o->name; o++)
        if (strlen(o->name) == length && !memcmp(o->name, name, length))
            return o;
    return NULL;
}

static const char *value(const struct option *o, size_t i, const char *front, size_t front_length)
{
    if (!o)
        return NULL;
    if (!strcmp(o->name, "filename"))
        return disk(i, front, front_length);
    return o->choices ? choice(o->choices, i, front, front_length) : NULL;
}

static size_t count_bare(const struct command_words *words)
{
    size_t count = 0;
    for (unsigned i = 1; i < words->count; i++)
        count += !strchr(words->word[i], '=');
    return count;
}

static const struct option *next_bare(const struct app *app, const struct command_words *before)
{
    const char *name = bare_name(app, count_bare(before));
    return name ? find_option(app, name, strlen(name)) : NULL;
}

// Behind a '=' its values; else names of options, and the values that need no name.
static const char *app_candidate(const struct app *app, const struct shell_place *at, size_t i)
{
    static char text[40];
    const char *equals = memchr(at->prefix, '=', at->length);
    if (equals) {
        size_t length = (size_t)(equals - at->prefix);
        return value(find_option(app, at->prefix, length), i, at->prefix, length + 1);
    }
    for (const struct option *o = app->options; o && o->name; o++)
        if (!i--) {
            format_text(text, sizeof(text), "%s=", o->name);
            return text;
        }
    return value(next_bare(app, &at->before), i, "", 0);
}

const char *shell_candidate(void *arg, size_t i)
{
    const struct shell_place *at = arg;
    if (!at->before.count)
        return name_candidate(i);
    const struct shell_name *name = shell_find(at->before.word[0]);
    if (!name)
        return NULL;
    if (name->app)
        return app_candidate(name->app, at, i);
    return name->command->candidate ? name->command->candidate(&at->before, i) : NULL;
}
