// SPDX-License-Identifier: BSD-2-Clause
// How the run ends, by the command line and by firmware's tables.
#pragma once

#include "init/tables.h"
#include "kernel/base/cmdline.h"

// exit= and nmi=. Boot CPU.
void ending_choose(const struct cmdline *c);

// Power-off, reset, and whether this is QEMU. Boot CPU.
void ending_read_tables(const struct tables *t);
