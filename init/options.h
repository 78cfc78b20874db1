// SPDX-License-Identifier: BSD-2-Clause
// The command line: the kernel's own words, the drivers', and the chosen app's.
#pragma once

#include "kernel/base/cmdline.h"
#include "kernel/handoff.h"
#include "kernel/run/app.h"

// Reads the command line; `drivers` are tables of the drivers' words, ended by NULL. Returns the app that
// app= names. What can't be understood ends the run. Boot CPU.
const struct app *options_read(const struct handoff *h, const struct option *const *drivers,
                               struct cmdline *c);
