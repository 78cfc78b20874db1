// SPDX-License-Identifier: BSD-2-Clause
// More faults than the unit has records for (VT-d 7.2.1). A unit may take several faults of one source for
// one: so all devices that can send take turns.

#include "drivers/vtd/posting/check_fault.h"

static void silence(const struct irq_generator *g)
{
    msix_mask(g->dev, g->index, true);
}

static void let_all_send(const struct rig *r)
{
    struct msi_msg msg = irte_message(r->entry);
    for (struct irq_generator *g = rig_next(r, NULL); g; g = rig_next(r, g)) {
        msix_write(g->dev, g->index, &msg);
        msix_mask(g->dev, g->index, false);
    }
}

static void silence_others(const struct rig *r)
{
    for (struct irq_generator *g = rig_next(r, NULL); g; g = rig_next(r, g))
        if (g != r->generator)
            silence(g);
}

// One fault more than there are records, and one that finds the overflow.
static bool send_all(struct rig *r, struct verdict *v)
{
    struct irq_generator *g = NULL;
    struct problem p;
    for (size_t i = 0; i < vtd_fault_records(r->unit) + 2; i++) {
        g = rig_next(r, g);
        if (!g)
            g = rig_next(r, NULL);
        if (!g->send(g, &p))
            return verdict_fail(v, "%s", p.message);
    }
    return true;
}

static bool overflowed(const struct rig *r)
{
    return vtd_read32(r->unit, VTD_FSTS) & VTD_FSTS_PFO;
}

static bool records_are_kept(struct rig *r, struct verdict *v)
{
    struct vtd_fault f;
    if (fault_count(r) != vtd_fault_records(r->unit))
        return verdict_fail(v, "FSTS.PFO is set, and of %lu records %lu are in use",
                            vtd_fault_records(r->unit), fault_count(r));
    if (!fault_first(r, &f))
        return verdict_fail(v, "FSTS.PFO is set, and no first fault is named (PPF, FRI)");
    return f.reason == 0x22 || verdict_fail(v, "reason %02xh was recorded, and not 22h", f.reason);
}

// From then on faults are recorded again.
static bool goes_on(struct rig *r, struct verdict *v)
{
    vtd_faults_clear(r->unit);
    if (overflowed(r))
        return verdict_fail(v, "FSTS.PFO can't be cleared");
    return rig_send(r, v) && fault_expect(r, 0x22, r->entry, v);
}

// Devices behind a bridge to PCI have one id.
static size_t count_sources(const struct rig *r)
{
    size_t count = 0;
    for (struct irq_generator *g = rig_next(r, NULL); g; g = rig_next(r, g)) {
        bool is_new = true;
        for (struct irq_generator *h = rig_next(r, NULL); h != g; h = rig_next(r, h))
            is_new &= pci_visible(h->dev)->requester != pci_visible(g->dev)->requester;
        count += is_new;
    }
    return count;
}

// Even a unit that takes the faults of each source for one has more than it has records for; or it is
// seen not to take them so.
static bool must_overflow(const struct rig *r)
{
    size_t sources = count_sources(r), records = vtd_fault_records(r->unit);
    return sources > records || (records > sources && fault_count(r) == records);
}

static bool overflow(struct rig *r, struct verdict *v)
{
    if (!send_all(r, v) || !fault_wait(r, v))
        return false;
    if (poll_until(overflowed(r), RIG_WAIT_NS / 10))
        return records_are_kept(r, v) && goes_on(r, v);
    if (!must_overflow(r))
        return verdict_skip(v,
                            "the unit takes faults of one source for one: %lu devices with ids of "
                            "their own can't fill its %lu records",
                            count_sources(r), vtd_fault_records(r->unit));
    return verdict_fail(v, "FSTS.PFO isn't set after %lu faults, for which there are %lu records",
                        vtd_fault_records(r->unit) + 2, vtd_fault_records(r->unit));
}

bool check_overflow(struct rig *r, struct verdict *v)
{
    fault_prepare(r);
    if (!rig_write(r, r->entry, (struct irte){ 0 }, v))
        return false;
    let_all_send(r);
    bool ok = overflow(r, v);
    silence_others(r);
    return ok;
}
