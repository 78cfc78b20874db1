// SPDX-License-Identifier: BSD-2-Clause
// irq=adaptive: SN is set while the loop polls, and clear while the CPU sleeps.

#define VECTORS 2
#define CPUS 1
#define ADAPTIVE
#define URGENT 2 // vector 1
#define MUST_BE_HANDLED ALL

inline other_work(me) { skip }
inline after_notification(me) { skip }

#include "descriptor.pml"
#include "cpu.pml"
#include "one_cpu.pml"
