// SPDX-License-Identifier: BSD-2-Clause
// Stopping all other CPUs, before the run ends.
#pragma once

#include "lib/types.h"

// Halts all others for good. Only CPUs that run our code get the NMI: what firmware has parked may
// have no handler for it any more. Any CPU, any context.
void cpu_stop_others(void);

// True once that was asked for: an NMI is to be taken for it.
bool cpu_is_stopping(void);
