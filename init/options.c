// SPDX-License-Identifier: BSD-2-Clause
// Reads the command line against the tables of options.

#include "init/options.h"

#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/cpu/trace.h"
#include "kernel/run/allow_write.h"
#include "lib/format.h"
#include "lib/string.h"

#define APPS_BYTES 512
#define TABLES_MAX 8 // of options: the kernel's, the drivers', the app's

static char app_names[APPS_BYTES]; // "burst|crash|..."

static const struct option kernel_options[] = {
    { .name = "irq",
      .kind = OPTION_CHOICE,
      .fallback = "auto",
      .choices = "auto|adaptive|posted|remapped|poll|msi",
      .help = "how MSIs are delivered" },
    { .name = "cpus", .kind = OPTION_NUMBER, .min = 1, .max = CPU_MAX, .help = "CPUs to use" },
    { .name = "posted.loops",
      .kind = OPTION_NUMBER,
      .fallback = "3",
      .min = 1,
      .max = 1000,
      .help = "harvests per notification before ON is cleared" },
    { .name = "posted.preempt",
      .kind = OPTION_CHOICE,
      .fallback = "1",
      .choices = "0|1",
      .help = "timers and IPIs get in while a harvest runs handlers" },
    { .name = "posted.rate",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = 1000000000,
      .help = "notifications a second that all CPUs together may take; 0: any number" },
    { .name = "posted.window",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = 1000000,
      .help = "microseconds between harvests by timer on a busy CPU; 0: none (adaptive)" },
    { .name = "console",
      .kind = OPTION_TEXT,
      .help =
          "where lines for people go: com1 to com4, io:PORT, mmio:ADDRESS:WIDTH, "
          "pci:SSSS:BB:DD.F:BAR, each with ,BAUD or without; screen; none (lib/console_words.h)" },
    { .name = "json", .kind = OPTION_TEXT, .help = "where JSON goes: the same" },
    { .name = "dma",
      .kind = OPTION_CHOICE,
      .fallback = "fence",
      .choices = "fence|open|rmrr",
      .help =
          "what devices reach: memory granted to their driver; all; the first, and what firmware "
          "reserved" },
    { .name = "idle",
      .kind = OPTION_CHOICE,
      .fallback = "hlt",
      .choices = "hlt|mwait",
      .help = "how an idle CPU sleeps; mwait watches the descriptor (adaptive)" },
    { .name = "idle.spin",
      .kind = OPTION_TIME,
      .fallback = "2ms",
      .max = 1000000,
      .help = "how long at most it looks on before it sleeps (adaptive)" },
    { .name = "trace",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = TRACE_ENTRIES_MAX,
      .help = "trace entries kept for each CPU, sent as JSON after the run" },
    { .name = "allow-write",
      .kind = OPTION_TEXT,
      .help = "serial numbers of the disks that may be written to, such as S1:S2" },
    { .name = "domain",
      .kind = OPTION_TEXT,
      .help = "NAME:cpus=2-3:disks=nvme1n1:mem=256m:WORDS: a ring-3 program with these to itself; "
              "may come "
              "several times" },
    { .name = "app",
      .kind = OPTION_CHOICE,
      .fallback = "job",
      .choices = app_names,
      .help = "what runs" },
    { .name = "menu",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = 3600,
      .help = "seconds that the loader's menu waits for a key; 0: no menu" },
    { .name = "exit",
      .kind = OPTION_CHOICE,
      .fallback = "poweroff",
      .choices = "poweroff|reboot|halt|monitor",
      .help = "what follows it" },
    { .name = "results",
      .kind = OPTION_CHOICE,
      .fallback = "0",
      .choices = "0|1",
      .help = "keep JSON over a reset; the loader's next start puts it onto its own volume" },
    { .name = "nobigstatus",
      .kind = OPTION_FLAG,
      .help = "no PASS or FAIL in large letters on the screen at the end" },
    { .name = "nmi",
      .kind = OPTION_CHOICE,
      .fallback = "end",
      .choices = "end|continue",
      .help = "what an NMI that nobody asked for does, once all CPUs are shown" },
    { 0 },
};

// The name is one word of a command line, and one choice among others.
static bool is_name(const char *name)
{
    for (const char *at = name; *at; at++)
        if (*at == '|' || *at <= ' ' || *at > '~')
            return false;
    return name[0];
}

static const struct app *find_app(const struct cmdline *c)
{
    for (const struct app *const *app = apps_start; app < apps_end; app++)
        if (cmdline_is(c, "app", (*app)->name))
            return *app;
    return NULL;
}

static bool is_twice(const struct app *const *app)
{
    for (const struct app *const *other = apps_start; other < app; other++)
        if (strcmp((*other)->name, (*app)->name) == 0)
            return true;
    return false;
}

static void list_apps(void)
{
    size_t used = 0;
    for (const struct app *const *app = apps_start; app < apps_end; app++) {
        if (!(*app)->name || !is_name((*app)->name) || !(*app)->run || is_twice(app))
            fail(
                "app-bad",
                "app %zu of the image (\"%s\") has no run(), no name of its own, or one that is no "
                "word: mend its APP() and build again",
                (size_t)(app - apps_start), (*app)->name ? (*app)->name : "");
        used += (size_t)format_text(app_names + used, sizeof(app_names) - used, "%s%s",
                                    used ? "|" : "", (*app)->name);
        if (used >= sizeof(app_names))
            fail("app-bad", "the names of the image's apps take more than %d bytes", APPS_BYTES);
    }
}

static void check_text(const struct handoff *h)
{
    if (h->cmdline_dropped)
        fail("cmdline-too-long", "the command line is %u bytes too long: at most %d fit",
             h->cmdline_dropped, HANDOFF_CMDLINE_BYTES - 1);
    if (memchr(h->cmdline, 0, sizeof(h->cmdline)) == NULL)
        fail("cmdline-too-long", "the command line has no end: build loader and kernel again");
}

// Twice: the first reading tells the app, whose own words the second one knows.
const struct app *options_read(const struct handoff *h, const struct option *const *drivers,
                               struct cmdline *c)
{
    struct problem p;
    const struct option *tables[TABLES_MAX] = { kernel_options };
    size_t count = 1;
    check_text(h);
    list_apps();
    while (*drivers && count < TABLES_MAX - 1)
        tables[count++] = *drivers++;
    if (!cmdline_parse(h->cmdline, tables, count, true, c, &p))
        fail_problem(&p);
    const struct app *app = find_app(c);
    tables[count++] = app->options;
    if (!cmdline_parse(h->cmdline, tables, count, h->menu_chosen, c, &p))
        fail_problem(&p);
    const struct cmdline_value *writable = cmdline_get(c, "allow-write");
    if (!allow_write_check(writable->text, writable->length, &p))
        fail_problem(&p);
    return app;
}
