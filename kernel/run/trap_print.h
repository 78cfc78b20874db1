// SPDX-License-Identifier: BSD-2-Clause
// Where a CPU was: registers, backtrace, machine-check banks. For who has stopped the others.
#pragma once

#include "kernel/x86/mce.h"

struct trap_frame;

void trap_print_registers(const struct trap_frame *f);
void trap_print_backtrace(const struct trap_frame *f);

// This CPU's control registers.
void trap_print_control(void);

// Registers and backtraces of all CPUs but this one, as far as they stand by.
void trap_print_others(void);

// The banks of this CPU, and of all others that stand by.
void trap_print_machine_checks(void);
