// SPDX-License-Identifier: BSD-2-Clause
// irq=posted: one bounded harvest for each notification, on one CPU.

#define VECTORS 2
#define CPUS 1
#define URGENT 0
#define MUST_BE_HANDLED ALL
#ifndef IMMEDIATE
#define HOLDS
#endif

#include "descriptor.pml"
#include "cpu.pml"
#include "one_cpu.pml"
