// SPDX-License-Identifier: BSD-2-Clause
// The interrupt window: requests whose entry is a posted one are handled here, all others go to
// QEMU's own unit as they came (VT-d 5.1.4, 5.2.3).
#include "tools/qemu/descriptor.h"
#include "tools/qemu/faults.h"
#include "tools/qemu/irte.h"
#include "tools/qemu/model.h"
#include "tools/qemu/stats.h"

static bool x2apic_mode(void)
{
    return model.irta & IRTA_EIME;
}

// Reads the entry whole, with one access (VT-d 5.1.4). False where QEMU's own unit has to report
// that it can't be had: index out of range (21h) or table unreadable (23h).
static bool irte_read(uint16_t index, struct irte *e)
{
    if (index >= 2ull << field_get(IRTA_S, model.irta))
        return false;
    uint64_t address = (model.irta & IRTA_BASE) + index * sizeof(*e);
    return qemu.address_space_rw(qemu.address_space_memory, address, QEMU_ATTRS_NONE, e, sizeof(*e),
                                 false) == QEMU_OK;
}

// Memory that isn't RAM is "mapped" as a bounce buffer, which lies in no memory region.
static struct descriptor *descriptor_map(uint64_t address)
{
    uint64_t offset, length = sizeof(struct descriptor);
    void *host =
        qemu.address_space_map(qemu.address_space_memory, address, &length, true, QEMU_ATTRS_NONE);
    if (host &&
        (length < sizeof(struct descriptor) || !qemu.memory_region_from_host(host, &offset))) {
        qemu.address_space_unmap(qemu.address_space_memory, host, length, true, 0);
        host = NULL;
    }
    return host;
}

static void descriptor_unmap(struct descriptor *d)
{
    qemu.address_space_unmap(qemu.address_space_memory, d, sizeof(*d), true, sizeof(*d));
}

// Fixed, edge, physical, no redirection hint: all zero bits of the message.
static void notify(const struct post *p)
{
    uint64_t upper = p->apic_id & ~0xffull, lower = p->apic_id & 0xff;
    apic_send(upper << 32 | INTERRUPT_WINDOW | lower << 12, p->vector);
}

static enum fault_reason post_to_descriptor(struct irte e)
{
    struct descriptor *d = descriptor_map(irte_descriptor_address(e));
    if (!d)
        return FAULT_DESCRIPTOR_ACCESS;
    struct post p = descriptor_post(d, irte_virtual_vector(e), e.low & IRTE_URG, x2apic_mode());
    descriptor_unmap(d);
    if (p.outcome == POST_REFUSED)
        return FAULT_DESCRIPTOR_RESERVED;
    stats_count_post(&p);
    if (p.outcome == POST_NOTIFIED)
        notify(&p);
    return FAULT_NONE;
}

static enum fault_reason post_request(struct irte e, struct qemu_attrs attrs)
{
    uint16_t source = (uint16_t)field_get(QEMU_ATTRS_REQUESTER_ID, attrs.fields);
    enum fault_reason fault = irte_posted_fault(e, !attrs.unspecified, source);
    return fault ? fault : post_to_descriptor(e);
}

static qemu_result pass(uint64_t offset, uint32_t data, struct qemu_attrs attrs)
{
    struct fault_event before = fault_event_before();
    qemu_result result = stock_request(offset, data, attrs);
    fault_event_after(before);
    return result;
}

static bool is_posted(struct msi_request request, struct irte *e)
{
    if (!request.remappable || !irte_read(request.index, e))
        return false;
    if (!(e->low & IRTE_P))
        fault_count(FAULT_NOT_PRESENT, e->low & IRTE_FPD);
    return (e->low & IRTE_P) && (e->low & IRTE_IM);
}

static qemu_result window_write(void *opaque, uint64_t offset, uint64_t data, unsigned size,
                                struct qemu_attrs attrs)
{
    struct msi_request request = msi_request_decode(offset, (uint32_t)data);
    struct irte e;

    if (!(stock_read(REG_GSTS) & GSTS_IRES))
        return pass(offset, (uint32_t)data, attrs);
    if (!is_posted(request, &e)) {
        stats.passed++;
        return pass(offset, (uint32_t)data, attrs);
    }
    if (request.data_reserved)
        return fault_report(FAULT_REQUEST_RESERVED, request.index, false, attrs);
    enum fault_reason fault = post_request(e, attrs);
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
