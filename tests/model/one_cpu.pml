// SPDX-License-Identifier: BSD-2-Clause
// The world around a single CPU: devices, other interrupts, and the end of the story.

proctype device(byte v; byte posts)
{
    do
    :: d_step { posts > 0 -> posts--; waiting = WITH(waiting, v) };
       post(0, v)
    :: posts == 0 -> break
    od
}

// An interrupt that has nothing to do with the descriptor: it wakes, and that is all.
proctype other_interrupt()
{
    d_step { cpu[0].interrupts_on -> cpu[0].halted = false }
}

// No process can go on: devices have finished, no interrupt is pending, the CPU sleeps.
proctype at_rest()
{
    byte v;
    timeout ->
    assert(!(waiting & MUST_BE_HANDLED));
    for (v : 0 .. VECTORS - 1) {
        assert(!pi[0].pir[v] || !HAS(MUST_BE_HANDLED, v))
    }
    assert(!cpu[0].ready && !running)
}

#ifdef AT_ONCE
// At any time: a second notification doesn't come in on top of the first, or else there is no
// bound on the stack.
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
#endif
        urgent = URGENT;
        run interrupts(0);
        run loop(0);
        run other_interrupt();
        run at_rest();
#ifdef AT_ONCE
        run never_nested();
#endif
        run device(0, 2);
        run device(1, 1)
    }
}
