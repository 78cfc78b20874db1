// SPDX-License-Identifier: BSD-2-Clause
// irq=adaptive: SN is set while the loop polls, and clear while the CPU sleeps.

#define VECTORS 2
#define CPUS 1
#define ADAPTIVE
#define URGENT 1 // vector 0
#define MUST_BE_HANDLED ALL

#include "descriptor.pml"
#include "cpu.pml"
#include "one_cpu.pml"
