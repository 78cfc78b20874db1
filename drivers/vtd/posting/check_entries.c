// SPDX-License-Identifier: BSD-2-Clause
// How a request finds its entry, and from when a changed one holds (VT-d 5.1.2, 6.5.2.8, 6.7).

#include "drivers/vtd/posting/check.h"
#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"

#define FIRST 0x50
#define SECOND 0x51

// Posts that notify nobody: what they set is all that is asked.
static void quiet(struct rig *r)
{
    rig_descriptor(r, r->target, PI_CONTROL_SN);
}

static struct irte posted(const struct rig *r, uint8_t vector)
{
    return irte_posted(mem_phys(r->descriptor), vector, false, r->from);
}

static bool posts(struct rig *r, uint8_t vector, struct verdict *v)
{
    quiet(r);
    return rig_send(r, v) && rig_expect_posted(r, vector, v);
}

// ---- which entry ----

// The handle before ours, with a subhandle of 1 in the data (VT-d 5.1.2.2).
static bool check_subhandle(struct rig *r, struct verdict *v)
{
    if (!r->has_neighbour)
        return verdict_skip(v, "no two entries in a row are free");
    struct msi_msg msg = irte_message(r->entry);
    msg.address |= MSI_REMAP_SHV;
    msg.data = 1;
    bool ok = rig_write(r, r->entry, posted(r, FIRST), v) &&
              rig_write(r, r->neighbour, posted(r, SECOND), v);
    rig_message(r, msg);
    ok = ok && posts(r, SECOND, v);
    rig_message(r, irte_message(r->entry));
    return ok;
}

static bool check_no_subhandle(struct rig *r, struct verdict *v)
{
    struct msi_msg msg = irte_message(r->entry);
    msg.data = 0x80000001;
    bool ok = rig_write(r, r->entry, posted(r, FIRST), v);
    rig_message(r, msg);
    ok = ok && posts(r, FIRST, v);
    rig_message(r, irte_message(r->entry));
    return ok;
}

static bool accepted(struct rig *r, struct irte_source source, struct verdict *v)
{
    struct irte e = irte_posted(mem_phys(r->descriptor), FIRST, false, source);
    return rig_write(r, r->entry, e, v) && posts(r, FIRST, v);
}

// By bus, by device with any function, and by anybody (VT-d 9.10: SVT, SQ).
static bool check_sources(struct rig *r, struct verdict *v)
{
    uint16_t id = pci_visible(r->generator->dev)->requester;
    struct irte_source device = { .sid = id ^ 1, .sq = 3, .svt = IRTE_SVT_SID };
    uint8_t bus = PCI_BUS(id);
    return accepted(r, irte_source_buses(bus, bus), v) && accepted(r, device, v) &&
           accepted(r, (struct irte_source){ .svt = IRTE_SVT_NONE }, v);
}

// ---- changes ----

static bool check_changed(struct rig *r, struct verdict *v)
{
    return rig_write(r, r->entry, posted(r, FIRST), v) && posts(r, FIRST, v) &&
           rig_write(r, r->entry, posted(r, SECOND), v) && posts(r, SECOND, v);
}

static bool check_kind_changed(struct rig *r, struct verdict *v)
{
    unsigned to = r->target;
    struct irte remapped = irte_remapped(cpu_apic_id(to), r->irqs[to]->vector, r->from);
    if (!rig_write(r, r->entry, posted(r, FIRST), v) || !posts(r, FIRST, v))
        return false;
    quiet(r);
    return rig_write(r, r->entry, remapped, v) && rig_send(r, v) && rig_expect(r, to, 1, v) &&
           rig_expect_pir(r, (uint64_t[PI_WORDS]){ 0 }, v) &&
           rig_write(r, r->entry, posted(r, SECOND), v) && posts(r, SECOND, v);
}

// Past vtd_table_write(), which invalidates. One store: VV is in the lower half, and the upper ones are
// the same.
static void change_in_memory(const struct rig *r, uint16_t index, struct irte e)
{
    struct irte *at = &r->unit->table.entries[index];
    __atomic_store_n(&at->low, e.low, __ATOMIC_SEQ_CST);
    vtd_flush(r->unit, at, sizeof(*at));
}

static bool invalidate(struct rig *r, unsigned mask, struct verdict *v)
{
    struct problem p;
    spinlock_lock(&r->unit->lock);
    bool ok = vtd_invalidate_entries(r->unit, r->entry, mask, &p);
    spinlock_unlock(&r->unit->lock);
    return ok || verdict_fail(v, "%s", p.message);
}

static bool bit_is_set(const struct rig *r, uint8_t vector)
{
    return atomic_load(&r->descriptor->pir[vector / 64]) & BIT64(vector % 64);
}

// Hardware may go on with either: that is told, and fails nobody.
static bool check_stale(struct rig *r, struct verdict *v)
{
    if (!rig_write(r, r->entry, posted(r, FIRST), v) || !posts(r, FIRST, v))
        return false;
    quiet(r);
    change_in_memory(r, r->entry, posted(r, SECOND));
    if (!rig_send(r, v))
        return false;
    (void)poll_until(bit_is_set(r, FIRST) || bit_is_set(r, SECOND), RIG_WAIT_NS);
    bool old = bit_is_set(r, FIRST);
    if (!old && !bit_is_set(r, SECOND))
        return verdict_fail(v, "neither the old entry nor the new one was used");
    return invalidate(r, 0, v) && posts(r, SECOND, v) &&
           verdict_note(v, "until it was invalidated, the unit used the %s entry",
                        old ? "old" : "new");
}

// One invalidation for two entries.
static bool check_mask(struct rig *r, struct verdict *v)
{
    if (!field_get(VTD_ECAP_MHMV, r->unit->ecap))
        return verdict_skip(
            v, "the unit invalidates entries one by one (ECAP.MHMV, bits 23:20, is 0)");
    if (!r->has_neighbour)
        return verdict_skip(v, "no two entries in a row are free");
    bool ok = rig_write(r, r->neighbour, posted(r, FIRST), v);
    rig_message(r, irte_message(r->neighbour));
    ok = ok && posts(r, FIRST, v);
    change_in_memory(r, r->neighbour, posted(r, SECOND));
    ok = ok && invalidate(r, 1, v) && posts(r, SECOND, v);
    rig_message(r, irte_message(r->entry));
    return ok && rig_write(r, r->neighbour, posted(r, FIRST), v);
}

// ---- another table ----

static bool switched(struct rig *r, bool global, struct verdict *v)
{
    struct verdict back = { 0 };
    if (!rig_write(r, r->entry, posted(r, FIRST), v) || !posts(r, FIRST, v) ||
        !rig_fill_other(r, v))
        return false;
    r->other_table[r->entry] = posted(r, SECOND);
    vtd_flush(r->unit, &r->other_table[r->entry], sizeof(struct irte));
    bool ok = rig_switch(r, rig_other_irta(r), global, v) && posts(r, SECOND, v);
    if (!rig_switch(r, rig_irta(r), true, &back))
        return verdict_fail(v, "%s", back.text);
    return ok && posts(r, FIRST, v);
}

static bool check_table(struct rig *r, struct verdict *v)
{
    return switched(r, true, v);
}

static bool check_table_alone(struct rig *r, struct verdict *v)
{
    if (!(r->unit->cap & VTD_CAP_ESIRTPS))
        return verdict_skip(v, "the unit needs to be told (CAP.ESIRTPS, bit 62, is 0)");
    return switched(r, false, v);
}

const struct posting_check checks_entries[] = {
    { "subhandle", "5.1.2.2", true, check_subhandle },
    { "data-ignored", "5.1.2.2", true, check_no_subhandle },
    { "sources", "9.10", true, check_sources },
    { "entry-changed", "6.5.2.8", true, check_changed },
    { "entry-kind-changed", "6.5.2.8", true, check_kind_changed },
    { "entry-stale", "6.5.2.8", true, check_stale },
    { "entry-mask", "6.5.2.8", true, check_mask },
    { "table-changed", "6.7", true, check_table },
    { "table-changed-alone", "6.7", true, check_table_alone },
    { 0 },
};
