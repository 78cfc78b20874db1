// SPDX-License-Identifier: BSD-2-Clause
// A program of a domain: its clock, its CPUs, its disks, then its app. This file alone names a driver.

#include "domain/call.h"
#include "domain/cpu.h"
#include "domain/start.h"
#include "drivers/nvme/granted.h"
#include "kernel/base/report.h"
#include "kernel/irq/irq_config.h"
#include "kernel/run/app.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time_init.h"
#include "lib/format.h"

#define APPS_BYTES 512

static char app_names[APPS_BYTES]; // "hello|job|..."

static const struct option own_options[] = {
    { .name = "app",
      .kind = OPTION_CHOICE,
      .fallback = "job",
      .choices = app_names,
      .help = "what runs" },
    { 0 },
};

static void list_apps(void)
{
    size_t used = 0;
    for (const struct app *const *app = apps_start; app < apps_end; app++)
        used += (size_t)format_text(app_names + used, sizeof(app_names) - used, "%s%s",
                                    used ? "|" : "", (*app)->name);
    if (used >= sizeof(app_names))
        fail("app-bad", "the names of the program's apps take more than %d bytes", APPS_BYTES);
}

static const struct app *chosen(const struct cmdline *c)
{
    for (const struct app *const *app = apps_start; app < apps_end; app++)
        if (cmdline_is(c, "app", (*app)->name))
            return *app;
    return NULL;
}

// Twice: the first reading tells the app, whose own words the second one knows.
static const struct app *read_words(struct cmdline *c)
{
    struct problem p;
    const char *words = (const char *)domain_info() + domain_info()->words;
    const struct option *tables[] = { own_options, NULL };
    list_apps();
    if (!cmdline_parse(words, tables, 1, true, c, &p))
        fail_problem(&p);
    const struct app *app = chosen(c);
    tables[1] = app->options;
    if (!cmdline_parse(words, tables, 2, false, c, &p))
        fail_problem(&p);
    return app;
}

static void check_abi(const struct domain_info *info)
{
    if (info->abi != DOMAIN_ABI)
        fail("domain-abi",
             "the program is built for calls of version %u, and the kernel has %u: "
             "build both again",
             DOMAIN_ABI, info->abi);
}

noreturn void program_main(void)
{
    static struct cmdline cmdline;
    const struct domain_info *info = domain_info();
    check_abi(info);
    program_add_cpu(&program_boot_cpu, (struct domain_events *)domain_events_at(0));
    time_start(info->tsc_hz, info->tsc_at_zero);
    irq_set_config(
        &(struct irq_config){ .mode = (enum irq_mode)info->irq_mode, .spin_ns = info->spin_ns });
    program_add_cpus(info->cpus);
    const struct app *app = read_words(&cmdline);
    nvme_granted_init(info);
    for (unsigned cpu = 1; cpu < info->cpus; cpu++)
        program_let_begin(cpu);
    app->run(&cmdline);
    domain_exit(report_failed());
}

noreturn void program_loop(void)
{
    static const bool never;
    cpu_run_until(&never);
    domain_exit(true); // not reached
}
