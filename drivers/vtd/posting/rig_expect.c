// SPDX-License-Identifier: BSD-2-Clause
// What a request led to: bits in the descriptor, and interrupts of CPUs.

#include "drivers/vtd/posting/rig.h"

#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/x86/apic.h"

#define ACCEPT_NS (20 * NS_PER_US) // from when the unit has sent a message to when the APIC has it

// ---- what was on its way has arrived ----

static struct barrier {
    struct cpu_msg msg;
    bool passed, lost; // once it got no answer, it may still be on its way
} barrier;

static void pass(struct cpu_msg *msg)
{
    __atomic_store_n(&barrier.passed, true, __ATOMIC_RELEASE);
}

// A CPU in its loop has taken all that its local APIC held.
static bool pass_barrier(unsigned cpu, struct verdict *v)
{
    if (cpu == cpu_index())
        return true;
    if (barrier.lost)
        return verdict_fail(v, "a CPU has not answered since an earlier test");
    barrier = (struct barrier){ .msg.fn = pass };
    cpu_post(cpu, &barrier.msg);
    barrier.lost = !poll_until(__atomic_load_n(&barrier.passed, __ATOMIC_ACQUIRE), RIG_ANSWER_NS);
    return !barrier.lost || verdict_fail(v, "CPU %u doesn't answer", cpu);
}

// An invalidation ends after the requests that came before it have arrived (VT-d 6.5.5).
static bool settle(struct rig *r, unsigned irq, struct verdict *v)
{
    struct problem p;
    spinlock_lock(&r->unit->lock);
    bool ok = vtd_invalidate_entries(r->unit, r->entry, 0, &p);
    spinlock_unlock(&r->unit->lock);
    if (!ok)
        return verdict_fail(v, "%s", p.message);
    time_delay_ns(ACCEPT_NS);
    return pass_barrier(r->irqs[irq]->cpu, v);
}

bool rig_calm(struct verdict *v)
{
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        if (!pass_barrier(cpu, v))
            return false;
    irq_poll();
    return true;
}

bool rig_expect(struct rig *r, unsigned irq, unsigned count, struct verdict *v)
{
    if (!poll_until(rig_arrived(r, irq) >= count, RIG_WAIT_NS))
        return verdict_fail(v, "CPU %u took vector 0x%x %lu times within %llu ms, and not %u times",
                            r->irqs[irq]->cpu, r->irqs[irq]->vector, rig_arrived(r, irq),
                            RIG_WAIT_NS / NS_PER_MS, count);
    if (!settle(r, irq, v))
        return false;
    for (unsigned i = 0; i < r->irqs_count; i++) {
        unsigned wanted = i == irq ? count : 0;
        if (rig_arrived(r, i) != wanted)
            return verdict_fail(v, "CPU %u took vector 0x%x %lu times and not %u times",
                                r->irqs[i]->cpu, r->irqs[i]->vector, rig_arrived(r, i), wanted);
    }
    return true;
}

// ---- the descriptor ----

static uint64_t pir_word(const struct rig *r, unsigned word)
{
    return atomic_load_explicit(&r->descriptor->pir[word], memory_order_acquire);
}

bool rig_expect_pir(struct rig *r, const uint64_t bits[PI_WORDS], struct verdict *v)
{
    for (unsigned w = 0; w < PI_WORDS; w++) {
        (void)poll_until((pir_word(r, w) & bits[w]) == bits[w], RIG_WAIT_NS);
        if (pir_word(r, w) != bits[w])
            return verdict_fail(v, "PIR bits %u to %u are 0x%016lx and not 0x%016lx", w * 64,
                                w * 64 + 63, pir_word(r, w), bits[w]);
    }
    return true;
}

bool rig_expect_posted(struct rig *r, uint8_t vector, struct verdict *v)
{
    uint64_t bits[PI_WORDS] = { 0 };
    (void)poll_until(pir_word(r, vector / 64) & BIT64(vector % 64), RIG_WAIT_NS);
    for (unsigned w = 0; w < PI_WORDS; w++)
        bits[w] = w == vector / 64u ? BIT64(vector % 64) : 0;
    return rig_expect_pir(r, bits, v);
}

bool rig_expect_on(struct rig *r, bool on, struct verdict *v)
{
    (void)poll_until(!!(rig_control(r) & PI_CONTROL_ON) == on, RIG_WAIT_NS);
    return !!(rig_control(r) & PI_CONTROL_ON) == on ||
           verdict_fail(v, "ON is %u (control word 0x%016lx)", !on, rig_control(r));
}
