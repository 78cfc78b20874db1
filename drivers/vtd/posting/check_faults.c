// SPDX-License-Identifier: BSD-2-Clause
// Requests that a unit must block, each recorded with its reason, source and index, and cleared (VT-d
// 5.1.4.1, 7.2, 11.4.7).

#include "drivers/vtd/posting/check_fault.h"
#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"

#define VECTOR 0x60

static struct irte posted(const struct rig *r)
{
    return irte_posted(mem_phys(r->descriptor), VECTOR, false, r->from);
}

// An absent entry.
static bool aim_nowhere(struct rig *r, struct verdict *v)
{
    return rig_write(r, r->entry, (struct irte){ 0 }, v);
}

static bool blocks(struct rig *r, struct irte e, unsigned reason, struct verdict *v)
{
    fault_prepare(r);
    return rig_write(r, r->entry, e, v) && rig_send(r, v) && fault_expect(r, reason, r->entry, v);
}

// The same with another message than the one for our entry.
static bool blocks_message(struct rig *r, struct msi_msg msg, unsigned reason, uint16_t index,
                           struct verdict *v)
{
    fault_prepare(r);
    rig_message(r, msg);
    bool ok = rig_send(r, v) && fault_expect(r, reason, index, v);
    rig_message(r, irte_message(r->entry));
    return ok;
}

static bool check_request_reserved(struct rig *r, struct verdict *v)
{
    struct msi_msg msg = irte_message(r->entry);
    msg.address |= MSI_REMAP_SHV;
    msg.data = 0x10000;
    return rig_write(r, r->entry, posted(r), v) && blocks_message(r, msg, 0x20, r->entry, v);
}

// In a table of fewer entries than a message can name.
static bool check_index(struct rig *r, struct verdict *v)
{
    struct verdict back = { 0 };
    uint16_t index = (uint16_t)r->other_count;
    if (!rig_fill_other(r, v))
        return false;
    bool ok = rig_switch(r, rig_other_irta(r), true, v) &&
              blocks_message(r, irte_message(index), 0x21, index, v);
    return rig_switch(r, rig_irta(r), true, &back) ? ok : verdict_fail(v, "%s", back.text);
}

static bool check_absent(struct rig *r, struct verdict *v)
{
    return blocks(r, (struct irte){ 0 }, 0x22, v);
}

static bool check_remapped_reserved(struct rig *r, struct verdict *v)
{
    struct irte e = irte_remapped(cpu_apic_id(r->target), r->irqs[r->target]->vector, r->from);
    e.low |= BIT64(12); // VT-d 9.9
    return blocks(r, e, 0x24, v);
}

static bool check_posted_reserved(struct rig *r, struct verdict *v)
{
    struct irte e = posted(r);
    e.low |= BIT64(12); // VT-d 9.10
    return blocks(r, e, 0x24, v);
}

// To a CPU and a vector that would take it: SDM vol. 3, 11.11.
static bool check_compatibility(struct rig *r, struct verdict *v)
{
    unsigned to = cpu_apic_id(r->target) < 255 ? r->target : 0;
    struct msi_msg msg = {
        .address = MSI_ADDRESS_BASE | field_put(BITS64(19, 12), cpu_apic_id(to)),
        .data = r->irqs[to]->vector,
    };
    return blocks_message(r, msg, 0x25, 0, v);
}

static struct irte_source somebody_else(const struct rig *r)
{
    return irte_source_exact(pci_visible(r->generator->dev)->requester ^ 0x00f8);
}

static bool check_source(struct rig *r, struct verdict *v)
{
    return blocks(r, irte_posted(mem_phys(r->descriptor), VECTOR, false, somebody_else(r)), 0x26,
                  v);
}

static bool check_remapped_source(struct rig *r, struct verdict *v)
{
    unsigned to = r->target;
    return blocks(r, irte_remapped(cpu_apic_id(to), r->irqs[to]->vector, somebody_else(r)), 0x26,
                  v);
}

static bool check_descriptor_reserved(struct rig *r, struct verdict *v)
{
    fault_prepare(r);
    rig_set_control(r, 0, BIT64(2)); // VT-d 9.11
    bool ok = rig_write(r, r->entry, posted(r), v) && rig_send(r, v) &&
              fault_expect(r, 0x28, r->entry, v);
    rig_set_control(r, BIT64(2), 0);
    return ok;
}

// ---- how faults are told ----

// What FPD=1 keeps quiet would be recorded ahead of what is recorded.
static bool check_disabled(struct rig *r, struct verdict *v)
{
    struct irte e = irte_posted(mem_phys(r->descriptor), VECTOR, false, somebody_else(r));
    e.low |= IRTE_LOW_FPD;
    fault_prepare(r);
    return rig_write(r, r->entry, e, v) && rig_send(r, v) && aim_nowhere(r, v) && rig_send(r, v) &&
           fault_expect(r, 0x22, r->entry, v);
}

static bool events(const struct rig *r, uint64_t before, unsigned wanted, struct verdict *v)
{
    (void)poll_until(cpu_stats(cpu_index())->faults - before >= wanted, RIG_WAIT_NS);
    uint64_t came = cpu_stats(cpu_index())->faults - before;
    return came == wanted || verdict_fail(v, "%lu fault events came, and not %u", came, wanted);
}

// One for the first fault, none while it is pending, one again once it was cleared (VT-d 7.3).
static bool check_event(struct rig *r, struct verdict *v)
{
    uint64_t before = cpu_stats(cpu_index())->faults;
    fault_prepare(r);
    if (!aim_nowhere(r, v) || !rig_send(r, v) || !fault_wait(r, v) || !events(r, before, 1, v))
        return false;
    if (!rig_send(r, v) || !rig_expect(r, r->target, 0, v) || !events(r, before, 1, v))
        return false;
    vtd_faults_clear(r->unit);
    return rig_send(r, v) && fault_wait(r, v) && events(r, before, 2, v);
}

const struct posting_check checks_faults[] = {
    { "fault-20-request", "5.1.4.1", false, check_request_reserved },
    { "fault-21-index", "5.1.4.1", false, check_index },
    { "fault-22-absent", "5.1.4.1", false, check_absent },
    { "fault-23-table", "5.1.4.1", false, check_unreachable_table },
    { "fault-24-remapped", "5.1.4.1", false, check_remapped_reserved },
    { "fault-24-posted", "5.1.4.1", true, check_posted_reserved },
    { "fault-25-compatibility", "5.1.4", false, check_compatibility },
    { "fault-26-source", "5.1.4.1", true, check_source },
    { "fault-26-remapped", "5.1.4.1", false, check_remapped_source },
    { "fault-27-descriptor", "5.1.4.1", true, check_unreachable_descriptor },
    { "fault-28-descriptor", "5.1.4.1", true, check_descriptor_reserved },
    { "fault-disabled", "9.10", true, check_disabled },
    { "fault-event", "7.3", false, check_event },
    { "fault-overflow", "7.2.1", false, check_overflow },
    { "fence", "7.1.3", false, check_fence },
    { "fence-beyond", "7.1.3", false, check_fence_beyond },
    { 0 },
};
