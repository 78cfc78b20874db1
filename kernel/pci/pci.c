// SPDX-License-Identifier: BSD-2-Clause
// What drivers do with a PCI function that was found: decoding, bus mastering, mapping.

#include "kernel/pci/pci.h"

#include "kernel/base/report.h"
#include "kernel/handoff.h"
#include "kernel/mem/map.h"
#include "kernel/pci/pci_fence.h"
#include "kernel/pci/pci_list.h"
#include "kernel/pci/pci_regs.h"

#define PHYS_END BIT64(52) // no x86 physical address reaches this

// The command register alone: a 32-bit write would clear the status bits next to it.
static void change_command(struct pci_dev *dev, uint16_t clear, uint16_t set)
{
    uint16_t command = pci_read16(dev, PCI_COMMAND);
    pci_write16(dev, PCI_COMMAND, (uint16_t)((command & ~clear) | set));
}

// Virtual functions have no such bit of their own (9.3.4.1.3), but QEMU's want it set.
void pci_enable_memory(struct pci_dev *dev)
{
    const struct pci_dev *physical = dev->physical;
    unsigned at = physical ? physical->virtual.cap + PCI_SRIOV_CONTROL : 0;
    if (physical)
        pci_write16(physical, at, pci_read16(physical, at) | PCI_SRIOV_CONTROL_VF_MEMORY);
    change_command(dev, 0, PCI_COMMAND_MEMORY);
}

// A bridge passes requests from below, MSIs among them, on only if it may be a bus master itself
// (PCIe 6.0, 7.5.1.1.3); the loader, or firmware, has turned that off.
bool pci_enable(struct pci_dev *dev, struct problem *p)
{
    if (!pci_grant(dev, p))
        return false;
    pci_enable_memory(dev);
    change_command(dev, 0, PCI_COMMAND_MASTER);
    for (struct pci_dev *d = dev->parent; d; d = d->parent)
        change_command(d, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    return true;
}

// All ones: it isn't there any more.
static bool is_master(const struct pci_dev *dev)
{
    uint16_t command = pci_read16(dev, PCI_COMMAND);
    return command != 0xffff && command & PCI_COMMAND_MASTER;
}

bool pci_stop_bus_master(struct pci_dev *dev)
{
    change_command(dev, PCI_COMMAND_MASTER, 0);
    bool stopped = !is_master(dev); // what it had posted before has arrived with the answer
    pci_revoke(dev);
    if (stopped)
        return true;
    bool fenced = pci_is_fenced(dev);
    warn("pci-bus-master", "%s goes on as a bus master, though told not to: %s", dev->name,
         fenced ? "what it writes is blocked" : "nothing keeps it from memory");
    return fenced;
}

static bool may_stop(const struct pci_dev *dev)
{
    if (field_get(PCI_CLASS_BASE, dev->class_code) == PCI_CLASS_BRIDGE)
        return dev->header != PCI_HEADER_NORMAL;
    return field_get(PCI_CLASS_BASE_SUB, dev->class_code) != PCI_CLASS_IOMMU;
}

static bool passes_on(const struct pci_dev *dev)
{
    return dev->header != PCI_HEADER_NORMAL || dev->is_host;
}

void pci_mark_left_masters(const struct handoff_master *left, size_t count)
{
    for_each_pci_dev (dev)
        for (size_t j = 0; j < count; j++)
            dev->left_master |= dev->segment == left[j].segment && dev->bdf == left[j].bdf;
}

// Bridges last: what an endpoint still had to write then has its way up.
void pci_stop_masters(void)
{
    for (unsigned bridges = 0; bridges < 2; bridges++)
        for_each_pci_dev (dev)
            if (passes_on(dev) == bridges && may_stop(dev) &&
                pci_read16(dev, PCI_COMMAND) & PCI_COMMAND_MASTER)
                pci_stop_bus_master(dev);
}

static bool is_usable(const struct pci_bar *b)
{
    return !b->io && b->base && b->bytes && b->bytes <= PHYS_END && b->base <= PHYS_END - b->bytes;
}

static bool windows_miss(const struct pci_dev *dev, unsigned bar, struct problem *p)
{
    const struct pci_window *w = dev->domain->windows;
    const struct pci_bar *b = &dev->bars[bar];
    return problem_set(p, "pci-bar-hidden",
                       "%s: BAR %u (0x%llx bytes at 0x%llx) is not in what %s forwards (0x%llx "
                       "bytes at 0x%llx, 0x%llx at 0x%llx): turn its driver on in the firmware's "
                       "set-up, or VMD off",
                       dev->name, bar, (unsigned long long)b->bytes, (unsigned long long)b->base,
                       dev->domain->host->name, (unsigned long long)w[0].bytes,
                       (unsigned long long)w[0].bar, (unsigned long long)w[1].bytes,
                       (unsigned long long)w[1].bar);
}

// Where the CPU finds what the BAR says.
static bool find_bar(const struct pci_dev *dev, unsigned bar, uint64_t *phys, struct problem *p)
{
    const struct pci_bar *b = &dev->bars[bar];
    *phys = b->base;
    if (!dev->domain)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(dev->domain->windows); i++) {
        const struct pci_window *w = &dev->domain->windows[i];
        if (b->base >= w->bar && b->base - w->bar <= w->bytes &&
            b->bytes <= w->bytes - (b->base - w->bar)) {
            *phys = w->base + (b->base - w->bar);
            return true;
        }
    }
    return windows_miss(dev, bar, p);
}

// What answers there has to be this function, and nothing else: the driver writes to it.
static bool is_alone(const struct pci_dev *dev, unsigned bar, uint64_t phys, size_t bytes,
                     struct problem *p)
{
    uint64_t base = dev->bars[bar].base;
    const struct pci_dev *other = pci_bar_shared(dev, bar);
    if (other)
        return problem_set(p, "pci-bar-shared",
                           "%s: BAR %u (memory at 0x%llx) overlaps one of %s: have the firmware "
                           "assign PCI resources",
                           dev->name, bar, (unsigned long long)base, other->name);
    return mem_may_be_mmio(phys, bytes) ||
           problem_set(p, "pci-bar",
                       "%s: BAR %u (memory at 0x%llx) is RAM, the interrupt window or past what "
                       "the CPU can reach: have the firmware assign PCI resources",
                       dev->name, bar, (unsigned long long)base);
}

bool pci_map_bar_part(struct pci_dev *dev, unsigned bar, uint64_t offset, size_t bytes,
                      volatile void **window, struct problem *p)
{
    uint64_t phys;
    static const struct pci_bar none;
    pci_size_bars(dev);
    const struct pci_bar *b = bar < ARRAY_SIZE(dev->bars) ? &dev->bars[bar] : &none;
    if (!is_usable(b))
        return problem_set(p, "pci-bar",
                           "%s: BAR %u (%s at 0x%llx, 0x%llx bytes) can't be used: have the "
                           "firmware assign PCI resources",
                           dev->name, bar, b->io ? "ports" : "memory", (unsigned long long)b->base,
                           (unsigned long long)b->bytes);
    if (offset > b->bytes || bytes > b->bytes - offset)
        return problem_set(p, "pci-bar-small",
                           "%s: BAR %u has 0x%llx bytes, but 0x%zx at 0x%llx are needed", dev->name,
                           bar, (unsigned long long)b->bytes, bytes, (unsigned long long)offset);
    if (!find_bar(dev, bar, &phys, p) || !is_alone(dev, bar, phys + offset, bytes, p))
        return false;
    *window = mem_map_mmio(phys + offset, bytes);
    return true;
}

bool pci_map_bar(struct pci_dev *dev, unsigned bar, size_t least, volatile void **window,
                 struct problem *p)
{
    pci_size_bars(dev);
    uint64_t bytes = bar < ARRAY_SIZE(dev->bars) ? dev->bars[bar].bytes : 0;
    bytes = MAX((uint64_t)least, MIN(bytes, PCI_MAP_BYTES_MAX));
    return pci_map_bar_part(dev, bar, 0, bytes, window, p);
}
