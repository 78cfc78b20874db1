// SPDX-License-Identifier: BSD-2-Clause
// Whether the machine has what the command line asks for, as far as no driver knows it.
#pragma once

#include "kernel/base/cmdline.h"
#include "kernel/irq/irq.h"

// True where idle=mwait is asked for, and the CPU can be trusted with it; where it can't, ends the run
// if that begins in the mode which it is for.
bool checks_mwait(const struct cmdline *c, enum irq_mode mode);

// For irq=msi: warns where nothing but custom makes that work.
void checks_plain_msi(void);

// Names the disks that allow-write= lets apps write to; a serial number in it that no disk has is an
// error, after which the rest goes on.
void checks_allow_write(const struct cmdline *c);
