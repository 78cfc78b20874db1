// SPDX-License-Identifier: BSD-2-Clause
// irq=posted above posted.rate: SN stays set from each notification until a window's timer finds nothing.

#define VECTORS 2
#define CPUS 1
#define RATE
#define URGENT 1 // vector 0
#define MUST_BE_HANDLED ALL

#include "descriptor.pml"
#include "cpu.pml"

// harvest_for_notification(), in a higher priority class than the notification.
inline end_window(me)
{
#ifndef WINDOW_ENDS_SUPPRESSED
    d_step { pi[me].sn = false; pi[me].on = false };
#endif
#ifndef WINDOW_ENDS_WITHOUT_HARVEST
    harvest(me);
#endif
    skip
}

proctype window_timer(byte me)
{
    byte found;
    bool any;
end_none:
    do
    :: d_step {
           cpu[me].armed && cpu[me].interrupts_on ->
           cpu[me].armed = false;
           cpu[me].in_timer = true;
           cpu[me].interrupts_on = false;
           cpu[me].halted = false
       };
       harvest(me);
       if
       :: any -> cpu[me].armed = true
       :: !any -> end_window(me)
       fi;
       run_immediate(me, false);
       assert(cpu[me].in_timer && !cpu[me].interrupts_on);
       d_step { cpu[me].in_timer = false; cpu[me].interrupts_on = true; any = false }
    od
}

#include "one_cpu.pml"
