// SPDX-License-Identifier: BSD-2-Clause
// The world around a single CPU: devices, an interrupt of another kind, and the end of the story.

#ifndef POSTS
#define POSTS 2 // of vector 0; there is a single one of vector 1
#endif

proctype device(byte v; byte posts)
{
    do
    :: d_step { posts > 0 -> posts--; waiting = WITH(waiting, v); set_pir(0, v) };
       decide(0, v, in_flight)
    :: posts == 0 -> break
    od
}

// One that has nothing to do with the descriptor: it wakes, and that is all.
proctype other_interrupt() provided (!cpu[0].in_timer)
{
    d_step { cpu[0].interrupts_on -> cpu[0].halted = false }
}

// No process can go on: devices have finished, no interrupt is pending, the CPU sleeps.
proctype at_rest()
{
    timeout ->
    assert(!(waiting & MUST_BE_HANDLED));
    assert(!((pi[0].pir[0] | pi[0].pir[WORDS - 1] | cpu[0].ready) & MUST_BE_HANDLED));
    assert(!running)
}

#if IMMEDIATE && !defined(ADAPTIVE)
// At any time: no second notification comes in on top of the first, or the stack has no bound.
proctype never_nested()
{
    assert(!(cpu[0].serving && ACCEPTS_NOTIFICATION(0)))
}
#endif

init
{
    atomic {
        cpu[0].interrupts_on = true;
        cpu[0].owned = ALL;
#ifdef ADAPTIVE
        pi[0].sn = true;
#ifdef MODES
        cpu[0].adaptive = true;
#endif
#endif
#ifdef WINDOW
#ifndef WINDOW_BEGINS_WITH_SLEEP
        cpu[0].armed = true;
#endif
        run window_timer(0);
#else
#ifdef RATE
        run window_timer(0);
#endif
        run other_interrupt();
#endif
#if IMMEDIATE && !defined(ADAPTIVE)
        run never_nested();
#endif
        urgent = URGENT;
        run notification(0);
        run loop(0);
        run at_rest();
        run device(0, POSTS);
        run device(1, 1)
    }
}
