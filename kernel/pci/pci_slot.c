// SPDX-License-Identifier: BSD-2-Clause
// Slots that functions are put into and taken out of while the machine runs (PCIe Base 6.0, 6.7).

#include "kernel/pci/pci.h"
#include "kernel/pci/pci_fence.h"
#include "kernel/pci/pci_list.h"
#include "kernel/pci/pci_regs.h"
#include "lib/mmio.h"

static uint16_t read_exp(const struct pci_dev *port, unsigned offset)
{
    return pci_read16(port, pci_find_cap(port, PCI_CAP_EXP) + offset);
}

static uint32_t read_exp32(const struct pci_dev *port, unsigned offset)
{
    return pci_read32(port, pci_find_cap(port, PCI_CAP_EXP) + offset);
}

static void write_exp(const struct pci_dev *port, unsigned offset, uint16_t value)
{
    pci_write16(port, pci_find_cap(port, PCI_CAP_EXP) + offset, value);
}

// Firmware leaves the ports of a domain no windows for what may come.
bool pci_has_slot(const struct pci_dev *port)
{
    return !port->domain && pci_is_port(port) && !port->removed &&
           read_exp(port, PCI_EXP_FLAGS) & PCI_EXP_FLAGS_SLOT &&
           read_exp(port, PCI_EXP_SLOT_CAP) & PCI_EXP_SLOT_CAP_HOT_PLUG;
}

struct pci_dev *pci_slot_of(const struct pci_dev *dev)
{
    struct pci_dev *port = dev->parent;
    while (port && !pci_has_slot(port))
        port = port->parent;
    return port;
}

static bool is_closed(uint32_t cap, uint16_t status)
{
    return !(cap & PCI_EXP_SLOT_CAP_LATCH) || !(status & PCI_EXP_SLOT_STATUS_OPEN);
}

static bool has_power(uint32_t cap, uint16_t control)
{
    return !(cap & PCI_EXP_SLOT_CAP_POWER) || !(control & PCI_EXP_SLOT_CONTROL_POWER_OFF);
}

// Events are cleared before the state is read: a change in between is an event of the next look.
static uint16_t take_events(const struct pci_dev *port)
{
    uint16_t events = read_exp(port, PCI_EXP_SLOT_STATUS) & PCI_EXP_SLOT_STATUS_EVENTS;
    if (events)
        write_exp(port, PCI_EXP_SLOT_STATUS, events);
    return events;
}

// All ones: nobody answers.
bool pci_slot_look(const struct pci_dev *port, struct pci_slot_look *look)
{
    if (read_exp(port, PCI_EXP_SLOT_STATUS) == UINT16_MAX)
        return false;
    uint16_t events = take_events(port), status = read_exp(port, PCI_EXP_SLOT_STATUS);
    uint32_t cap = read_exp32(port, PCI_EXP_SLOT_CAP);
    bool present = status & PCI_EXP_SLOT_STATUS_PRESENT && is_closed(cap, status);
    bool active = read_exp(port, PCI_EXP_LINK_STATUS) & PCI_EXP_LINK_STATUS_ACTIVE;
    bool tells_link = read_exp32(port, PCI_EXP_LINK_CAP) & PCI_EXP_LINK_CAP_ACTIVE;
    *look = (struct pci_slot_look){
        .present = present,
        .link = tells_link ? active : present,
        .power = has_power(cap, read_exp(port, PCI_EXP_SLOT_CONTROL)),
        .tells_link = tells_link,
        .pressed = events & PCI_EXP_SLOT_STATUS_BUTTON,
        .swapped = events & PCI_EXP_SLOT_STATUS_PRESENCE_CHANGED,
        .relinked = events & PCI_EXP_SLOT_STATUS_LINK_CHANGED,
    };
    return true;
}

// Writes are commands, of which a slot may need a second for each (6.7.3.2): callers are slower.
void pci_slot_power(const struct pci_dev *port, bool on)
{
    uint16_t link = read_exp(port, PCI_EXP_LINK_CONTROL);
    uint32_t control = read_exp(port, PCI_EXP_SLOT_CONTROL);
    field_set(&control, PCI_EXP_SLOT_CONTROL_INDICATOR,
              on ? PCI_EXP_SLOT_INDICATOR_ON : PCI_EXP_SLOT_INDICATOR_OFF);
    field_set(&control, PCI_EXP_SLOT_CONTROL_POWER_OFF, !on);
    write_exp(port, PCI_EXP_SLOT_CONTROL, (uint16_t)control);
    if (on && link & PCI_EXP_LINK_CONTROL_DISABLE)
        write_exp(port, PCI_EXP_LINK_CONTROL, link & (uint16_t)~PCI_EXP_LINK_CONTROL_DISABLE);
}

// A bridge that firmware gave no bus has nothing below.
bool pci_slot_answers(const struct pci_dev *port)
{
    uint32_t id = port->below ? mmio_read32(mmio_at(port->below, PCI_VENDOR_DEVICE)) : UINT32_MAX;
    uint64_t vendor = field_get(PCI_VENDOR_DEVICE_VENDOR, id);
    return vendor && vendor != PCI_VENDOR_ABSENT && id != PCI_VENDOR_DEVICE_RETRY;
}

static bool is_below(const struct pci_dev *dev, const struct pci_dev *port)
{
    for (dev = dev->parent; dev; dev = dev->parent)
        if (dev == port)
            return true;
    return false;
}

// What is given to a domain was looked at without them.
static bool none_is_reached(const struct pci_dev *port, struct problem *p)
{
    for_each_pci_dev (dev)
        if (is_below(dev, port) && !dev->removed && !pci_is_out_of_reach(dev, p))
            return false;
    return true;
}

bool pci_slot_scan(struct pci_dev *port, struct problem *p)
{
    if (!port->secondary)
        return problem_set(
            p, "pci-no-bus",
            "%s: firmware gave the slot's port no bus number: what is in it can't be "
            "reached; restart the machine with it in its slot",
            port->name);
    for_each_pci_dev (dev)
        if (is_below(dev, port))
            pci_list_remove(dev);
    pci_scan_below(port);
    return none_is_reached(port, p) && pci_place_below(port, p);
}
