// SPDX-License-Identifier: BSD-2-Clause
// One irq on two CPUs, as in kernel/irq/irq_move.c and kernel/run/hotplug.c: it moves from one to the other,
// it changes between posted and remapped, and with OFFLINE CPU 1 leaves and may come back. Several
// changes may overlap. With QUEUE, what the handler touches belongs to one CPU as in
// drivers/nvme/move.c: elsewhere the handler passes it over, and the new owner looks once.

#ifndef CHANGES
#define CHANGES 2
#endif
#ifndef POSTS
#define POSTS 2
#endif
#ifndef START_CPU
#define START_CPU 0 // which has the irq
#endif
#define VECTORS 2 // on each CPU
#define WORDS 1
#define CPUS 2
#define LOOPS 1
#define MOVES
#define IRQ 0

#include "descriptor.pml"

// Where the irq is: irq->cpu and irq->vector. An IRTE also tells how it is delivered: irq->chip.
#define PLACE(to, v) ((to) << 1 | (v))
#define CPU_OF(place) ((place) >> 1)
#define VECTOR_OF(place) ((place) & 1)
#define ENTRY(place, posted) ((place) << 1 | (posted))
#define PLACE_OF(entry) ((entry) >> 1)
#define POSTED(entry) ((entry) & 1)
#define START PLACE(START_CPU, 0)
byte place = START;
bool posted = true;
byte entry = ENTRY(START, 1);  // in memory
byte cached = ENTRY(START, 1); // in the unit

byte changes = CHANGES; // that are still to come
bool online[CPUS];
bool away;    // CPU 1 is away, or on its way
bool raising; // the message RAISE is under way

#ifdef QUEUE
byte owner = CPU_OF(START); // of the queue
bool adopting;              // the message ADOPT is under way
#endif

// ---- messages ----

#define RAISE 1
#define ADOPT 2
#define ROUND 4

inline post_always(receiver, message)
{
    cpu[receiver].inbox = cpu[receiver].inbox | message;
    if
    :: d_step { cpu[receiver].sleeping -> cpu[receiver].ipi = true; to = 0 }
    :: d_step { !cpu[receiver].sleeping -> to = 0 }
    fi
}

// cpu_post()
inline post_message(receiver, message)
{
    to = (online[receiver] -> receiver : 0);
    post_always(to, message)
}

inline receive(me, message)
{
    d_step { cpu[me].inbox & message -> cpu[me].inbox = cpu[me].inbox & ~message }
}

// ---- the handler ----

inline run_handler(me, v)
{
#ifdef QUEUE
    if
    :: owner == me -> handle(IRQ)
    :: owner != me
    fi
#else
    handle(IRQ)
#endif
}
#define RUN_HANDLER(me, v) run_handler(me, v)

// ---- a move, on the CPU that has the irq ----

// First the vector table, then the route: an MSI that comes at once finds its irq.
inline take_vector(receiver)
{
    cpu[receiver].owned = WITH(cpu[receiver].owned, VECTOR_OF(new))
}

// The interrupt-entry cache, and the wait for what was under way.
inline invalidate()
{
    cached = entry;
#ifndef NO_INVALIDATION_WAIT
    !in_flight
#endif
}

// IRR first, with interrupts on: what is in there becomes ready. Then the PIR.
inline drain(me)
{
#ifndef DRAIN_WITHOUT_IRR
    !HAS(cpu[me].irr, VECTOR_OF(old));
#endif
    cpu[me].interrupts_on = false;
#ifndef DRAIN_WITHOUT_PIR
    harvest(me);
#endif
    d_step {
        pending = HAS(cpu[me].ready, VECTOR_OF(old));
        cpu[me].ready = WITHOUT(cpu[me].ready, VECTOR_OF(old));
        cpu[me].interrupts_on = true;
        any = false
    }
}

inline hand_queue_over(receiver)
{
#ifdef QUEUE
    if
    :: d_step { adopting -> owner = receiver }
    :: d_step { !adopting -> adopting = true; owner = receiver };
#ifndef NO_REAP_ON_ADOPTION
       post_message(receiver, ADOPT)
#else
       adopting = false
#endif
    fi
#else
    skip
#endif
}

inline raise_there(receiver)
{
    if
    :: d_step { pending && !raising -> raising = true };
       post_message(receiver, RAISE)
    :: !pending || raising
    fi
}

// Until it is over nobody else takes the irq for his own: the place changes last.
inline move(me, receiver)
{
    d_step { old = place; new = PLACE(receiver, HAS(cpu[receiver].owned, 0)) };
#ifndef ROUTE_BEFORE_TABLE
    take_vector(receiver);
#endif
#ifdef PLACE_BEFORE_ROUTE
    place = new;
    entry = ENTRY(place, posted);
#else
    entry = ENTRY(new, posted);
#endif
#ifdef ROUTE_BEFORE_TABLE
    take_vector(receiver);
#endif
    invalidate();
#ifndef NO_DRAIN_ON_MOVE
    drain(me);
#endif
    d_step {
        cpu[me].owned = WITHOUT(cpu[me].owned, VECTOR_OF(old));
        cpu[me].ready = WITHOUT(cpu[me].ready, VECTOR_OF(old))
    };
    hand_queue_over(receiver);
#ifndef PLACE_BEFORE_ROUTE
    place = new;
#endif
    raise_there(receiver);
    d_step { old = 0; new = 0; pending = false }
}

// ---- what messages do ----

// irq_raise(): as a unit would post it, or an IPI of the irq's own vector.
inline raise_here(me)
{
    if
    :: CPU_OF(place) != me -> post_message(CPU_OF(place), RAISE)
    :: d_step { CPU_OF(place) == me -> raising = false };
       if
       :: d_step { posted -> set_pir(me, VECTOR_OF(place)) };
          decide(me, VECTOR_OF(place), pending)
       :: d_step { !posted -> cpu[me].irr = WITH(cpu[me].irr, VECTOR_OF(place)) }
       fi
    fi
}

#ifdef QUEUE
inline adopt(me)
{
    if
    :: owner != me -> post_message(owner, ADOPT)
    :: d_step { owner == me -> adopting = false };
       handle(IRQ)
    fi
}
#endif

// ---- CPU 1 leaves ----

// Then one message goes to CPU 0 and back: by then CPU 0 has sent what it was about to send.
inline leave(me)
{
    if
    :: CPU_OF(place) == me -> move(me, 0)
    :: CPU_OF(place) != me
    fi;
    post_always(0, ROUND)
}

// INIT, if it comes, empties the local APIC: an ON that was left would stay for ever.
inline halt_for_good(me)
{
    cpu[me].interrupts_on = false;
    assert(!pi[me].pir[0] && !cpu[me].ready && !cpu[me].inbox);
    if
    :: true ->
end_parked:
       false
    :: true
    fi;
    d_step {
        cpu[me].notify = false;
        cpu[me].ipi = false;
        cpu[me].irr = 0;
        cpu[me].interrupts_on = true
    };
#ifndef ONLINE_WITH_OLD_ON
    pi[me].on = false;
#endif
    d_step { online[me] = true; away = false }
}

// ---- the loop ----

#define MAY_CHANGE(me) (changes > 0 && CPU_OF(place) == me)

inline messages_and_changes(me)
{
    if
    :: receive(me, RAISE); raise_here(me)
#ifdef QUEUE
    :: receive(me, ADOPT); adopt(me)
#endif
    :: d_step { MAY_CHANGE(me) && online[1 - me] -> changes-- };
       move(me, 1 - me)
#ifndef OFFLINE
    :: d_step { MAY_CHANGE(me) -> changes--; posted = !posted };
       entry = ENTRY(place, posted);
       invalidate()
#else
    :: d_step { me == 1 && changes > 0 && !away -> changes--; away = true; online[me] = false };
       leave(me)
    :: receive(me, ROUND);
       if
       :: me == 0 -> post_always(1, ROUND)
       :: me == 1 && CPU_OF(place) == me -> leave(me)
       :: me == 1 && CPU_OF(place) != me -> cpu[me].leaving = true
       fi
    :: d_step { cpu[me].leaving && !cpu[me].inbox -> cpu[me].leaving = false };
       halt_for_good(me)
#endif
    fi
}
#define OTHER_WORK(me) messages_and_changes(me)

#include "cpu.pml"

// ---- the world ----

inline begin(entry_in_use)
{
    posts--;
    waiting = 1;
    in_flight = true;
    irte = entry_in_use
}

inline send()
{
    if
    :: d_step { POSTED(irte) -> set_pir(CPU_OF(PLACE_OF(irte)), VECTOR_OF(PLACE_OF(irte))) };
       decide(CPU_OF(PLACE_OF(irte)), VECTOR_OF(PLACE_OF(irte)), in_flight)
    :: d_step {
           !POSTED(irte) ->
           cpu[CPU_OF(PLACE_OF(irte))].irr =
               WITH(cpu[CPU_OF(PLACE_OF(irte))].irr, VECTOR_OF(PLACE_OF(irte)));
           in_flight = false
       }
    fi;
    irte = 0
}

// A unit uses the entry that it has cached, or the one that it finds in memory.
proctype device(byte posts)
{
    byte irte;
    do
    :: if
       :: d_step { posts > 0 -> begin(cached) }
       :: d_step { posts > 0 && cached != entry -> begin(entry) }
       :: posts == 0 -> break
       fi;
       send()
    od
}

// No process can go on: the device has finished, no interrupt is pending, CPUs sleep or are parked.
proctype at_rest()
{
    timeout ->
    assert(!waiting);
    assert(!pi[0].pir[0] && !pi[1].pir[0] && !cpu[0].ready && !cpu[1].ready && !running);
    assert(!cpu[0].inbox && !cpu[1].inbox && !raising);
    assert(entry == ENTRY(place, posted) && cached == entry);
    assert(cpu[CPU_OF(place)].owned == 1 << VECTOR_OF(place) && !cpu[1 - CPU_OF(place)].owned);
#ifdef QUEUE
    assert(owner == CPU_OF(place) && !adopting)
#endif
}

init
{
    atomic {
        cpu[0].interrupts_on = true;
        cpu[1].interrupts_on = true;
        cpu[CPU_OF(place)].owned = 1;
        online[0] = true;
        online[1] = true;
#ifdef ADAPTIVE
        pi[0].sn = true;
        pi[1].sn = true;
#endif
        run notification(0);
        run notification(1);
        run other_interrupts(0);
        run other_interrupts(1);
        run loop(0);
        run loop(1);
        run at_rest();
        run device(POSTS)
    }
}
