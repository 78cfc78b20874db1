// SPDX-License-Identifier: BSD-2-Clause
// Addresses for functions that were put into a slot: firmware isn't there any more to give them some,
// but has left the slot's port windows for such (PCIe Base 6.0, 7.5.1.2.1, 7.5.1.3.8, 7.5.1.3.9).

#include "kernel/pci/pci.h"
#include "kernel/pci/pci_list.h"
#include "kernel/pci/pci_regs.h"

struct window {
    uint64_t base, end; // what is left of it
};

struct windows {
    struct window memory, prefetchable;
};

// ---- windows ----

static struct window window_of(const struct pci_dev *port, unsigned at)
{
    uint32_t value = pci_read32(port, at);
    bool wide = at == PCI_PREFETCHABLE_WINDOW && value & PCI_WINDOW_WIDE;
    uint64_t base = (value & PCI_WINDOW_BASE) << 16;
    uint64_t last = (value & PCI_WINDOW_LIMIT) | (MIB - 1);
    if (wide) {
        base |= (uint64_t)pci_read32(port, PCI_PREFETCHABLE_BASE_HIGH) << 32;
        last |= (uint64_t)pci_read32(port, PCI_PREFETCHABLE_LIMIT_HIGH) << 32;
    }
    return base && base < last ? (struct window){ base, last + 1 } : (struct window){ 0 };
}

static bool is_in(const struct window *w, uint64_t base, uint64_t bytes)
{
    return base >= w->base && base <= w->end && bytes <= w->end - base;
}

bool pci_forwards(const struct pci_dev *bridge, uint64_t base, uint64_t bytes)
{
    struct window memory = window_of(bridge, PCI_MEMORY_WINDOW);
    struct window prefetchable = window_of(bridge, PCI_PREFETCHABLE_WINDOW);
    return is_in(&memory, base, bytes) || is_in(&prefetchable, base, bytes);
}

static uint64_t left_in(const struct window *w)
{
    return w->end - w->base;
}

// `bytes` is a power of two, and the address a multiple of it. 0: there is no room.
static uint64_t take(struct window *w, uint64_t bytes)
{
    uint64_t at = ALIGN_UP(w->base, bytes);
    if (at < w->base || at > w->end || bytes > w->end - at)
        return 0;
    w->base = at + bytes;
    return at;
}

// What has no side effects when read may lie in either; 32 bits reach only the first.
static uint64_t take_for(struct windows *w, const struct pci_bar *bar, bool prefetchable)
{
    uint64_t at = prefetchable && bar->wide ? take(&w->prefetchable, bar->bytes) : 0;
    return at ? at : take(&w->memory, bar->bytes);
}

// ---- functions ----

static bool is_on(const struct pci_dev *port, const struct pci_dev *dev)
{
    return dev->parent == port && !dev->removed && !dev->physical &&
           dev->header == PCI_HEADER_NORMAL;
}

// Port space is not given: what has memory as well does without.
static bool is_memory(const struct pci_bar *bar)
{
    return bar->bytes && !bar->io;
}

// The largest first, so that none leaves a hole that another would have filled.
static struct pci_dev *find_largest(const struct pci_dev *port, unsigned *slot)
{
    struct pci_dev *dev, *found = NULL;
    for (size_t i = 0; (dev = pci_get(i)); i++)
        for (unsigned n = 0; is_on(port, dev) && n < PCI_BARS_NORMAL; n++)
            if (is_memory(&dev->bars[n]) && !dev->bars[n].base &&
                (!found || dev->bars[n].bytes > found->bars[*slot].bytes)) {
                found = dev;
                *slot = n;
            }
    return found;
}

static bool place_one(struct windows *w, const struct pci_dev *port, struct pci_dev *dev,
                      unsigned slot, struct problem *p)
{
    struct pci_bar *bar = &dev->bars[slot];
    bar->base = take_for(w, bar, pci_read32(dev, PCI_BAR(slot)) & PCI_BAR_PREFETCHABLE);
    if (!bar->base)
        return problem_set(p, "pci-no-room",
                           "%s: BAR %u takes 0x%llx bytes, and firmware left its slot's port %s "
                           "0x%llx: have its set-up reserve more for hot-plug, or restart with it "
                           "in its slot",
                           dev->name, slot, (unsigned long long)bar->bytes, port->name,
                           (unsigned long long)left_in(&w->memory));
    pci_write32(dev, PCI_BAR(slot), (uint32_t)bar->base);
    if (bar->wide)
        pci_write32(dev, PCI_BAR(slot + 1), (uint32_t)(bar->base >> 32));
    return true;
}

static uint16_t device_control(const struct pci_dev *dev)
{
    return pci_read16(dev, pci_find_cap(dev, PCI_CAP_EXP) + PCI_EXP_DEVICE_CONTROL);
}

// Packets longer than the receiver is set for are malformed (2.2.2): the function takes its port's.
static bool set_payload(const struct pci_dev *port, const struct pci_dev *dev, struct problem *p)
{
    unsigned express = pci_find_cap(dev, PCI_CAP_EXP);
    if (!express)
        return true;
    uint64_t payload = field_get(PCI_EXP_DEVICE_CONTROL_PAYLOAD, device_control(port));
    uint64_t most =
        field_get(PCI_EXP_DEVICE_CAP_PAYLOAD, pci_read32(dev, express + PCI_EXP_DEVICE_CAP));
    uint32_t control = device_control(dev);
    if (payload > most)
        return problem_set(
            p, "pci-payload",
            "%s takes packets of %u bytes at most, and %s, its slot's port, is set to "
            "%u: restart the machine with it in its slot",
            dev->name, 128u << most, port->name, 128u << payload);
    field_set(&control, PCI_EXP_DEVICE_CONTROL_PAYLOAD, payload);
    pci_write16(dev, express + PCI_EXP_DEVICE_CONTROL, (uint16_t)control);
    return true;
}

// It comes from a reset: whatever its BARs say means nothing.
static bool size_anew(struct pci_dev *dev, struct problem *p)
{
    pci_write16(dev, PCI_COMMAND, 0);
    for (unsigned slot = 0; slot < PCI_BARS_NORMAL; slot++)
        pci_write32(dev, PCI_BAR(slot), 0);
    pci_size_bars(dev);
    for (unsigned slot = 0; slot < PCI_BARS_NORMAL; slot++)
        if (is_memory(&dev->bars[slot]) && dev->bars[slot].base)
            return problem_set(
                p, "pci-bar-stuck",
                "%s: BAR %u stays at 0x%llx whatever is written to it: the device is "
                "broken",
                dev->name, slot, (unsigned long long)dev->bars[slot].base);
    return true;
}

bool pci_place_below(struct pci_dev *port, struct problem *p)
{
    struct windows w = {
        .memory = window_of(port, PCI_MEMORY_WINDOW),
        .prefetchable = window_of(port, PCI_PREFETCHABLE_WINDOW),
    };
    struct pci_dev *dev;
    unsigned slot = 0;
    for (size_t i = 0; (dev = pci_get(i)); i++) {
        if (!is_on(port, dev))
            continue;
        dev->node = port->node;
        if (!set_payload(port, dev, p) || !size_anew(dev, p))
            return false;
    }
    while ((dev = find_largest(port, &slot)))
        if (!place_one(&w, port, dev, slot, p))
            return false;
    return true;
}
