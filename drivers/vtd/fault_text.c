// SPDX-License-Identifier: BSD-2-Clause
// Fault records in words (VT-d 5.1.4.1 for interrupts; 7.1.3 lists those of DMA).

#include "drivers/vtd/fault_text.h"

#include "lib/format.h"

struct reason {
    const char *what, *why, *remedy;
};

// Remedies of several.
#define FAULTY_MEMORY "its memory is faulty: look into the machine's error log"
#define WRONG_ADDRESS "the device is faulty, or was given a wrong address"
#define WRITTEN_OVER "something wrote there"
#define WRONG_TABLE "its MSI-X table is damaged or not Onebell's: reset the device"
#define LEFT_RUNNING "firmware left the device signalling: disable or reset it"

// By code. What is wrong with a table of ours is an error of Onebell, or of the memory.
static const struct reason reasons[] = {
    [0x01] = { "dma-bus", "nothing on its bus was granted any memory",
               "nobody drives it: firmware left it running; turn it off in the set-up" },
    [0x02] = { "dma-function", "it was granted no memory",
               "nobody drives it, or its driver has given it up: firmware left it running, or it "
               "doesn't stop" },
    [0x03] = { "dma-context", "its context entry is invalid",
               "report this as an error of Onebell" },
    [0x04] = { "dma-width", "the address is wider than the unit translates", WRONG_ADDRESS },
    [0x05] = { "dma-write", "it may not write there", WRONG_ADDRESS },
    [0x06] = { "dma-read", "it may not read there", WRONG_ADDRESS },
    [0x07] = { "dma-table", "the unit can't read a page table", FAULTY_MEMORY },
    [0x08] = { "dma-root-table", "the unit can't read the root table", FAULTY_MEMORY },
    [0x09] = { "dma-context-table", "the unit can't read a context table", FAULTY_MEMORY },
    [0x0a] = { "dma-root-reserved", "its root entry has reserved bits set", WRITTEN_OVER },
    [0x0b] = { "dma-context-reserved", "its context entry has reserved bits set", WRITTEN_OVER },
    [0x0c] = { "dma-page-reserved", "a page table entry has reserved bits set", WRITTEN_OVER },
    [0x0d] = { "dma-translated", "it asks for translations, or says that it has one",
               "its ATS was turned off: the device is faulty, or hostile" },
    [0x20] = { "msi-reserved", "the message has reserved bits set", WRONG_TABLE },
    [0x21] = { "irte-range", "the index lies beyond the remapping table", WRONG_TABLE },
    [0x22] = { "irte-absent", "the entry is not present",
               "it signals an interrupt that was freed or never set up: mask or reset it" },
    [0x23] = { "irte-unreadable", "the unit can't read the remapping table", FAULTY_MEMORY },
    [0x24] = { "irte-reserved", "the entry has reserved bits set",
               "posted entries need CAP.PI (irq=remapped does without), or something wrote here" },
    [0x25] = { "msi-compatibility", "messages in compatibility format are blocked", LEFT_RUNNING },
    [0x26] = { "irte-source", "the entry belongs to another sender",
               "a bridge or VMD changes the id, or the device uses an index that isn't its own" },
    [0x27] = { "descriptor-unreadable", "the unit can't reach the posted-interrupt descriptor",
               "it must lie in RAM; irq=remapped does without" },
    [0x28] = { "descriptor-reserved", "reserved bits of the posted-interrupt descriptor are set",
               "a device's DMA or an error in Onebell overwrites it" },
    [0x29] = { "msi-malformed", "the write to the interrupt range is no valid message",
               "the device is faulty or its DMA goes astray: reset it" },
    [0x2a] = { "eime-required", "the unit demands extended interrupt mode, and it is off",
               "something changed the unit's registers: power the machine off and on" },
    [0x2b] = { "remapping-required", "the unit demands interrupt remapping, and it is off",
               LEFT_RUNNING },
};
static_assert(ARRAY_SIZE(reasons) == VTD_REASON_INTERRUPT_LAST + 1,
              "VT-d 5.1.4.1: one sentence for each reason");

static const struct reason *reason_of(const struct vtd_fault *f)
{
    static const struct reason other = { "dma", "for a reason that Onebell doesn't know",
                                         "look it up in VT-d 7.1.3" };
    return f->reason < ARRAY_SIZE(reasons) && reasons[f->reason].what ? &reasons[f->reason]
                                                                      : &other;
}

struct vtd_fault vtd_fault_decode(uint64_t unit, uint16_t segment, uint64_t low, uint64_t high)
{
    uint8_t reason = (uint8_t)field_get(VTD_FRCD_HIGH_FR, high);
    bool interrupt = reason >= VTD_REASON_INTERRUPT_FIRST && reason <= VTD_REASON_INTERRUPT_LAST;
    return (struct vtd_fault){
        .unit = unit,
        .segment = segment,
        .source = (uint16_t)field_get(VTD_FRCD_HIGH_SID, high),
        .reason = reason,
        .interrupt = interrupt,
        // The others are found before an index is (VT-d 11.4.7.6, FI).
        .has_index = interrupt && reason != 0x20 && reason != 0x25 && reason < 0x29,
        .index = (uint16_t)field_get(VTD_FRCD_LOW_INDEX, low),
        .address = interrupt ? 0 : low & VTD_FRCD_LOW_FI,
        .reads = high & VTD_FRCD_HIGH_T1 && !(high & VTD_FRCD_HIGH_T2), // 1 and 1: an AtomicOp
    };
}

const char *vtd_fault_what(const struct vtd_fault *f)
{
    return reason_of(f)->what;
}

// " through entry 17 (nvme0q3)", or " at 0x1000 (RAM)"; nothing of an interrupt whose entry the unit doesn't
// know.
static void place_text(char *to, size_t bytes, const struct vtd_fault *f)
{
    const char *what = f->interrupt ? f->owner[0] ? f->owner : "not in use" : f->lies_there;
    to[0] = 0;
    if (f->has_index)
        format_text(to, bytes, " through entry %u (%s)", f->index, what);
    else if (!f->interrupt)
        format_text(to, bytes, " at 0x%llx%s%s%s", (unsigned long long)f->address, what ? " (" : "",
                    what ? what : "", what ? ")" : "");
}

// " (0000:00:04.0)": the sender that a source-id fault missed; nothing for other faults.
static void wanted_text(char *to, size_t bytes, const struct vtd_fault *f)
{
    uint16_t sid = f->entry.source.sid;
    to[0] = 0;
    if (f->reason != 0x26 || !f->owner[0])
        return;
    if (f->entry.source.svt == IRTE_SVT_BUS)
        format_text(to, bytes, " (buses %02x to %02x)", sid >> 8, sid & 0xff);
    else
        format_text(to, bytes, " (%04x:%02x:%02x.%x)", f->segment, PCI_BUS(sid), PCI_DEV(sid),
                    PCI_FN(sid));
}

int vtd_fault_sentence(char *to, size_t bytes, const struct vtd_fault *f)
{
    const struct reason *r = reason_of(f);
    char place[96], wanted[32];
    place_text(place, sizeof(place), f);
    wanted_text(wanted, sizeof(wanted), f);
    return format_text(
        to, bytes, "VT-d unit 0x%llx blocked %s of %04x:%02x:%02x.%x%s: %s%s (reason %02xh); %s",
        (unsigned long long)f->unit,
        f->interrupt ? "an interrupt"
        : f->reads   ? "a read"
                     : "a write",
        f->segment, PCI_BUS(f->source), PCI_DEV(f->source), PCI_FN(f->source), place, r->why,
        wanted, f->reason, r->remedy);
}
