// SPDX-License-Identifier: BSD-2-Clause
// All counters at moments of the guest's choice: it writes a byte to an I/O port.
#pragma once

#include <stdio.h>

#include "lib/bits.h"

// At install time.
void snapshots_init(const char *port);
// After snapshots_init(): every instruction of the guest is among the counters.
void snapshots_count_instructions(uint64_t id);
// Once the machine is complete.
void snapshots_attach(void);
// `,"snapshots":[...]`, or nothing unless they were asked for.
void snapshots_print_json(FILE *out);
