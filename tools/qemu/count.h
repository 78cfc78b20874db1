// SPDX-License-Identifier: BSD-2-Clause
// Exact cost: the guest's instructions, counted by virtual CPU and region (lib/mark.h).
#pragma once

#include <stdio.h>

#include "lib/bits.h"

// Hooks into translation for the code of the ELF file at `path`; without it, nothing is hooked.
// From qemu_plugin_install(), with its `id`.
void count_init(uint64_t id, const char *path, int max_cpus);
// The machine is being reset: no region is open any more.
void count_reset(void);

// At exit; nothing without count_init().
void count_print_table(void);
void count_print_json(FILE *out); // after the table; members of an object, each after a comma
