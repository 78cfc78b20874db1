// SPDX-License-Identifier: BSD-2-Clause
// Fault records in words (VT-d 5.1.4.1 for interrupts; 7.1.3 lists those of DMA).

#include "drivers/vtd/fault_text.h"

#include "lib/format.h"

struct reason {
    const char *what;
    const char *why;
    const char *remedy;
};

#define REASON(code) [(code) - VTD_REASON_INTERRUPT_FIRST]

static const struct reason interrupt_reasons[] = {
    REASON(0x20) = {
        "msi-reserved",
        "the message has reserved bits set",
        "its MSI-X table is damaged or not Onebell's: reset the device",
    },
    REASON(0x21) = {
        "irte-range",
        "the index lies beyond the remapping table",
        "its MSI-X table is damaged or not Onebell's: reset the device",
    },
    REASON(0x22) = {
        "irte-absent",
        "the entry is not present",
        "it signals an interrupt that was freed or never set up: mask or reset it",
    },
    REASON(0x23) = {
        "irte-unreadable",
        "the unit can't read the remapping table",
        "its memory is faulty: look into the machine's error log",
    },
    REASON(0x24) = {
        "irte-reserved",
        "the entry has reserved bits set",
        "posted entries need CAP.PI (irq=remapped does without), or something wrote here",
    },
    REASON(0x25) = {
        "msi-compatibility",
        "messages in compatibility format are blocked",
        "firmware left the device signalling: disable or reset it",
    },
    REASON(0x26) = {
        "irte-source",
        "the entry belongs to another sender",
        "a bridge or VMD changes the id, or the device uses an index that isn't its own",
    },
    REASON(0x27) = {
        "descriptor-unreadable",
        "the unit can't reach the posted-interrupt descriptor",
        "it must lie in RAM; irq=remapped does without",
    },
    REASON(0x28) = {
        "descriptor-reserved",
        "reserved bits of the posted-interrupt descriptor are set",
        "a device's DMA or an error in Onebell overwrites it",
    },
    REASON(0x29) = {
        "msi-malformed",
        "the write to the interrupt range is no valid message",
        "the device is faulty or its DMA goes astray: reset it",
    },
    REASON(0x2a) = {
        "eime-required",
        "the unit demands extended interrupt mode, and it is off",
        "something changed the unit's registers: power the machine off and on",
    },
    REASON(0x2b) = {
        "remapping-required",
        "the unit demands interrupt remapping, and it is off",
        "firmware left the device signalling: disable or reset it",
    },
};
static_assert(ARRAY_SIZE(interrupt_reasons) ==
                  VTD_REASON_INTERRUPT_LAST - VTD_REASON_INTERRUPT_FIRST + 1,
              "VT-d 5.1.4.1: one sentence for each reason");

// By code, from 1 on. What is wrong with a table of ours is an error of Onebell, or of the memory.
static const struct reason dma_reasons[] = {
    { "dma-bus", "nothing on its bus was granted any memory",
      "nobody drives it: firmware left it running; turn it off in the set-up" },
    { "dma-function", "it was granted no memory",
      "nobody drives it, or its driver has given it up: firmware left it running, or it doesn't "
      "stop" },
    { "dma-context", "its context entry is invalid", "report this as an error of Onebell" },
    { "dma-width", "the address is wider than the unit translates",
      "the device is faulty, or was given a wrong address" },
    { "dma-write", "it may not write there", "the device is faulty, or was given a wrong address" },
    { "dma-read", "it may not read there", "the device is faulty, or was given a wrong address" },
    { "dma-table", "the unit can't read a page table",
      "its memory is faulty: look into the machine's error log" },
    { "dma-root-table", "the unit can't read the root table",
      "its memory is faulty: look into the machine's error log" },
    { "dma-context-table", "the unit can't read a context table",
      "its memory is faulty: look into the machine's error log" },
    { "dma-root-reserved", "its root entry has reserved bits set", "something wrote there" },
    { "dma-context-reserved", "its context entry has reserved bits set", "something wrote there" },
    { "dma-page-reserved", "a page table entry has reserved bits set", "something wrote there" },
    { "dma-translated", "it asks for translations, or says that it has one",
      "its ATS was turned off: the device is faulty, or hostile" },
};

static const struct reason *dma_reason(const struct vtd_fault *f)
{
    static const struct reason other = { "dma", "for a reason that Onebell doesn't know",
                                         "look it up in VT-d 7.1.3" };
    return f->reason && f->reason <= ARRAY_SIZE(dma_reasons) ? &dma_reasons[f->reason - 1] : &other;
}

struct vtd_fault vtd_fault_decode(uint64_t low, uint64_t high)
{
    struct vtd_fault f = {
        .source = (uint16_t)field_get(VTD_FRCD_HIGH_SID, high),
        .reason = (uint8_t)field_get(VTD_FRCD_HIGH_FR, high),
    };
    f.interrupt = f.reason >= VTD_REASON_INTERRUPT_FIRST && f.reason <= VTD_REASON_INTERRUPT_LAST;
    if (!f.interrupt) {
        f.address = low & VTD_FRCD_LOW_FI;
        f.reads = high & VTD_FRCD_HIGH_T1 && !(high & VTD_FRCD_HIGH_T2); // 1 and 1: an AtomicOp
        return f;
    }
    // These are found before an index is (VT-d 11.4.7.6, FI).
    f.has_index = f.reason != 0x20 && f.reason != 0x25 && f.reason < 0x29;
    if (f.has_index)
        f.index = (uint16_t)field_get(VTD_FRCD_LOW_INDEX, low);
    return f;
}

const char *vtd_fault_what(const struct vtd_fault *f)
{
    return f->interrupt ? interrupt_reasons[f->reason - VTD_REASON_INTERRUPT_FIRST].what
                        : dma_reason(f)->what;
}

// " through entry 17 (nvme0q3)"; nothing where the unit doesn't know the entry.
static void entry_text(char *to, size_t bytes, const struct vtd_fault *f,
                       const struct vtd_fault_owner *owner)
{
    to[0] = 0;
    if (f->has_index && owner && owner->name)
        format_text(to, bytes, " through entry %u (%s)", f->index, owner->name);
    else if (f->has_index)
        format_text(to, bytes, " through entry %u (not in use)", f->index);
}

// " 0000:00:04.0": the sender that a source-id fault missed; nothing for other faults.
static void wanted_text(char *to, size_t bytes, uint16_t segment, const struct vtd_fault *f,
                        const struct vtd_fault_owner *owner)
{
    to[0] = 0;
    if (f->reason != 0x26 || !owner || !owner->name)
        return;
    uint16_t sid = owner->entry.source.sid;
    if (owner->entry.source.svt == IRTE_SVT_BUS)
        format_text(to, bytes, " (buses %02x to %02x)", sid >> 8, sid & 0xff);
    else
        format_text(to, bytes, " (%04x:%02x:%02x.%x)", segment, PCI_BUS(sid), PCI_DEV(sid),
                    PCI_FN(sid));
}

static int dma_sentence(char *to, size_t bytes, uint64_t unit, const char *source,
                        const struct vtd_fault *f, const struct vtd_fault_owner *owner)
{
    const struct reason *r = dma_reason(f);
    bool lies = owner && owner->lies_there;
    return format_text(to, bytes,
                       "VT-d unit 0x%llx blocked a %s of %s at 0x%llx%s%s%s: %s (reason "
                       "%02xh); %s",
                       (unsigned long long)unit, f->reads ? "read" : "write", source,
                       (unsigned long long)f->address, lies ? " (" : "",
                       lies ? owner->lies_there : "", lies ? ")" : "", r->why, f->reason,
                       r->remedy);
}

int vtd_fault_sentence(char *to, size_t bytes, uint64_t unit, uint16_t segment,
                       const struct vtd_fault *f, const struct vtd_fault_owner *owner)
{
    char source[16], entry[64], wanted[32];
    format_text(source, sizeof(source), "%04x:%02x:%02x.%x", segment, PCI_BUS(f->source),
                PCI_DEV(f->source), PCI_FN(f->source));
    if (!f->interrupt)
        return dma_sentence(to, bytes, unit, source, f, owner);
    const struct reason *r = &interrupt_reasons[f->reason - VTD_REASON_INTERRUPT_FIRST];
    entry_text(entry, sizeof(entry), f, owner);
    wanted_text(wanted, sizeof(wanted), segment, f, owner);
    return format_text(
        to, bytes, "VT-d unit 0x%llx blocked an interrupt of %s%s: %s%s (reason %02xh); %s",
        (unsigned long long)unit, source, entry, r->why, wanted, f->reason, r->remedy);
}
