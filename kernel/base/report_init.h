// SPDX-License-Identifier: BSD-2-Clause
// For the boot steps and for panics alone.
#pragma once

#include "lib/types.h"

// What fail() does once it has reported; until then the CPU halts. Boot CPU, once.
void report_set_end(void (*end)(void));

// From here on lines are printed without the lock, until it is handed back. The other CPUs should
// have been stopped, or be held meanwhile.
void report_take_over(void);
void report_hand_back(void);

// For who runs one app after the other: what report_failed() tells from now on. Returns what it told.
bool report_set_failed(bool failed);
