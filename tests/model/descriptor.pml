// SPDX-License-Identifier: BSD-2-Clause
// The posted-interrupt descriptor, as in kernel/irq/posted.h, and what a remapping unit does to it
// (VT-d 5.2.3, 9.11). One step of a model is one access to memory that others can see. The model
// that includes this defines how many CPUS there are, and VECTORS (1 or 2) on each.

#define HAS(set, v) (((set) >> (v)) & 1)
#define WITH(set, v) ((set) | (1 << (v)))
#define WITHOUT(set, v) ((set) & ~(1 << (v)))
#define ALL ((1 << VECTORS) - 1)

// All vectors in one word of the PIR, or each in a word of its own.
#ifndef WORDS
#define WORDS VECTORS
#endif
#define WORD(v) ((v) % WORDS)
#define IN_WORD(w) (WORDS == 1 -> ALL : 1 << (w))

typedef descriptor {
    byte pir[WORDS];
    bool on; // notification outstanding
    bool sn; // suppress notifications
};
descriptor pi[CPUS];
bool monitoring[CPUS]; // mwait: nobody has written to the descriptor since monitor

byte waiting;   // irqs whose device has something that no handler has seen yet
byte urgent;    // vectors with URG=1 in their IRTE
bool in_flight; // move.pml: a unit has taken the IRTE, and isn't done with memory

// ---- the unit ----

#define NOTIFIES(to, v) (!pi[to].on && (HAS(urgent, v) || !pi[to].sn))

// Inside a d_step: the first of the two things that a unit does for a post.
inline set_pir(to, v)
{
    pi[to].pir[WORD(v)] = WITH(pi[to].pir[WORD(v)], v);
    monitoring[to] = false
}

// The second; under_way is false from then on. The notification takes as long as it likes.
inline decide(to, v, under_way)
{
    if
    :: d_step { NOTIFIES(to, v) -> pi[to].on = true; under_way = false };
       cpu[to].notify = true
    :: d_step { !NOTIFIES(to, v) -> under_way = false }
    fi
}

// ---- its CPU ----

// pi_any(), and the first half of pi_harvest(): plain loads, one word after the other.
inline scan(me)
{
    found = found | pi[me].pir[0];
#if WORDS > 1
    found = found | pi[me].pir[1]
#endif
}

// Second half, inside a d_step: takes a word if it wasn't zero.
inline exchange(me, w)
{
    if
    :: found & IN_WORD(w) ->
#ifndef HARVEST_BY_STORE
       found = (found & ~IN_WORD(w)) | pi[me].pir[w];
#endif
       pi[me].pir[w] = 0
    :: else
    fi
}

// pi_fall_asleep(), but for its scan. SN and ON are in one word, which one exchange writes.
inline clear_sn(me)
{
#ifdef ON_IS_LEFT
    pi[me].sn = false
#else
    d_step { pi[me].sn = false; pi[me].on = false }
#endif
}

// pi_wake_up()
inline set_sn(me)
{
#ifdef ON_IS_LEFT
    pi[me].sn = true
#else
    d_step { pi[me].sn = true; pi[me].on = false }
#endif
}
