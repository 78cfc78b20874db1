// SPDX-License-Identifier: BSD-2-Clause
// What was borrowed is given back, and works.

#include "drivers/vtd/posting/check.h"
#include "kernel/base/cpus.h"

static struct irq *runtimes_own(const struct rig *r)
{
    for (struct irq *irq = irq_first(); irq; irq = irq->next)
        if (irq->dev == r->generator->dev && irq->index == r->generator->index && irq->enabled)
            return irq;
    return NULL;
}

static uint64_t taken(const struct irq *irq)
{
    return __atomic_load_n(&irq->counts[irq->cpu], __ATOMIC_ACQUIRE);
}

static bool arrived(const struct irq *irq, uint64_t before)
{
    if (irq->cpu == cpu_index())
        irq_poll();
    return taken(irq) > before;
}

static bool check_restored(struct rig *r, struct verdict *v)
{
    const struct vtd_unit *u = r->unit;
    struct problem p;
    rig_down(r);
    vtd_faults_clear(u);
    if (vtd_read64(u, VTD_IRTA) != rig_irta(r))
        return verdict_fail(v, "IRTA is 0x%016lx and was 0x%016lx", vtd_read64(u, VTD_IRTA),
                            rig_irta(r));
    const struct irq *irq = runtimes_own(r);
    if (!irq)
        return verdict_skip(v, "no irq of the runtime's uses that entry of the device's");
    uint64_t before = taken(irq);
    if (!r->generator->send(r->generator, &p))
        return verdict_fail(v, "%s", p.message);
    return poll_until(arrived(irq, before), RIG_WAIT_NS) ||
           verdict_fail(v, "%s doesn't arrive any more", irq->name);
}

const struct posting_check checks_end[] = {
    { "restored", "5.1.5", false, check_restored },
    { 0 },
};
