// SPDX-License-Identifier: BSD-2-Clause
// One CPU whose mode changes between posted and adaptive, as in irq_start_cpu(), while devices post.

#ifndef CHANGES
#define CHANGES 2
#endif
#define VECTORS 2
#define WORDS 2
#define CPUS 1
#define MODES
#define URGENT 1 // vector 0
#define MUST_BE_HANDLED ALL

#include "descriptor.pml"

byte changes = CHANGES;

// SN, ON and what the interrupt handlers go by, with interrupts off; then a look at what was posted by
// the rules of before.
inline change_mode(me)
{
    d_step { changes > 0 -> changes--; cpu[me].interrupts_on = false };
#ifdef CHANGE_HARVESTS_FIRST
    harvest(me);
#endif
    cpu[me].adaptive = !cpu[me].adaptive;
#ifndef CHANGE_LEAVES_SN
    d_step { pi[me].sn = cpu[me].adaptive; pi[me].on = false };
#endif
#if !defined(CHANGE_WITHOUT_HARVEST) && !defined(CHANGE_HARVESTS_FIRST)
    harvest(me);
#endif
    d_step { any = false; cpu[me].interrupts_on = true }
}
#define OTHER_WORK(me) change_mode(me)

#include "cpu.pml"
#include "one_cpu.pml"
