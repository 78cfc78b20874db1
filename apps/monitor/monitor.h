// SPDX-License-Identifier: BSD-2-Clause
// app=monitor: what its commands are given.
#pragma once

#include "kernel/run/app.h"
#include "kernel/run/command.h"
#include "kernel/run/exit_kind.h"
#include "lib/types.h"

// Runs the boot CPU's loop until *done, which something that the loop runs sets.
void monitor_wait(const bool *done);

// The same until a key is pressed, with tick() each second.
void monitor_watch(void (*tick)(void));

// The app in the background; NULL: none.
const struct app *monitor_background(void);

// The command that runs is the session's last one.
void monitor_end(enum exit_kind kind);
