// SPDX-License-Identifier: BSD-2-Clause
// The interrupt window: requests whose entry is a posted one are handled here, all others go to
// QEMU's own unit as they came (VT-d 5.1.4, 5.2.3). With strict=on, requests whose entry is a
// remapped one are handled here as well, since QEMU's unit has no cache.
#include "tools/qemu/descriptor.h"
#include "tools/qemu/entry_cache.h"
#include "tools/qemu/faults.h"
#include "tools/qemu/irte.h"
#include "tools/qemu/model.h"
#include "tools/qemu/plant.h"
#include "tools/qemu/stats.h"
#include "tools/qemu/strict.h"

static bool x2apic_mode(void)
{
    return model.irta & IRTA_EIME;
}

// Fixed, edge, physical, no redirection hint: all zero bits of the message.
static void notify(const struct post *p)
{
    uint64_t upper = p->apic_id & ~0xffull, lower = p->apic_id & 0xff;
    apic_send(upper << 32 | INTERRUPT_WINDOW | lower << 12, p->vector);
}

static enum fault_reason post_to_descriptor(struct irte e)
{
    uint64_t address = irte_descriptor_address(e);
    struct descriptor *d = ram_map(address, sizeof(*d));
    if (!d) {
        strict_breach(RULE_PD_MEMORY, "the descriptor at %#llx is not RAM",
                      (unsigned long long)address);
        return FAULT_DESCRIPTOR_ACCESS;
    }
    struct post p = plant_post(d, address, e, x2apic_mode());
    ram_unmap(d, sizeof(*d));
    model.descriptor = address;
    if (p.outcome == POST_REFUSED) {
        strict_breach(RULE_PD_RESERVED, "the descriptor at %#llx has reserved bits set",
                      (unsigned long long)address);
        return FAULT_DESCRIPTOR_RESERVED;
    }
    stats_count_post(&p);
    if (p.outcome == POST_NOTIFIED)
        notify(&p);
    return FAULT_NONE;
}

static enum fault_reason send_remapped(struct irte e)
{
    struct msi_message message = irte_remapped_message(e, x2apic_mode());
    plant_in_message(&message);
    apic_send(message.address, message.data);
    return FAULT_NONE;
}

static enum fault_reason serve(struct irte e, struct qemu_attrs attrs)
{
    uint16_t source = (uint16_t)field_get(QEMU_ATTRS_REQUESTER_ID, attrs.fields);
    bool posted = e.low & IRTE_IM;
    enum fault_reason fault =
        posted ? irte_posted_fault(e, !attrs.unspecified, source)
               : irte_remapped_fault(e, !attrs.unspecified, source, x2apic_mode());
    fault = plant_in_entry(e, fault);
    if (fault)
        return fault;
    return posted ? post_to_descriptor(e) : send_remapped(e);
}

static qemu_result pass(uint64_t offset, uint32_t data, struct qemu_attrs attrs)
{
    struct fault_event before = fault_event_before();
    qemu_result result = stock_request(offset, data, attrs);
    fault_event_after(before);
    return result;
}

// At the first use of a present entry.
static void check_entry(uint16_t index, struct irte e)
{
    bool posted = e.low & IRTE_IM;
    if (posted && (e.low & IRTE_PDA_UNALIGNED))
        strict_breach(RULE_PD_ALIGN,
                      "entry %u: bits 37:32, where address bits 5:0 would be, are "
                      "not zero (%016llx)",
                      index, (unsigned long long)e.low);
    else if (posted ? !irte_reserved_clear(e) : !irte_remapped_reserved_clear(e, x2apic_mode()))
        strict_breach(RULE_IRTE_RESERVED, "entry %u (%s): %016llx %016llx", index,
                      posted ? "posted" : "remapped", (unsigned long long)e.high,
                      (unsigned long long)e.low);
}

// The entry that serves the request: the cached one, or memory's, which is cached from now on.
static bool entry_get(uint16_t index, struct irte *e)
{
    struct irte memory;
    if (!entry_read(index, &memory))
        return false;
    if (entry_cache_find(index, memory, e))
        return true;
    *e = memory;
    if (memory.low & IRTE_P) {
        check_entry(index, memory);
        entry_cache_add(index, memory);
    }
    return true;
}

// Devices sign their interrupts, but not their data.
static void breach_absent(uint16_t index, struct qemu_attrs attrs)
{
    if (model.attacked)
        return;
    if (attrs.unspecified)
        strict_breach(RULE_WINDOW_DATA, "data for entry %u, which is not present", index);
    else
        strict_breach(RULE_IRTE_ABSENT, "entry %u is not present", index);
}

static bool is_ours(struct msi_request request, struct qemu_attrs attrs, struct irte *e)
{
    if (!request.remappable || !entry_get(request.index, e))
        return false;
    if (!(e->low & IRTE_P)) {
        fault_count(FAULT_NOT_PRESENT, e->low & IRTE_FPD);
        breach_absent(request.index, attrs);
        return false;
    }
    return (e->low & IRTE_IM) || strict_on();
}

static qemu_result let_through(uint64_t offset, uint32_t data)
{
    apic_send(INTERRUPT_WINDOW + offset, data);
    return QEMU_OK;
}

static qemu_result window_write(void *opaque, uint64_t offset, uint64_t data, unsigned size,
                                struct qemu_attrs attrs)
{
    struct msi_request request = msi_request_decode(offset, (uint32_t)data);
    struct irte e;
    plant_in_request(&request, offset, (uint32_t)data);

    uint32_t status = stock_read(REG_GSTS);
    if (!(status & GSTS_IRES))
        return pass(offset, (uint32_t)data, attrs);
    if (!request.remappable && planted(PLANT_COMPATIBILITY))
        return let_through(offset, (uint32_t)data);
    if (!request.remappable && (x2apic_mode() || !(status & GSTS_CFIS)))
        return fault_report(FAULT_COMPATIBILITY, 0, false, attrs);
    bool ours = is_ours(request, attrs, &e);
    stats.passed += !ours || !(e.low & IRTE_IM);
    if (!ours)
        return pass(offset, (uint32_t)data, attrs);
    if (request.data_reserved)
        return fault_report(FAULT_REQUEST_RESERVED, request.index, false, attrs);
    enum fault_reason fault = serve(e, attrs);
    return fault ? fault_report(fault, request.index, e.low & IRTE_FPD, attrs) : QEMU_OK;
}

// Devices can't read interrupts; QEMU's own unit answers with zero, too.
static qemu_result window_read(void *opaque, uint64_t offset, uint64_t *data, unsigned size,
                               struct qemu_attrs attrs)
{
    *data = 0;
    return QEMU_OK;
}

const struct qemu_region_ops window_ops = {
    .read_with_attrs = window_read,
    .write_with_attrs = window_write,
    .endianness = QEMU_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};
