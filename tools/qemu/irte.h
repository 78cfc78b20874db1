// SPDX-License-Identifier: BSD-2-Clause
// Decodes interrupt requests and posted remapping entries: bits in, verdicts out, no QEMU.
#pragma once

#include "tools/qemu/model_regs.h"

struct msi_request {
    bool remappable;    // false: compatibility format
    bool data_reserved; // SHV, yet data 31:16 are not zero: fault 20h (VT-d 5.1.2.2)
    uint16_t index;
};

struct irte {
    uint64_t low, high;
};
static_assert(sizeof(struct irte) == 16, "VT-d 9.10");

// The index of handle plus subhandle is cut to 16 bits, as in QEMU's own unit: were the two to
// differ, one of them would read the other's kind of entry as its own.
static inline struct msi_request msi_request_decode(uint64_t address, uint32_t data)
{
    bool shv = address & MSI_ADDRESS_SHV;
    uint64_t handle =
        field_get(MSI_ADDRESS_HANDLE, address) | field_get(MSI_ADDRESS_HANDLE_15, address) << 15;
    uint64_t subhandle = shv ? field_get(MSI_DATA_SUBHANDLE, data) : 0;
    return (struct msi_request){
        .remappable = address & MSI_ADDRESS_FORMAT,
        .data_reserved = shv && (data & MSI_DATA_RESERVED),
        .index = (uint16_t)(handle + subhandle),
    };
}

static inline bool irte_reserved_clear(struct irte e)
{
    return !(e.low & IRTE_LOW_RESERVED) && !(e.high & IRTE_HIGH_RESERVED);
}

static inline bool irte_remapped_reserved_clear(struct irte e, bool x2apic)
{
    uint64_t low = IRTE_REMAPPED_LOW_RESERVED | (x2apic ? 0 : IRTE_DST & ~IRTE_DST_XAPIC);
    return !(e.low & low) && !(e.high & IRTE_REMAPPED_HIGH_RESERVED);
}

// SQ n leaves out function bits: none, 2, 2:1 or 2:0 (VT-d 9.9).
static inline bool irte_accepts_source(struct irte e, uint16_t source)
{
    static const uint16_t compared[] = { 0xffff, 0xfffb, 0xfff9, 0xfff8 };
    uint16_t sid = (uint16_t)field_get(IRTE_SID, e.high);
    uint16_t mask = compared[field_get(IRTE_SQ, e.high)];

    switch (field_get(IRTE_SVT, e.high)) {
    case SVT_NONE:
        return true;
    case SVT_SID:
        return (sid & mask) == (source & mask);
    case SVT_BUS_RANGE: // first bus in 15:8, last in 7:0
        return source >> 8 >= sid >> 8 && source >> 8 <= (sid & 0xff);
    default: // reserved; QEMU's own unit, too, takes it for a mismatch
        return false;
    }
}

// What is wrong with a present, posted entry for a request from `source`, if anything.
// `source_known` is false for requests that carry no id; those are not validated. The source comes
// before the format (VT-d 5.1.4).
static inline enum fault_reason irte_posted_fault(struct irte e, bool source_known, uint16_t source)
{
    if (source_known && !irte_accepts_source(e, source))
        return FAULT_SOURCE_ID;
    if (!irte_reserved_clear(e))
        return FAULT_IRTE_RESERVED;
    return FAULT_NONE;
}

// The same for a remapped entry.
static inline enum fault_reason irte_remapped_fault(struct irte e, bool source_known,
                                                    uint16_t source, bool x2apic)
{
    if (source_known && !irte_accepts_source(e, source))
        return FAULT_SOURCE_ID;
    return irte_remapped_reserved_clear(e, x2apic) ? FAULT_NONE : FAULT_IRTE_RESERVED;
}

struct msi_message {
    uint64_t address; // the APIC id's upper bits in 63:40
    uint32_t data;
};

static inline struct msi_message irte_remapped_message(struct irte e, bool x2apic)
{
    uint64_t id = field_get(x2apic ? IRTE_DST : IRTE_DST_XAPIC, e.low);
    return (struct msi_message){
        .address = (id & ~0xffull) << 32 | INTERRUPT_WINDOW | (id & 0xff) << 12 |
                   (e.low & IRTE_RH ? MSI_ADDRESS_RH : 0) | (e.low & IRTE_DM ? MSI_ADDRESS_DM : 0),
        .data = (uint32_t)field_get(IRTE_V, e.low) | MSI_DATA_LEVEL |
                (uint32_t)field_put(MSI_DATA_DLM, field_get(IRTE_DLM, e.low)) |
                (e.low & IRTE_TM ? MSI_DATA_TRIGGER : 0),
    };
}

static inline uint64_t irte_descriptor_address(struct irte e)
{
    return field_get(IRTE_PDA_HIGH, e.high) << 32 | field_get(IRTE_PDA_LOW, e.low) << 6;
}

static inline uint8_t irte_virtual_vector(struct irte e)
{
    return (uint8_t)field_get(IRTE_VV, e.low);
}
