// SPDX-License-Identifier: BSD-2-Clause
#include "tools/qemu/plant.h"

#include <string.h>

static enum plant chosen;

static const char *const names[] = { "",
#define PLANT(constant, name, text) name,
                                     PLANTS(PLANT)
#undef PLANT
};

void plant_choose(const char *name)
{
    for (unsigned i = 1; i < ARRAY_SIZE(names); i++)
        if (!strcmp(names[i], name))
            chosen = (enum plant)i;
    if (!chosen)
        refuse("plant=%s: there is no such fault; tools/qemu/plant.h lists them", name);
}

bool planted(enum plant plant)
{
    return chosen == plant;
}

void plant_in_request(struct msi_request *request, uint64_t address, uint32_t data)
{
    bool shv = address & MSI_ADDRESS_SHV;
    uint16_t subhandle = (uint16_t)data;
    if (planted(PLANT_SUBHANDLE) && shv)
        request->index = (uint16_t)(request->index - subhandle);
    if (planted(PLANT_DATA_ADDED) && !shv)
        request->index = (uint16_t)(request->index + subhandle);
}

enum fault_reason plant_in_entry(struct irte e, enum fault_reason fault)
{
    bool posted = e.low & IRTE_IM;
    if (planted(PLANT_BUS_RANGE) && posted && field_get(IRTE_SVT, e.high) == SVT_BUS_RANGE)
        return FAULT_SOURCE_ID;
    if (planted(PLANT_SOURCE) && posted && fault == FAULT_SOURCE_ID)
        return FAULT_NONE;
    if (planted(PLANT_ENTRY_RESERVED) && fault == FAULT_IRTE_RESERVED)
        return FAULT_NONE;
    return fault;
}

void plant_in_message(struct msi_message *message)
{
    if (planted(PLANT_REMAPPED_VECTOR))
        message->data ^= 1;
}

// ---- posts ----

// What a unit that keeps more than it may knows of a descriptor.
static struct {
    uint64_t address;
    uint32_t destination;
    uint8_t vector;
} kept;

static void notify_again(const struct descriptor *d, struct post *p)
{
    uint64_t control = __atomic_load_n(&d->control, __ATOMIC_SEQ_CST);
    p->outcome = POST_NOTIFIED;
    p->vector = (uint8_t)field_get(CONTROL_NV, control);
    p->apic_id = (uint32_t)field_get(CONTROL_NDST, control);
}

static bool is_empty(const struct descriptor *d)
{
    uint64_t any = 0;
    for (unsigned w = 0; w < ARRAY_SIZE(d->pir); w++)
        any |= __atomic_load_n(&d->pir[w], __ATOMIC_SEQ_CST);
    return !any;
}

// `fresh`: the post found the PIR empty.
static void use_stale(uint64_t address, bool fresh, struct post *p)
{
    bool known = kept.address == address;
    bool same = known && kept.destination == p->apic_id;
    if (planted(PLANT_NDST_STALE) && known && !fresh)
        p->apic_id = kept.destination;
    if (planted(PLANT_NV_STALE) && same)
        p->vector = kept.vector;
    kept.address = address;
    kept.destination = p->apic_id;
    kept.vector = p->vector;
}

static void change_line(struct descriptor *d, uint8_t vector, bool urgent, const struct post *p)
{
    if (planted(PLANT_ON_NOT_SET) && p->outcome == POST_NOTIFIED)
        __atomic_fetch_and(&d->control, ~CONTROL_ON, __ATOMIC_SEQ_CST);
    if (planted(PLANT_ON_WITH_SN) && p->outcome == POST_SUPPRESSED)
        __atomic_fetch_or(&d->control, CONTROL_ON, __ATOMIC_SEQ_CST);
    if (planted(PLANT_CONTROL_WRITTEN) && urgent)
        __atomic_fetch_and(&d->control, ~CONTROL_SN, __ATOMIC_SEQ_CST);
    if (planted(PLANT_PIR_WORD))
        __atomic_fetch_and(&d->pir[vector / 64], BIT64(vector % 64), __ATOMIC_SEQ_CST);
}

static void change_outcome(const struct descriptor *d, bool urgent, struct post *p)
{
    if (p->outcome == POST_COALESCED &&
        (planted(PLANT_ON_IGNORED) || (planted(PLANT_URG_REPEATS) && urgent)))
        notify_again(d, p);
    if (planted(PLANT_NDST_SHIFTED))
        p->apic_id = p->apic_id >> 8 & 0xff;
}

// Reserved bits stay, where the unit doesn't mind them.
static struct post post_over(struct descriptor *d, uint8_t vector, bool urgent, bool x2apic)
{
    uint64_t minded = planted(PLANT_DESCRIPTOR_RESERVED) ? CONTROL_RESERVED : 0;
    uint64_t before = __atomic_fetch_and(&d->control, ~minded, __ATOMIC_SEQ_CST);
    struct post p = descriptor_post(d, vector, urgent, x2apic);
    __atomic_fetch_or(&d->control, before & minded, __ATOMIC_SEQ_CST);
    return p;
}

struct post plant_post(struct descriptor *d, uint64_t address, struct irte e, bool x2apic)
{
    uint8_t vector = irte_virtual_vector(e);
    bool urgent = e.low & IRTE_URG, fresh = is_empty(d);
    if (planted(PLANT_PIR_BIT))
        vector &= 0x7f;
    bool overrides = planted(PLANT_SN_IGNORED) || (urgent && !planted(PLANT_URG_IGNORED));
    struct post p = post_over(d, vector, overrides, x2apic);
    if (p.outcome == POST_REFUSED)
        return p;
    change_line(d, vector, urgent, &p);
    change_outcome(d, urgent, &p);
    if (p.outcome == POST_NOTIFIED)
        use_stale(address, fresh, &p);
    return p;
}

// ---- faults and registers ----

void plant_in_fault(enum fault_reason *reason, uint16_t *index, bool *hidden,
                    struct qemu_attrs *attrs)
{
    if (planted(PLANT_FAULT_REASON) && *reason == FAULT_SOURCE_ID)
        *reason = FAULT_NOT_PRESENT;
    if (planted(PLANT_FAULT_LOST) && *reason == FAULT_DESCRIPTOR_RESERVED)
        *hidden = true;
    if (planted(PLANT_FPD_IGNORED))
        *hidden = false;
    *index = (uint16_t)(*index + planted(PLANT_FAULT_INDEX));
    if (planted(PLANT_FAULT_SOURCE)) {
        uint64_t source = field_get(QEMU_ATTRS_REQUESTER_ID, attrs->fields);
        field_set(&attrs->fields, QEMU_ATTRS_REQUESTER_ID, source ^ 0x40);
    }
}

uint32_t plant_in_read(uint32_t offset, uint32_t value)
{
    return planted(PLANT_OVERFLOW_UNTOLD) && offset == REG_FSTS ? value & ~FSTS_PFO : value;
}

uint32_t plant_in_write(uint32_t offset, uint32_t value)
{
    return planted(PLANT_EVENT_LOST) && offset == REG_FECTL ? value | FECTL_IM : value;
}
