// SPDX-License-Identifier: BSD-2-Clause
// Packs and unpacks remapping table entries and remappable messages (VT-d 5.1.2, 9.9, 9.10).

#include "drivers/vtd/irte.h"

#define BRIDGES_MAX 256 // no more buses than that; ends a loop in a damaged tree

struct irte_source irte_source_exact(uint16_t requester)
{
    return (struct irte_source){ .sid = requester, .sq = IRTE_SQ_ALL, .svt = IRTE_SVT_SID };
}

struct irte_source irte_source_buses(uint8_t first, uint8_t last)
{
    return (struct irte_source){ .sid = (uint16_t)(first << 8 | last), .svt = IRTE_SVT_BUS };
}

// A PCIe-to-PCI bridge signals as device 0, function 0 of its secondary bus, or passes the sender's
// own id on: only the buses from there down to the device can be checked (VT-d 5.1.1, 3.12.1). All
// others that signal for a device (a conventional bridge, a VMD) use one id of their own.
struct irte_source irte_source_of(const struct pci_dev *dev)
{
    dev = pci_visible(dev);
    const struct pci_dev *bridge = dev->parent;
    if (dev->requester == dev->bdf)
        return irte_source_exact(dev->bdf);
    for (unsigned i = 0; bridge && i < BRIDGES_MAX; i++, bridge = bridge->parent)
        if (dev->requester == PCI_BDF(bridge->secondary, 0, 0))
            return irte_source_buses(bridge->secondary, PCI_BUS(dev->bdf));
    return irte_source_exact(dev->requester);
}

bool irte_source_allows(struct irte_source source, uint16_t requester)
{
    // SQ: function bits that don't count, none, 2, 2:1 or 2:0.
    static const uint16_t ignored[] = { 0, 4, 6, 7 };
    switch (source.svt) {
    case IRTE_SVT_NONE:
        return true;
    case IRTE_SVT_SID:
        return !((source.sid ^ requester) & ~ignored[source.sq & 3] & 0xffff);
    case IRTE_SVT_BUS:
        return PCI_BUS(requester) >= PCI_BUS(source.sid) &&
               PCI_BUS(requester) <= (source.sid & 0xff);
    default:
        return false;
    }
}

static uint64_t source_word(struct irte_source s)
{
    return field_put(IRTE_HIGH_SID, s.sid) | field_put(IRTE_HIGH_SQ, s.sq) |
           field_put(IRTE_HIGH_SVT, s.svt);
}

struct irte irte_remapped(uint32_t apic_id, uint8_t vector, struct irte_source source)
{
    return (struct irte){
        .low = IRTE_LOW_P | field_put(IRTE_LOW_V, vector) | field_put(IRTE_LOW_DST, apic_id),
        .high = source_word(source),
    };
}

struct irte irte_posted(uint64_t descriptor, uint8_t vector, bool urgent, struct irte_source source)
{
    return (struct irte){
        .low = IRTE_LOW_P | IRTE_LOW_IM | (urgent ? IRTE_LOW_URG : 0) |
               field_put(IRTE_LOW_V, vector) |
               field_put(IRTE_LOW_PDAL, field_get(PDA_LOW, descriptor)),
        .high = source_word(source) | field_put(IRTE_HIGH_PDAH, field_get(PDA_HIGH, descriptor)),
    };
}

struct irte_fields irte_unpack(struct irte entry)
{
    struct irte_fields f = {
        .present = entry.low & IRTE_LOW_P,
        .posted = entry.low & IRTE_LOW_IM,
        .vector = (uint8_t)field_get(IRTE_LOW_V, entry.low),
        .source = {
            .sid = (uint16_t)field_get(IRTE_HIGH_SID, entry.high),
            .sq = (uint8_t)field_get(IRTE_HIGH_SQ, entry.high),
            .svt = (uint8_t)field_get(IRTE_HIGH_SVT, entry.high),
        },
    };
    if (f.posted) {
        f.urgent = entry.low & IRTE_LOW_URG;
        f.descriptor = field_put(PDA_LOW, field_get(IRTE_LOW_PDAL, entry.low)) |
                       field_put(PDA_HIGH, field_get(IRTE_HIGH_PDAH, entry.high));
    } else {
        f.destination = (uint32_t)field_get(IRTE_LOW_DST, entry.low);
    }
    return f;
}

struct msi_msg irte_message(uint16_t index)
{
    return (struct msi_msg){
        .address = MSI_ADDRESS_BASE | MSI_REMAP_FORMAT | field_put(MSI_REMAP_HANDLE_LOW, index) |
                   (index & 0x8000 ? MSI_REMAP_HANDLE_15 : 0),
        .data = 0,
    };
}
