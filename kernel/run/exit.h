// SPDX-License-Identifier: BSD-2-Clause
// How a run ends.
#pragma once

#include "kernel/run/exit_kind.h"
#include "lib/types.h"

// The machine is QEMU, though its CPUs may not say so. Boot CPU.
void exit_set_debug_port(void);

// What is to be shut down in order before the run ends, by itself or by fail(); not by a panic.
void exit_set_cleanup(void (*cleanup)(void));
void exit_clean_up(void);

// Called, once, when fail() ends the run on the boot CPU, after the clean-up.
void exit_set_after_failure(void (*fn)(void));

// Sends the JSON `end`, tells QEMU's debug-exit device, where this is QEMU, then powers off,
// reboots or halts. Any CPU, any context; the second caller halts.
noreturn void exit_run(bool ok);

// For report_set_end(): what fail() ends in.
noreturn void exit_failed(void);
