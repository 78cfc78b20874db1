// SPDX-License-Identifier: BSD-2-Clause
// Power states (PCIe Base 6.0, 5.3): firmware leaves functions that it has no use for asleep. On the
// way from D3hot to D0 a function may reset itself (No_Soft_Reset, 7.5.2.2), and then loses what
// firmware configured; that bit is not believed: whatever reads differently is written again.

#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/pci_fence.h"
#include "kernel/pci/pci_regs.h"

#define NS_D3HOT (10 * NS_PER_MS) // before the next access (5.9)
#define NS_D2 (200 * NS_PER_US)
#define NS_RETRY (10 * NS_PER_MS)
#define RETRIES 100 // one second: as long as a function may take after a reset (2.3.1.1)

// What firmware set up: the header, and in the PCI Express capability how large the packets are
// that the function may send, and how its link saves power.
struct pci_saved {
    uint32_t header[PCI_HEADER_WORDS];
    unsigned express, controls_count;
    uint16_t controls[3];
    uint16_t msix;
};

static const unsigned char express_controls[] = { PCI_EXP_DEVICE_CONTROL, PCI_EXP_LINK_CONTROL,
                                                  PCI_EXP_DEVICE_CONTROL2 };

unsigned pci_power_state(const struct pci_dev *dev)
{
    unsigned power = pci_find_cap(dev, PCI_CAP_POWER);
    if (!power)
        return 0;
    return (unsigned)field_get(PCI_POWER_CONTROL_STATE, pci_read16(dev, power + PCI_POWER_CONTROL));
}

static void save(const struct pci_dev *dev, struct pci_saved *s)
{
    for (unsigned i = 0; i < PCI_HEADER_WORDS; i++)
        s->header[i] = pci_read32(dev, 4 * i);
    s->express = pci_find_cap(dev, PCI_CAP_EXP);
    s->controls_count = 0;
    if (!s->express)
        return;
    uint16_t flags = pci_read16(dev, s->express + PCI_EXP_FLAGS);
    s->controls_count = field_get(PCI_EXP_FLAGS_VERSION, flags) < 2 ? 2 : 3;
    for (unsigned i = 0; i < s->controls_count; i++)
        s->controls[i] = pci_read16(dev, s->express + express_controls[i]);
}

static bool header_lost(const struct pci_dev *dev, const struct pci_saved *s)
{
    for (unsigned i = PCI_HEADER_KEPT / 4; i < PCI_HEADER_WORDS; i++)
        if (pci_read32(dev, 4 * i) != s->header[i])
            return true;
    return false;
}

// Bus mastering comes back alone where the function may still reach memory.
static uint16_t command_of(const struct pci_dev *dev, const struct pci_saved *s)
{
    uint32_t command = s->header[PCI_COMMAND / 4];
    if (!pci_may_master(dev))
        command &= ~PCI_COMMAND_MASTER;
    if (pci_is_muted(dev))
        command &= ~PCI_COMMAND_SERR;
    return (uint16_t)command;
}

static uint16_t control_of(const struct pci_dev *dev, const struct pci_saved *s, unsigned i)
{
    uint32_t control = s->controls[i];
    if (express_controls[i] == PCI_EXP_DEVICE_CONTROL && pci_is_muted(dev))
        control &= ~PCI_EXP_DEVICE_CONTROL_REPORTS;
    return (uint16_t)control;
}

// Decoding is off while BARs change, and comes back with the command register, last.
static void restore(const struct pci_dev *dev, const struct pci_saved *s)
{
    uint16_t command = command_of(dev, s);
    if (header_lost(dev, s))
        pci_write16(dev, PCI_COMMAND, 0);
    for (unsigned i = PCI_HEADER_KEPT / 4; i < PCI_HEADER_WORDS; i++)
        if (pci_read32(dev, 4 * i) != s->header[i])
            pci_write32(dev, 4 * i, s->header[i]);
    for (unsigned i = 0; i < s->controls_count; i++)
        if (pci_read16(dev, s->express + express_controls[i]) != control_of(dev, s, i))
            pci_write16(dev, s->express + express_controls[i], control_of(dev, s, i));
    if (pci_read16(dev, PCI_COMMAND) != command)
        pci_write16(dev, PCI_COMMAND, command);
}

// A function that has reset itself may not be ready at once: all but its id reads all ones (2.3.1.1).
static bool answers(const struct pci_dev *dev, void (*delay_ns)(uint64_t))
{
    for (unsigned i = 0; i < RETRIES; i++) {
        if (pci_read32(dev, PCI_CLASS_REVISION) != UINT32_MAX)
            return true;
        delay_ns(NS_RETRY);
    }
    return false;
}

static void ask_for_d0(const struct pci_dev *dev)
{
    unsigned at = pci_find_cap(dev, PCI_CAP_POWER) + PCI_POWER_CONTROL;
    uint16_t control = pci_read16(dev, at);
    pci_write16(dev, at,
                control & (uint16_t)~(PCI_POWER_CONTROL_STATE | PCI_POWER_CONTROL_PME_STATUS));
}

static bool wake(const struct pci_dev *dev, void (*delay_ns)(uint64_t), struct problem *p)
{
    struct pci_saved s;
    unsigned at = pci_find_cap(dev, PCI_CAP_POWER) + PCI_POWER_CONTROL;
    unsigned from = pci_power_state(dev);

    save(dev, &s);
    ask_for_d0(dev);
    if (from >= PCI_POWER_D2)
        delay_ns(from == PCI_POWER_D3HOT ? NS_D3HOT : NS_D2);
    if (!answers(dev, delay_ns))
        return problem_set(p, "pci-gone",
                           "%s: firmware left it in power state D%u, and since it was woken its "
                           "configuration space reads all ones: it is gone",
                           dev->name, from);
    if (!pci_power_state(dev))
        restore(dev, &s);
    if (pci_power_state(dev))
        return problem_set(p, "pci-asleep",
                           "%s: firmware left it in power state D%u, and it doesn't wake (PMCSR is "
                           "0x%04x): switch the machine off and on",
                           dev->name, from, pci_read16(dev, at));
    warn("pci-woken",
         "%s: firmware left it in power state D%u; it was woken. If it misbehaves, turn power "
         "saving for its slot off in the firmware's set-up",
         dev->name, from);
    return true;
}

// ---- while a driver uses it ----

static unsigned msix_control(const struct pci_dev *dev)
{
    return dev->msix.cap + PCI_MSIX_CONTROL;
}

void pci_keep(struct pci_dev *dev)
{
    if (!dev->kept)
        dev->kept = mem_alloc(sizeof(*dev->kept), CACHE_LINE, dev->node);
    save(dev, dev->kept);
    if (dev->msix.cap)
        dev->kept->msix = pci_read16(dev, msix_control(dev));
}

static bool is_there(const struct pci_dev *dev)
{
    return pci_read32(dev, PCI_CLASS_REVISION) != UINT32_MAX;
}

bool pci_is_back(const struct pci_dev *dev)
{
    uint32_t id = pci_read32(dev, PCI_VENDOR_DEVICE);
    return !dev->physical && field_get(PCI_VENDOR_DEVICE_VENDOR, id) == dev->vendor &&
           field_get(PCI_VENDOR_DEVICE_DEVICE, id) == dev->device;
}

bool pci_revive(struct pci_dev *dev, void (*delay_ns)(uint64_t))
{
    if (is_there(dev) && pci_power_state(dev)) {
        ask_for_d0(dev);
        delay_ns(NS_D3HOT);
    }
    if (!is_there(dev) || pci_power_state(dev) || (!dev->physical && !pci_is_back(dev)))
        return false;
    restore(dev, dev->kept);
    if (dev->msix.cap && pci_read16(dev, msix_control(dev)) != dev->kept->msix)
        pci_write16(dev, msix_control(dev), dev->kept->msix);
    return true;
}

// ---- before one does ----

static const struct pci_dev *highest_asleep(const struct pci_dev *dev)
{
    const struct pci_dev *found = NULL;
    for (; dev; dev = dev->parent)
        if (pci_power_state(dev))
            found = dev;
    return found;
}

// From the top: a bridge that sleeps passes nothing on.
bool pci_power_on(struct pci_dev *dev, void (*delay_ns)(uint64_t), bool *woken, struct problem *p)
{
    const struct pci_dev *asleep;
    *woken = false;
    while ((asleep = highest_asleep(dev))) {
        if (!wake(asleep, delay_ns, p))
            return false;
        *woken = true;
    }
    return true;
}
