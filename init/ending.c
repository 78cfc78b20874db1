// SPDX-License-Identifier: BSD-2-Clause
// Sets up the ends of a run: what follows it, and what an NMI does to it.

#include "init/ending.h"

#include "kernel/run/exit.h"
#include "kernel/run/nmi.h"
#include "kernel/run/power.h"

void ending_choose(const struct cmdline *c)
{
    if (cmdline_is(c, "exit", "reboot"))
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
