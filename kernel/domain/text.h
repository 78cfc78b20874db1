// SPDX-License-Identifier: BSD-2-Clause
// What a program did that it may not, for people: one sentence, which is an error in the domain's name, and
// where it was. Inside kernel/domain only. Its own CPU, from its loop.
#pragma once

#include "kernel/domain/cpu.h"
#include "lib/problem.h"

// The exception that the CPU's frame has; `address` is CR2, for a page fault.
void domain_tell_fault(const struct domain_cpu *dc, uint64_t address);

// A call with nonsense.
void domain_tell_nonsense(const struct domain_cpu *dc, const struct problem *p);

// It hasn't come round its loop for its team's patience.
void domain_tell_stuck(const struct domain_cpu *dc);
