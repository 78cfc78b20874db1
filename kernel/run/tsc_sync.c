// SPDX-License-Identifier: BSD-2-Clause
// Timers and deadlines travel between CPUs, so their TSCs must agree. The boot CPU gives orders one
// by one; the other obeys and says so. A reading that was ordered lies between the order and the
// answer, so the offset is known within that time: the TSCs agree where none is among what is
// possible.

#include "kernel/run/tsc_sync.h"

#include <stdatomic.h>

#include "kernel/base/x86.h"
#include "kernel/x86/time.h"

#define READINGS 16
#define TRIES 4 // corrections: the first one leaves what is seen only without the rest
#define ANSWER_WAIT_NS NS_PER_S

enum order { ORDER_NONE, ORDER_READ, ORDER_ADJUST, ORDER_COME_IN, ORDER_STAY_OUT, ORDERS };

static struct {
    _Alignas(CACHE_LINE) _Atomic unsigned given; // number * ORDERS + order
    int64_t correction;
    _Alignas(CACHE_LINE) _Atomic unsigned done; // the last one that was obeyed
    _Atomic bool there;
    uint64_t theirs;
} sync;

// ---- the CPU that starts ----

bool tsc_sync_take_part(void)
{
    unsigned last = atomic_load_explicit(&sync.given, memory_order_acquire), given;
    atomic_store_explicit(&sync.there, true, memory_order_release);
    for (;; last = given) {
        while ((given = atomic_load_explicit(&sync.given, memory_order_acquire)) == last)
            cpu_relax();
        if (given % ORDERS == ORDER_READ)
            sync.theirs = rdtsc_ordered();
        else if (given % ORDERS == ORDER_ADJUST)
            wrmsr(MSR_TSC_ADJUST, rdmsr(MSR_TSC_ADJUST) + (uint64_t)sync.correction);
        atomic_store_explicit(&sync.done, given, memory_order_release);
        if (given % ORDERS == ORDER_COME_IN || given % ORDERS == ORDER_STAY_OUT)
            return given % ORDERS == ORDER_COME_IN;
    }
}

// ---- the boot CPU ----

void tsc_sync_begin(void)
{
    atomic_store_explicit(&sync.there, false, memory_order_release);
}

bool tsc_sync_wait(uint64_t timeout_ns)
{
    return poll_until(atomic_load_explicit(&sync.there, memory_order_acquire), timeout_ns);
}

static bool order(enum order what)
{
    unsigned number = atomic_load_explicit(&sync.given, memory_order_relaxed) / ORDERS + 1;
    unsigned given = number * ORDERS + what;
    atomic_store_explicit(&sync.given, given, memory_order_release);
    return poll_until(atomic_load_explicit(&sync.done, memory_order_acquire) == given,
                      ANSWER_WAIT_NS);
}

void tsc_sync_narrow(uint64_t before, uint64_t theirs, uint64_t after, int64_t *least,
                     int64_t *most)
{
    *least = MAX(*least, (int64_t)(theirs - after));
    *most = MIN(*most, (int64_t)(theirs - before));
}

// The middle of what is possible; 0 where that is among it.
static bool measure(int64_t *offset)
{
    int64_t least = INT64_MIN, most = INT64_MAX;
    for (unsigned i = 0; i < READINGS; i++) {
        uint64_t before = rdtsc_ordered();
        if (!order(ORDER_READ))
            return false;
        tsc_sync_narrow(before, sync.theirs, rdtsc_ordered(), &least, &most);
    }
    *offset = least <= 0 && most >= 0 ? 0 : least + (most - least) / 2;
    return true;
}

bool tsc_sync(bool has_tsc_adjust, struct tsc_sync *out)
{
    int64_t offset;
    *out = (struct tsc_sync){ 0 };
    if (!measure(&offset))
        return false;
    out->offset = offset;
    for (unsigned i = 0; offset && has_tsc_adjust && i < TRIES; i++) {
        sync.correction = -offset;
        out->adjusted = true;
        if (!order(ORDER_ADJUST) || !measure(&offset))
            return false;
    }
    out->agrees = !offset;
    return true;
}

void tsc_sync_decide(bool comes_in)
{
    (void)order(comes_in ? ORDER_COME_IN
                         : ORDER_STAY_OUT); // whether it is online is looked at next
}
