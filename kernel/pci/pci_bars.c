// SPDX-License-Identifier: BSD-2-Clause
// How large a function's BARs are, which takes writing to them (PCIe Base 6.0, 7.5.1.2.1). Functions
// of Xeons and their chipsets (8086:6f60, 6fa0, 6fc0, 2fc0, a1ec, a1ed, a26c, a26d) have other
// registers in their place: so only what a driver is about to map is written to.

#include "kernel/base/report.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/pci_list.h"
#include "kernel/pci/pci_regs.h"

// Where BARs are: a function's own, or those of its virtual functions.
struct bar_set {
    const struct pci_dev *dev;
    unsigned at, slots;
};

static unsigned slots_of(const struct pci_dev *dev)
{
    return dev->header == PCI_HEADER_BRIDGE ? PCI_BARS_BRIDGE : PCI_BARS_NORMAL;
}

static unsigned reg_of(const struct bar_set *s, unsigned slot)
{
    return s->at + 4 * slot;
}

// What the register keeps of all ones: its size bits. Decoding must be off.
static uint32_t bar_mask(const struct bar_set *s, unsigned slot)
{
    uint32_t value = pci_read32(s->dev, reg_of(s, slot));
    pci_write32(s->dev, reg_of(s, slot), UINT32_MAX);
    uint32_t mask = pci_read32(s->dev, reg_of(s, slot));
    pci_write32(s->dev, reg_of(s, slot), value);
    return mask;
}

static struct pci_bar bar_io(const struct bar_set *s, unsigned slot)
{
    uint32_t mask = bar_mask(s, slot) & PCI_BAR_IO_BASE;
    return (struct pci_bar){
        .base = pci_read32(s->dev, reg_of(s, slot)) & PCI_BAR_IO_BASE,
        .bytes = mask & -mask,
        .io = true,
    };
}

static struct pci_bar bar_memory(const struct bar_set *s, unsigned slot, bool wide)
{
    uint64_t base = pci_read32(s->dev, reg_of(s, slot)) & PCI_BAR_BASE;
    uint64_t mask = bar_mask(s, slot) & PCI_BAR_BASE;
    if (wide) {
        base |= (uint64_t)pci_read32(s->dev, reg_of(s, slot + 1)) << 32;
        mask |= (uint64_t)bar_mask(s, slot + 1) << 32;
    }
    return (struct pci_bar){ .base = base, .bytes = mask & -mask, .wide = wide };
}

// Reads one BAR; returns the slots it takes.
static unsigned read_bar(const struct bar_set *s, unsigned slot, struct pci_bar *bar)
{
    uint32_t value = pci_read32(s->dev, reg_of(s, slot));
    uint64_t type = field_get(PCI_BAR_TYPE, value);
    bool wide = !(value & PCI_BAR_IO) && type == PCI_BAR_TYPE_64;
    if (!(value & PCI_BAR_IO) && (wide ? slot + 1 == s->slots : type != PCI_BAR_TYPE_32)) {
        warn("pci-bar-kind", "%s: BAR %u (0x%08x) is of no valid kind: left out", s->dev->name,
             slot, value);
        return 1;
    }
    *bar = value & PCI_BAR_IO ? bar_io(s, slot) : bar_memory(s, slot, wide);
    return wide ? 2 : 1;
}

// While a BAR holds all ones, the function must not answer there: `decode` are the bits of the
// register at `control` that let it.
static void read_bars(const struct bar_set *s, unsigned control, uint16_t decode,
                      struct pci_bar *bars)
{
    uint16_t before = pci_read16(s->dev, control);
    pci_write16(s->dev, control, before & (uint16_t)~decode);
    for (unsigned slot = 0; slot < s->slots;)
        slot += read_bar(s, slot, &bars[slot]);
    pci_write16(s->dev, control, before);
}

static void size_own(struct pci_dev *dev)
{
    struct bar_set s = {
        .dev = dev,
        .at = PCI_BAR(0),
        .slots = slots_of(dev),
    };
    read_bars(&s, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, dev->bars);
    dev->bars_sized = true;
}

// ---- who else answers ----

// Read once, and for each function: of those that nobody drives, no more may be asked for.
void pci_read_bases(struct pci_dev *dev)
{
    for (unsigned slot = 0, slots = slots_of(dev); slot < slots; slot++) {
        uint32_t value = pci_read32(dev, PCI_BAR(slot));
        if (value & PCI_BAR_IO)
            continue;
        uint64_t *base = &dev->bases[slot];
        *base = value & PCI_BAR_BASE;
        if (field_get(PCI_BAR_TYPE, value) == PCI_BAR_TYPE_64 && ++slot < slots)
            *base |= (uint64_t)pci_read32(dev, PCI_BAR(slot)) << 32;
    }
}

// What is known of a slot: of functions that nobody drives, where it begins.
static struct pci_bar known(const struct pci_dev *dev, unsigned slot)
{
    return dev->bars_sized ? dev->bars[slot]
                           : (struct pci_bar){ .base = dev->bases[slot], .bytes = 1 };
}

static bool answers_in(const struct pci_dev *dev, const struct pci_bar *bar)
{
    bool found = false;
    for (unsigned slot = 0; slot < ARRAY_SIZE(dev->bars); slot++) {
        struct pci_bar b = known(dev, slot);
        found |= &dev->bars[slot] != bar && !b.io && b.base && b.base < bar->base + bar->bytes &&
                 bar->base < b.base + b.bytes;
    }
    return found && pci_read16(dev, PCI_COMMAND) & PCI_COMMAND_MEMORY;
}

const struct pci_dev *pci_bar_shared(const struct pci_dev *dev, unsigned bar)
{
    for_each_pci_dev (other)
        if (other->domain == dev->domain && !other->removed && !other->physical &&
            answers_in(other, &dev->bars[bar]))
            return other;
    return NULL;
}

void pci_virtual_bars(const struct pci_dev *physical, unsigned cap, struct pci_bar *bars)
{
    struct bar_set s = { .dev = physical, .at = cap + PCI_SRIOV_VF_BAR, .slots = PCI_BARS_NORMAL };
    read_bars(&s, cap + PCI_SRIOV_CONTROL, PCI_SRIOV_CONTROL_VF_MEMORY, bars);
}

// Virtual functions have none of their own: their siblings' are one after the other where their
// physical function says (9.3.3.14). All are done at once, before any is in use.
static void size_virtual(const struct pci_dev *physical)
{
    struct pci_bar bars[PCI_BARS_NORMAL] = { 0 };
    pci_virtual_bars(physical, physical->virtual.cap, bars);
    for_each_pci_dev (dev) {
        if (dev->physical != physical)
            continue;
        for (unsigned slot = 0; slot < PCI_BARS_NORMAL; slot++) {
            dev->bars[slot] = bars[slot];
            if (bars[slot].base)
                dev->bars[slot].base += bars[slot].bytes * dev->virtual_index;
        }
        dev->bars_sized = true;
    }
}

// Decoding on a host bridge can carry more than its BARs, memory among it: left alone.
void pci_size_bars(struct pci_dev *dev)
{
    if (dev->bars_sized || dev->header > PCI_HEADER_BRIDGE ||
        field_get(PCI_CLASS_BASE_SUB, dev->class_code) == PCI_CLASS_HOST_BRIDGE)
        return;
    if (dev->physical)
        size_virtual(dev->physical);
    else
        size_own(dev);
}
