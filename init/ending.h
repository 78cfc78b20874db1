// SPDX-License-Identifier: BSD-2-Clause
// How the run ends, by the command line and by firmware's tables.
#pragma once

#include "init/tables.h"
#include "kernel/run/app.h"

// exit= and nmi=, for a run of that app. Boot CPU.
void ending_choose(const struct app *app, const struct cmdline *c);

// What follows the app itself where exit=monitor. Boot CPU, from its loop.
void ending_run_monitor(const struct app *app, const struct cmdline *c);

// Power-off, reset, and whether this is QEMU. Boot CPU.
void ending_read_tables(const struct tables *t);
