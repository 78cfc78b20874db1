// SPDX-License-Identifier: BSD-2-Clause
// A CPU: its local APIC, the interrupts that it takes, its loop and its way to sleep, as in
// kernel/irq/irq_take.c and kernel/run/loop.c. It runs as up to three processes: each stands still while one
// with a higher priority is inside a handler. What nobody else can see happens in one step with what
// they can.
//
// The model that includes this may define
//   ADAPTIVE     SN follows idleness, and the loop harvests; without: the notification's handler
//   MODES        either, as cpu[].adaptive says, which changes
//   MWAIT        idle in mwait on the descriptor's line; without: in hlt
//   IMMEDIATE    the vectors whose handlers don't wait for the loop; without: none
//   WINDOW       posted.window: a timer harvests
//   RATE         posted.rate, above it: a notification is followed by a window in which a timer harvests
//   HOLDS        while handlers run, notifications wait for their end, where posted without immediate ones
//   MOVES        there are messages between CPUs, and remapped vectors
//   OTHER_WORK   an inline: what else the loop does
//   RUN_HANDLER  an inline: what a vector's handler does

#ifndef LOOPS
#define LOOPS 2 // posted.loops
#endif
#ifndef IMMEDIATE
#define IMMEDIATE 0
#endif
#ifndef RUN_HANDLER
#define RUN_HANDLER(me, v) handle(v)
#endif

typedef processor {
    bool interrupts_on; // IF
    bool halted;        // in hlt or mwait, and no interrupt came
    bool notify;        // local APIC: the notification is in IRR; a second one coalesces
    bool in_service;    // local APIC: it is in ISR, and blocks its class until EOI
    bool armed;         // local APIC: the timer is set, to the window
    bool serving;       // inside the notification's handler
    bool in_timer;      // inside the timer's handler
    bool in_immediate;  // handlers run that don't wait for the loop
#ifdef MODES
    bool adaptive;
#endif
    bool sleeping;      // tells notifications that they only wake, senders of messages to send an IPI
#ifdef HOLDS
    bool held;          // handlers run, and a notification has nothing to do but
    bool noted;         // to be noted
#endif
    byte owned;         // vectors that have an irq here: vectors[]
    byte ready;         // vectors whose handler is to run, all in one word
#ifdef MOVES
    byte irr;           // local APIC: remapped device vectors in IRR
    bool ipi;           // local APIC: a wake-up by another CPU is in IRR
    byte inbox;         // messages
    bool leaving;       // goes offline once they are done
#endif
};
processor cpu[CPUS];

byte immediate = IMMEDIATE; // immediate[]
byte running;               // irqs whose handler runs now, on whatever CPU

#ifdef MODES
#define IS_ADAPTIVE(me) cpu[me].adaptive
#elif defined(ADAPTIVE)
#define IS_ADAPTIVE(me) true
#endif

#define ACCEPTS_NOTIFICATION(me) (cpu[me].notify && cpu[me].interrupts_on && !cpu[me].in_service)

// ---- handlers ----

// Sees all that its device has done so far. No handler is entered twice.
inline handle(irq)
{
    d_step { assert(!HAS(running, irq)); running = WITH(running, irq) };
    d_step { running = WITHOUT(running, irq); waiting = WITHOUT(waiting, irq) }
}

inline run_found(me)
{
    do
    :: HAS(found, 0) -> RUN_HANDLER(me, 0); found = WITHOUT(found, 0)
    :: found == 2 -> RUN_HANDLER(me, 1); found = 0
    :: !found -> break
    od
}

#ifdef IMMEDIATE_TWICE
#define MAY_RUN_IMMEDIATE(me) (cpu[me].ready & immediate)
#else
#define MAY_RUN_IMMEDIATE(me) (cpu[me].ready & immediate && !cpu[me].in_immediate)
#endif

// Interrupts off but where preempt says so. What an interrupt adds in between stays for later.
inline run_immediate(me, preempt)
{
    if
    :: !MAY_RUN_IMMEDIATE(me)
    :: d_step {
           MAY_RUN_IMMEDIATE(me) ->
           cpu[me].in_immediate = true;
           found = cpu[me].ready & immediate;
           cpu[me].ready = cpu[me].ready & ~immediate;
           cpu[me].interrupts_on = preempt
       };
       run_found(me);
       cpu[me].interrupts_on = false;
       cpu[me].in_immediate = false
    fi
}

// Bits without an irq are spurious. Interrupts off.
inline make_ready(me)
{
    d_step { any = true; cpu[me].ready = cpu[me].ready | (found & cpu[me].owned); found = 0 }
}

// any: there was something.
inline harvest(me)
{
    scan(me);
    if
    :: d_step { found -> exchange(me, 0) };
#if WORDS > 1
       d_step { exchange(me, 1) };
#endif
       make_ready(me)
    :: d_step { !found -> any = false }
    fi
}

// ---- the notification ----

#ifdef HARVEST_UNTIL_EMPTY
#define HARVEST_AGAIN any
#else
#define HARVEST_AGAIN (any && loop_number < LOOPS)
#endif

inline harvest_and_clear_on(me)
{
    loop_number = 1;
    do
    :: harvest(me);
       run_immediate(me, true);
       if
       :: d_step { HARVEST_AGAIN -> loop_number++; assert(loop_number <= LOOPS) }
       :: !HARVEST_AGAIN -> break
       fi
    od;
#ifdef CLEAR_ON_AFTER_LAST_HARVEST
    harvest(me);
    run_immediate(me, true);
    pi[me].on = false
#else
#ifdef RATE
    cpu[me].armed = true;
    d_step { pi[me].sn = true; pi[me].on = false };
#else
    pi[me].on = false;
#endif
    harvest(me);
    run_immediate(me, true)
#endif
}

// An adaptive sleeper's notification only ends its sleep.
inline take_notification(me)
{
#ifdef IS_ADAPTIVE
    if
    :: IS_ADAPTIVE(me) && cpu[me].sleeping
    :: !IS_ADAPTIVE(me) || !cpu[me].sleeping -> harvest_and_clear_on(me)
    fi
#else
#ifdef HOLDS
    if
    :: d_step { cpu[me].held -> cpu[me].noted = true }
    :: !cpu[me].held -> harvest_and_clear_on(me)
    fi
#else
    harvest_and_clear_on(me)
#endif
#endif
}

proctype notification(byte me) provided (!cpu[me].in_timer)
{
    byte found, loop_number;
    bool any;
end_none:
    do
    :: d_step {
           ACCEPTS_NOTIFICATION(me) ->
           cpu[me].notify = false;
           cpu[me].in_service = true;
           cpu[me].serving = true;
           cpu[me].interrupts_on = false;
           cpu[me].halted = false
       };
#ifdef EARLY_EOI
       cpu[me].in_service = false;
#endif
       take_notification(me);
       d_step { // EOI, iret
           cpu[me].in_service = false;
           cpu[me].serving = false;
           cpu[me].interrupts_on = true;
           any = false;
           loop_number = 0
       }
    od
}

// ---- other interrupts ----

#ifdef MOVES
inline take_device(me, v)
{
    d_step {
        HAS(cpu[me].irr, v) && cpu[me].interrupts_on ->
        cpu[me].irr = WITHOUT(cpu[me].irr, v);
        cpu[me].ready = cpu[me].ready | (1 << v & cpu[me].owned);
        cpu[me].halted = false
    }
}

// Handlers that are over at once.
proctype other_interrupts(byte me) provided (!cpu[me].serving)
{
end_none:
    do
    :: d_step {
           cpu[me].ipi && cpu[me].interrupts_on -> cpu[me].ipi = false; cpu[me].halted = false
       }
    :: take_device(me, 0)
    :: take_device(me, 1)
    od
}
#endif

// ---- sleep ----

#ifdef MOVES
#define HAS_WORK(me) (found || cpu[me].ready || cpu[me].inbox || cpu[me].leaving)
#else
#define HAS_WORK(me) (found || cpu[me].ready)
#endif

#ifdef MWAIT
#define WOKEN(me) (!cpu[me].halted || !monitoring[me])
#else
#define WOKEN(me) !cpu[me].halted
#endif

// From here on a post notifies, or ends mwait. One that came before does neither: hence the scan.
inline fall_asleep(me)
{
#ifdef SCAN_FIRST
    scan(me);
#endif
#ifdef MWAIT
    monitoring[me] = true
#else
    clear_sn(me)
#endif
#if !defined(NO_RESCAN) && !defined(SCAN_FIRST)
    ; scan(me)
#endif
}

inline sleep_now(me)
{
#ifdef STI_APART_FROM_HLT
    cpu[me].interrupts_on = true;
    cpu[me].halted = true;
#else
    d_step { cpu[me].interrupts_on = true; cpu[me].halted = true };
#endif
end_asleep:
    d_step { WOKEN(me) -> cpu[me].halted = false };
    cpu[me].interrupts_on = false
}

inline go_to_sleep(me)
{
    d_step {
        !HAS_WORK(me) ->
#ifndef SLEEP_WITH_INTERRUPTS_ON
        cpu[me].interrupts_on = false;
#endif
#ifndef SAY_SLEEPING_LATE
        cpu[me].sleeping = true
#endif
    };
#ifdef MODES
    if
    :: IS_ADAPTIVE(me) -> fall_asleep(me)
    :: !IS_ADAPTIVE(me)
    fi;
#endif
#if defined(ADAPTIVE) && !defined(MODES)
    fall_asleep(me);
#endif
    if
    :: d_step { HAS_WORK(me) -> found = 0 }
    :: d_step {
           !HAS_WORK(me);
#ifndef RATE
           cpu[me].armed = false
#endif
       };
#ifdef SAY_SLEEPING_LATE
       cpu[me].sleeping = true;
#endif
       sleep_now(me)
    fi;
#ifdef MODES
    if
    :: IS_ADAPTIVE(me) -> set_sn(me)
    :: !IS_ADAPTIVE(me)
    fi;
#endif
#if defined(ADAPTIVE) && !defined(MODES) && !defined(MWAIT_LEAVES_ON)
    set_sn(me);
#endif
    d_step {
#ifdef WINDOW
        cpu[me].armed = true;
#endif
        monitoring[me] = false;
        cpu[me].sleeping = false;
        cpu[me].interrupts_on = true
    }
}

// ---- the loop: interrupts on ----

inline run_immediate_off(me)
{
    cpu[me].interrupts_on = false;
    run_immediate(me, false);
    cpu[me].interrupts_on = true
}

// An immediate one goes by way of ready[], added by one instruction: an interrupt may come between.
inline run_immediate_posted(me)
{
#ifdef READY_BY_STORE
    posted_now = posted_now | cpu[me].ready;
    d_step { cpu[me].ready = posted_now; posted_now = 0 };
#else
    d_step { cpu[me].ready = cpu[me].ready | posted_now; posted_now = 0 };
#endif
    run_immediate_off(me)
}

// Straight from the PIR to the handlers.
inline loop_harvest(me, w)
{
    if
    :: d_step {
           pi[me].pir[w] ->
           found = pi[me].pir[w] & cpu[me].owned;
#if IMMEDIATE
           posted_now = found & immediate;
           found = found & ~immediate;
#endif
           pi[me].pir[w] = 0
       };
       run_found(me);
#if IMMEDIATE
       if
       :: posted_now -> run_immediate_posted(me)
       :: !posted_now
       fi
#endif
    :: !pi[me].pir[w]
    fi
}

#ifdef HOLDS
inline harvest_if_noted(me)
{
    if
    :: d_step { cpu[me].noted -> cpu[me].noted = false; cpu[me].interrupts_on = false };
       harvest_and_clear_on(me);
       d_step { any = false; loop_number = 0; cpu[me].interrupts_on = true }
    :: !cpu[me].noted
    fi
}

// What is noted is looked at once notifications do more than that again.
inline run_ready(me)
{
    d_step { cpu[me].ready -> cpu[me].held = true };
    d_step { found = cpu[me].ready; cpu[me].ready = 0 };
    run_found(me);
#ifdef LOOK_BEFORE_LETTING
    harvest_if_noted(me);
    cpu[me].held = false
#else
    cpu[me].held = false;
#ifndef HELD_WITHOUT_HARVEST
    harvest_if_noted(me)
#endif
#endif
}
#else
inline run_ready(me)
{
    d_step {
        cpu[me].ready & ~immediate ->
        found = cpu[me].ready & ~immediate;
        cpu[me].ready = cpu[me].ready & immediate
    };
    run_found(me)
}
#endif

// Each round does one of the things that there are to do, whichever.
proctype loop(byte me) provided (!cpu[me].serving && !cpu[me].in_timer)
{
    byte found, posted_now;
    bool any;
#ifdef HOLDS
    byte loop_number;
#endif
#ifdef MOVES
    byte old, new, to;
    bool pending;
#endif
    do
    ::
#ifdef MODES
       if
       :: IS_ADAPTIVE(me) -> loop_harvest(me, 0); loop_harvest(me, 1)
       :: !IS_ADAPTIVE(me)
       fi;
#endif
#if defined(ADAPTIVE) && !defined(MODES) && !defined(LOOP_WITHOUT_HARVEST)
       loop_harvest(me, 0);
#if WORDS > 1
       loop_harvest(me, 1);
#endif
#endif
       if
       :: run_ready(me)
#if IMMEDIATE
       :: cpu[me].ready & immediate -> run_immediate_off(me)
#endif
       :: go_to_sleep(me)
#ifdef OTHER_WORK
       :: OTHER_WORK(me)
#endif
       fi
    od
}
