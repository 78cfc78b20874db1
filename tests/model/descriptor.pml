// SPDX-License-Identifier: BSD-2-Clause
// The posted-interrupt descriptor, as in kernel/posted.h, and what a remapping unit does to it
// (VT-d 5.2.3, 9.11). One step of a model is one access to memory that others can see.

#define HAS(set, v) (((set) >> (v)) & 1)
#define WITH(set, v) ((set) | (1 << (v)))
#define WITHOUT(set, v) ((set) & ~(1 << (v)))
#define ALL ((1 << VECTORS) - 1)

typedef descriptor {
    bool pir[VECTORS]; // each in a word of its own: so a harvest is as little atomic as can be
    bool on;           // notification outstanding
    bool sn;           // suppress notifications
};
descriptor pi[CPUS];
bool monitoring[CPUS]; // mwait: nobody has written to the descriptor since monitor

byte waiting; // vectors whose device has something that no handler has seen yet
byte urgent;  // vectors with URG=1 in their IRTE

#define NOTIFIES(to, v) (!pi[to].on && (HAS(urgent, v) || !pi[to].sn))

// PIR bit first, decision after: all that software may rely on. The notification is under way for
// as long as it likes.
inline post(to, v)
{
    d_step { pi[to].pir[v] = true; monitoring[to] = false };
    if
    :: d_step { NOTIFIES(to, v) -> pi[to].on = true };
       cpu[to].notify = true
    :: d_step { !NOTIFIES(to, v) -> skip }
    fi
}

// Plain loads, one word after the other.
inline scan(me, v, found)
{
    do
    :: d_step { v < VECTORS -> found = found | (pi[me].pir[v] << v); v++ }
    :: d_step { v == VECTORS -> v = 0 }; break
    od
}

// pi_harvest(): a scan, then an exchange of those words that weren't zero.
inline pi_harvest(me, v, found)
{
    scan(me, v, found);
    do
    :: d_step { v < VECTORS && !HAS(found, v) -> v++ }
#ifdef HARVEST_BY_STORE
    :: d_step { v < VECTORS && HAS(found, v) -> pi[me].pir[v] = false; v++ }
#else
    :: d_step {
           v < VECTORS && HAS(found, v) ->
           found = (pi[me].pir[v] -> found : WITHOUT(found, v));
           pi[me].pir[v] = false;
           v++
       }
#endif
    :: d_step { v == VECTORS -> v = 0 }; break
    od
}
