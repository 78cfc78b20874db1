// SPDX-License-Identifier: BSD-2-Clause
// irq=adaptive, while an app keeps the CPU busy, for ever perhaps: SN is set and the loop can't
// harvest. Urgent posts notify, and with WINDOW a timer harvests.

#define VECTORS 2
#define CPUS 1
#define WORDS 1
#define ADAPTIVE
#define URGENT 1 // vector 0
#ifndef IMMEDIATE
#define IMMEDIATE 3 // both
#endif
#ifdef WINDOW
#define MUST_BE_HANDLED ALL
#else
#define MUST_BE_HANDLED (app_stays -> URGENT : ALL)
#endif

bool app_stays; // for ever
byte apps = 1;  // that are still to come

inline run_app(me)
{
    apps > 0 -> apps--;
    if
    :: true
    :: app_stays = true;
end_app:
       false
    fi
}
#define OTHER_WORK(me) run_app(me)

#include "descriptor.pml"
#include "cpu.pml"

// The timer, in a higher priority class than the notification. While the app stays it leaves no
// immediate handler waiting, but behind one that it has interrupted: the next window runs that.
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
#ifdef WINDOW_RUNS_NEW_ONES_ONLY
       if
       :: any -> run_immediate(me, false)
       :: !any
       fi;
#else
       run_immediate(me, false);
#endif
       assert(!app_stays || cpu[me].in_immediate || !(cpu[me].ready & immediate));
progress_of_time:
       d_step {
#ifndef WINDOW_NOT_REARMED
           cpu[me].armed = true;
#endif
           cpu[me].in_timer = false;
           cpu[me].interrupts_on = true;
           any = false
       }
    od
}

#include "one_cpu.pml"
