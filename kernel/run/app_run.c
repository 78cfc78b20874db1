// SPDX-License-Identifier: BSD-2-Clause
// Apps one after the other.

#include "kernel/run/app.h"

#include "kernel/base/report.h"
#include "kernel/base/report_init.h"
#include "lib/string.h"

static size_t name_length(const char *word)
{
    size_t length = 0;
    while (word[length] > ' ' && word[length] != '=')
        length++;
    return length;
}

static bool has(const struct option *options, const char *name, size_t length)
{
    for (const struct option *o = options; o && o->name; o++)
        if (strlen(o->name) == length && !memcmp(o->name, name, length))
            return true;
    return false;
}

static bool is_apps(const char *name, size_t length)
{
    for (const struct app *const *app = apps_start; app < apps_end; app++)
        if (has((*app)->options, name, length))
            return true;
    return false;
}

// An option of the kernel's or of a driver's.
static bool boot_has(const struct cmdline *boot, const char *name, size_t length)
{
    if (is_apps(name, length))
        return false;
    for (size_t i = 0; i < boot->count; i++)
        if (strlen(boot->values[i].option->name) == length &&
            !memcmp(boot->values[i].option->name, name, length))
            return true;
    return false;
}

// Words of the kernel's and of drivers are known, but it is too late for them.
static bool check_words(const struct app *app, const char *words, const struct cmdline *boot,
                        struct problem *p)
{
    while (*words) {
        size_t length = name_length(words);
        if (!has(app->options, words, length) && boot_has(boot, words, length))
            return problem_set(p, "app-boot-word",
                               "%.*s= is for the whole boot: give it on the command line",
                               (int)length, words);
        while (*words > ' ')
            words++;
        while (*words && *words <= ' ')
            words++;
    }
    return true;
}

// What has failed before isn't this app's, and isn't forgotten.
bool app_run(const struct app *app, const char *words, const struct cmdline *boot,
             struct problem *p)
{
    static struct cmdline parsed;
    const struct option *tables[] = { app->options };
    if (!check_words(app, words, boot, p) || !cmdline_parse(words, tables, 1, false, &parsed, p))
        return false;
    app_ask_to_stop(false);
    bool failed = report_set_failed(false);
    app->run(&parsed);
    (void)report_set_failed(report_failed() || failed);
    return true;
}
