// SPDX-License-Identifier: BSD-2-Clause
// Commands of the monitor about itself: help, and its end.

#include "apps/monitor/monitor.h"
#include "apps/monitor/shell.h"
#include "kernel/base/report.h"
#include "lib/format.h"
#include "lib/string.h"

// ---- help ----

static void list(bool apps)
{
    const struct shell_name *name;
    char left[40];
    for (size_t i = 0; (name = shell_get(i)); i++) {
        if (!name->app == apps)
            continue;
        const char *usage = apps ? "WORDS..." : name->command->usage;
        format_text(left, sizeof(left), "%s %s", name->name, usage ? usage : "");
        info("  %-30s %s", left, name->help);
    }
}

static void print_lines(const char *text)
{
    for (const char *end; (end = strchr(text, '\n')); text = end + 1)
        info("  %.*s", (int)(end - text), text);
    info("  %s", text);
}

static void help_command(const struct command *c)
{
    info("%s %s", c->name, c->usage ? c->usage : "");
    info("  %s", c->help);
    if (c->more)
        print_lines(c->more);
}

static void help_option(const struct option *o)
{
    static const char *const kinds[] = { [OPTION_NUMBER] = "NUMBER",
                                         [OPTION_SIZE] = "SIZE",
                                         [OPTION_TIME] = "TIME",
                                         [OPTION_CHOICE] = "",
                                         [OPTION_TEXT] = "TEXT" };
    char left[48];
    format_text(left, sizeof(left), "%s=%s", o->name,
                o->kind == OPTION_CHOICE ? o->choices : kinds[o->kind]);
    info("  %-28s %s%s%s%s", left, o->help ? o->help : "", o->fallback ? " [" : "",
         o->fallback ? o->fallback : "", o->fallback ? "]" : "");
}

static void help_app(const struct app *app)
{
    info("%s%s%s%s%s WORDS... [&]", app->name, app->bare[0] ? " [" : "",
         app->bare[0] ? app->bare[0] : "", app->bare[1] ? "] [" : "",
         app->bare[1] ? app->bare[1] : "");
    info("  %s; with & in the background", app->help);
    for (const struct option *o = app->options; o && o->name; o++)
        help_option(o);
}

static bool help(const struct command_words *words, struct problem *p)
{
    if (!command_at_most(words, 1, p))
        return false;
    if (words->count == 1) {
        list(false);
        info("and the apps of this image:");
        list(true);
        return true;
    }
    const struct shell_name *name = shell_find(words->word[1]);
    if (!name)
        return problem_set(p, "monitor-word",
                           "there is no command \"%.40s\": help alone lists them", words->word[1]);
    if (name->app)
        help_app(name->app);
    else
        help_command(name->command);
    return true;
}

static const char *help_candidate(const struct command_words *before, size_t i)
{
    const struct shell_name *name = before->count == 1 ? shell_get(i) : NULL;
    return name ? name->name : NULL;
}

COMMAND(command_help) = {
    .name = "help",
    .usage = "[COMMAND]",
    .help = "what there is; or more about one",
    .more = "Keys: Tab completes, Up and Down go through earlier lines, Ctrl-A, -E, -K, -U and -W\n"
            "edit as in other shells, Ctrl-C drops the line, or ends the app that runs.",
    .when = COMMAND_ALWAYS,
    .run = help,
    .candidate = help_candidate,
};

// ---- the end ----

static bool poweroff(const struct command_words *words, struct problem *p)
{
    if (!command_at_most(words, 0, p))
        return false;
    monitor_end(EXIT_POWEROFF);
    return true;
}

COMMAND(command_poweroff) = {
    .name = "poweroff",
    .help = "shuts disks and units down, and switches the machine off",
    .when = COMMAND_ALWAYS,
    .run = poweroff,
};

static bool reboot(const struct command_words *words, struct problem *p)
{
    if (!command_at_most(words, 0, p))
        return false;
    monitor_end(EXIT_REBOOT);
    return true;
}

COMMAND(command_reboot) = {
    .name = "reboot",
    .help = "the same, and starts it anew",
    .when = COMMAND_ALWAYS,
    .run = reboot,
};

static bool stop(const struct command_words *words, struct problem *p)
{
    if (!command_at_most(words, 0, p))
        return false;
    if (!monitor_background())
        return problem_set(p, "monitor-word", "stop: no app runs in the background");
    app_ask_to_stop(true);
    return true;
}

COMMAND(command_stop) = {
    .name = "stop",
    .help = "asks the app in the background to end; job and bench do",
    .when = COMMAND_BESIDE,
    .run = stop,
};
