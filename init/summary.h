// SPDX-License-Identifier: BSD-2-Clause
// What people and tools are told of the machine when it is up, and when the run is over.
#pragma once

// CPUs, memory and clocks; `clock` is what the TSC was measured by. Boot CPU.
void summary_platform(const char *clock);

// Errors of local APICs, and how much of their stacks the CPUs have used. Boot CPU.
void summary_end(void);
