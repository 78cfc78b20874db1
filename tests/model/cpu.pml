// SPDX-License-Identifier: BSD-2-Clause
// A CPU: its local APIC, the interrupts that it takes, its loop and its way to sleep, as in
// kernel/irq.c and kernel/cpu.c. It runs as two processes: loop() stands still while interrupts()
// is inside a handler. The model that includes this defines VECTORS and CPUS before, has the
// inlines other_work(me) (of the loop) and after_notification(me), and may define
//
//   ADAPTIVE   SN follows idleness, and the loop harvests; without: the notification's handler does
//   MWAIT      idle in mwait on the descriptor's line; without: in hlt
//   AT_ONCE    device handlers run in the harvest, preemptible; without: later, in the loop
//   MOVES      there are messages between CPUs, and remapped vectors

#define LOOPS 2 // posted.loops

typedef processor {
    bool interrupts_on; // IF
    bool halted;     // in hlt or mwait, and no interrupt came
    bool masked;     // the task priority (CR8) holds the notification's class back
    bool notify;     // local APIC: the notification is in IRR; a second one coalesces
    bool in_service; // local APIC: it is in ISR and blocks its class until EOI
    bool serving;    // inside the notification's handler
    bool in_timer;   // inside the timer's handler
    byte owned;      // vectors that have an irq here: cpu->vectors[]
    byte ready;      // irqs whose handler the loop is to run: cpu->ready[], as one word
#ifdef MOVES
    byte device;     // local APIC: remapped device vectors in IRR
    bool ipi;        // local APIC: a wake-up by another CPU is in IRR
    bool sleeping;   // tells senders of messages to send an IPI as well
    byte inbox;      // irqs that come from another CPU
#endif
};
processor cpu[CPUS];

#define ACCEPTS_NOTIFICATION(me) \
    (cpu[me].notify && cpu[me].interrupts_on && !cpu[me].in_service && !cpu[me].masked)

byte running; // irqs whose handler runs now, on whatever CPU

// ---- the descriptor, seen from its CPU ----

// SN and ON stand in one word and are written by one exchange: an ON that stayed set would stop
// every notification to come.
inline set_awake(me)
{
    d_step { pi[me].sn = true; pi[me].on = false }
}

inline set_asleep(me)
{
#ifdef SLEEP_LEAVES_ON
    pi[me].sn = false
#else
    d_step { pi[me].sn = false; pi[me].on = false }
#endif
}

// ---- handlers ----

// Sees all that its device has done so far. No handler is entered twice.
inline handle(v)
{
    d_step { assert(!HAS(running, v)); running = WITH(running, v) };
    d_step { running = WITHOUT(running, v); waiting = WITHOUT(waiting, v) }
}

inline handle_all(v, found)
{
    do
    :: v < VECTORS && HAS(found, v) -> handle(v); v++
    :: d_step { v < VECTORS && !HAS(found, v) -> v++ }
    :: d_step { v == VECTORS -> v = 0; found = 0 }; break
    od
}

// Bits without an irq are spurious. One locked instruction: the loop and interrupt handlers both
// come here.
inline make_ready(me, found)
{
#ifdef READY_IN_TWO_STEPS
    word = cpu[me].ready;
    d_step { cpu[me].ready = word | (found & cpu[me].owned); word = 0; found = 0 }
#else
    d_step { cpu[me].ready = cpu[me].ready | (found & cpu[me].owned); found = 0 }
#endif
}

inline run_now(v, found)
{
    d_step { were_on = cpu[me].interrupts_on; cpu[me].interrupts_on = true };
    handle_all(v, found);
    d_step { cpu[me].interrupts_on = were_on; were_on = false }
}

// any: there was something.
inline harvest(me)
{
    pi_harvest(me, v, found);
    any = found != 0;
    if
#ifdef AT_ONCE
    :: any -> run_now(v, found)
#else
    :: any -> make_ready(me, found)
#endif
    :: !any
    fi
}

// ---- interrupts ----

inline harvest_and_clear_on(me)
{
    do
#ifdef HARVEST_UNTIL_EMPTY
    :: true ->
#else
    :: passes == LOOPS -> break
    :: passes < LOOPS ->
#endif
       harvest(me);
       passes++;
       if
       :: any
       :: !any -> break
       fi
    od;
#ifdef CLEAR_ON_AFTER_LAST_HARVEST
    harvest(me);
    pi[me].on = false;
#else
    pi[me].on = false;
    harvest(me);
#endif
    d_step { assert(passes <= LOOPS); passes = 0 }
}

// Adaptive: asleep, it is a wake-up and nothing else. While an app keeps the CPU busy, it is the
// harvest that the loop can't do.
inline take_notification(me)
{
#ifndef ADAPTIVE
    harvest_and_clear_on(me)
#else
#ifdef AT_ONCE
#ifndef URGENT_LEAVES_ON
    set_awake(me);
#endif
    harvest(me)
#else
    skip
#endif
#endif
}

// Handlers that are over at once, and leave nothing behind but a ready bit.
inline take_device(me, v)
{
    d_step {
        HAS(cpu[me].device, v) && cpu[me].interrupts_on ->
        cpu[me].device = WITHOUT(cpu[me].device, v);
        cpu[me].ready = cpu[me].ready | (1 << v & cpu[me].owned);
        cpu[me].halted = false
    }
}

inline take_ipi(me)
{
    d_step { cpu[me].ipi && cpu[me].interrupts_on -> cpu[me].ipi = false; cpu[me].halted = false }
}

proctype interrupts(byte me) provided (!cpu[me].in_timer)
{
    byte v, found, word, passes;
    bool any, were_on;
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
       after_notification(me);
       d_step { // EOI, iret
           cpu[me].in_service = false;
           cpu[me].serving = false;
           cpu[me].interrupts_on = true;
           any = false
       }
#ifdef MOVES
    :: take_ipi(me)
    :: take_device(me, 0)
    :: take_device(me, VECTORS - 1)
#endif
    od
}

// ---- the loop ----

// Handlers that run at once run here too: the notification, which could enter them a second time,
// is held back meanwhile.
inline poll(me)
{
#ifdef AT_ONCE
#ifndef POLL_UNMASKED
    cpu[me].masked = true;
#endif
    harvest(me);
    cpu[me].masked = false;
#else
    harvest(me);
#endif
    d_step { busy = busy || any; any = false }
}

inline run_ready(me)
{
    d_step { found = cpu[me].ready; cpu[me].ready = 0; busy = busy || found };
    handle_all(v, found)
}

#ifdef MOVES
#define HAS_WORK(me) (found || cpu[me].ready || cpu[me].inbox)
#define SAY_SLEEPING(me, yes) cpu[me].sleeping = yes
#else
#define HAS_WORK(me) (found || cpu[me].ready)
#define SAY_SLEEPING(me, yes) skip
#endif

#ifdef MWAIT
#define WOKEN(me) (!cpu[me].halted || !monitoring[me])
#else
#define WOKEN(me) !cpu[me].halted
#endif

// From here on a post notifies, or ends mwait. One that came before does neither: hence the scan.
inline expect_posts(me)
{
#ifdef ADAPTIVE
#ifdef SCAN_FIRST
    scan(me, v, found);
#endif
#ifdef MWAIT
    monitoring[me] = true;
#else
    set_asleep(me);
#endif
#if !defined(NO_SCAN) && !defined(SCAN_FIRST)
    scan(me, v, found)
#endif
#else
    skip
#endif
}

inline wait(me)
{
#ifdef STI_APART_FROM_HLT
    cpu[me].interrupts_on = true;
    cpu[me].halted = true;
#else
    d_step { cpu[me].interrupts_on = true; cpu[me].halted = true };
#endif
end_asleep:
    d_step { WOKEN(me) -> cpu[me].halted = false; monitoring[me] = false }
}

inline go_to_sleep(me)
{
#ifndef SLEEP_WITH_INTERRUPTS_ON
    cpu[me].interrupts_on = false;
#endif
    SAY_SLEEPING(me, true);
    expect_posts(me);
    if
    :: HAS_WORK(me) -> d_step { found = 0; monitoring[me] = false }
    :: else -> wait(me)
    fi;
#ifdef ADAPTIVE
    set_awake(me);
#endif
    cpu[me].interrupts_on = true;
    SAY_SLEEPING(me, false)
}

proctype loop(byte me) provided (!cpu[me].serving && !cpu[me].in_timer)
{
    byte v, found, word;
    bool any, busy, were_on;
    do
    :: busy = false;
#ifdef ADAPTIVE
       poll(me);
#endif
       run_ready(me);
       other_work(me);
       if
       :: busy
       :: !busy -> go_to_sleep(me)
       fi
    od
}
