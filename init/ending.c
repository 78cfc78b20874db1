// SPDX-License-Identifier: BSD-2-Clause
// Sets up the ends of a run: what follows it, and what an NMI does to it.

#include "init/ending.h"

#include "kernel/base/report.h"
#include "kernel/base/report_init.h"
#include "kernel/base/verdict.h"
#include "kernel/run/exit.h"
#include "kernel/run/nmi.h"
#include "kernel/run/power.h"

// The app that the run ends in, where people ask for it; NULL: none.
static const struct app *monitor(const struct cmdline *c)
{
    return cmdline_is(c, "exit", "monitor") ? app_find("monitor") : NULL;
}

void ending_run_monitor(const struct app *app, const struct cmdline *c)
{
    if (!monitor(c) || monitor(c) == app)
        return;
    verdict_show(!report_failed());
    monitor(c)->run(c);
}

// What is kept in memory outlasts a reset at most.
static bool is_reboot(const struct cmdline *c)
{
    if (!report_keeps() || cmdline_get(c, "exit")->given)
        return cmdline_is(c, "exit", "reboot");
    return true;
}

static void warn_of_loss(const struct cmdline *c)
{
    if (report_keeps() && !is_reboot(c) && cmdline_is(c, "exit", "poweroff"))
        warn("results-exit",
             "results=1 with exit=poweroff: results are kept in memory, and lost with "
             "the power: use exit=reboot");
}

void ending_choose(const struct app *app, const struct cmdline *c)
{
    const struct app *last = monitor(c) ? monitor(c) : app;
    exit_set_after_failure(last->after_failure);
    warn_of_loss(c);
    if (is_reboot(c))
        exit_set(EXIT_REBOOT);
    else if (cmdline_is(c, "exit", "halt"))
        exit_set(EXIT_HALT);
    nmi_set_continue(cmdline_is(c, "nmi", "continue"));
}

void ending_read_tables(const struct tables *t)
{
    struct acpi_power power;
    if (!t->has_fadt)
        return;
    if (t->is_qemu)
        exit_set_debug_port();
    acpi_find_power(&t->fadt, &power);
    power_init(&power);
}
