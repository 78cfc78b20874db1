// SPDX-License-Identifier: BSD-2-Clause
// MSRs that CPUID says nothing of: a model has them, or reading them faults.
#pragma once

#include "lib/types.h"

// False: this CPU has no such MSR. Any context but an exception's.
bool msr_read(uint32_t msr, uint64_t *value);

// For the handler of exceptions: the instruction that may fault, and where that leads.
extern const char msr_read_rdmsr[], msr_read_failed[];
