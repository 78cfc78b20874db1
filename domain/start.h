// SPDX-License-Identifier: BSD-2-Clause
// How a program of a domain begins.
#pragma once

#include "lib/types.h"

// Called by start.asm, on each CPU.
noreturn void program_start(unsigned index);

// What follows: on CPU 0, and on the others once they are let.
noreturn void program_main(void);
noreturn void program_loop(void);

// Has a CPU, which is known by now, begin. CPU 0.
void program_let_begin(unsigned index);
