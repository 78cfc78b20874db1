// SPDX-License-Identifier: BSD-2-Clause
// Finding PCI functions. Each segment's buses are visited once, in ascending order: a bridge's
// secondary bus must have a higher number than the bridge's own, so that by the time a bus is
// reached, the bridge above it is known, and no wiring of bridges can make the walk endless.

#include "kernel/acpi/acpi.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/mem/map.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/pci_regs.h"
#include "lib/format.h"
#include "lib/mmio.h"
#include "lib/string.h"

#define CHUNK_DEVS 64
#define CHUNKS 1024 // 65536 functions
#define BUSES 256

static struct {
    struct pci_dev *chunks[CHUNKS]; // CHUNK_DEVS each; never moved, as devices point to each other
    size_t count;
} devs;

// The segment that is being walked.
struct walk {
    const struct mcfg *mcfg;
    uint16_t segment;
    struct pci_dev *above[BUSES]; // the innermost bridge whose range has the bus; NULL: a root bus
    struct warnings warnings;
};

struct pci_dev *pci_get(size_t index)
{
    return index < devs.count ? &devs.chunks[index / CHUNK_DEVS][index % CHUNK_DEVS] : NULL;
}

// A cleared device at the end of the list; NULL: no room.
static struct pci_dev *new_dev(void)
{
    size_t chunk = devs.count / CHUNK_DEVS;
    if (chunk == CHUNKS)
        return NULL;
    if (!devs.chunks[chunk])
        devs.chunks[chunk] =
            mem_alloc(CHUNK_DEVS * sizeof(struct pci_dev), alignof(struct pci_dev), NODE_ANY);
    struct pci_dev *dev = &devs.chunks[chunk][devs.count++ % CHUNK_DEVS];
    *dev = (struct pci_dev){ 0 };
    return dev;
}

// ---- BARs ----

// What the register keeps of all ones: its size bits. Decoding must be off.
static uint32_t bar_mask(const struct pci_dev *dev, unsigned slot)
{
    uint32_t value = pci_read32(dev, PCI_BAR(slot));
    pci_write32(dev, PCI_BAR(slot), UINT32_MAX);
    uint32_t mask = pci_read32(dev, PCI_BAR(slot));
    pci_write32(dev, PCI_BAR(slot), value);
    return mask;
}

static struct pci_bar bar_io(const struct pci_dev *dev, unsigned slot)
{
    uint32_t mask = bar_mask(dev, slot) & PCI_BAR_IO_BASE;
    return (struct pci_bar){
        .base = pci_read32(dev, PCI_BAR(slot)) & PCI_BAR_IO_BASE,
        .bytes = mask & -mask,
        .io = true,
    };
}

static struct pci_bar bar_memory(const struct pci_dev *dev, unsigned slot, bool wide)
{
    uint64_t base = pci_read32(dev, PCI_BAR(slot)) & PCI_BAR_BASE;
    uint64_t mask = bar_mask(dev, slot) & PCI_BAR_BASE;
    if (wide) {
        base |= (uint64_t)pci_read32(dev, PCI_BAR(slot + 1)) << 32;
        mask |= (uint64_t)bar_mask(dev, slot + 1) << 32;
    }
    return (struct pci_bar){ .base = base, .bytes = mask & -mask, .wide = wide };
}

// Reads one BAR; returns the slots it takes.
static unsigned read_bar(struct pci_dev *dev, unsigned slot, unsigned slots)
{
    uint32_t value = pci_read32(dev, PCI_BAR(slot));
    uint64_t type = field_get(PCI_BAR_TYPE, value);
    bool wide = !(value & PCI_BAR_IO) && type == PCI_BAR_TYPE_64;
    if (!(value & PCI_BAR_IO) && (wide ? slot + 1 == slots : type != PCI_BAR_TYPE_32)) {
        warn("pci-bar-kind", "%s: BAR %u (0x%08x) is of no valid kind: left out", dev->name, slot,
             value);
        return 1;
    }
    dev->bars[slot] = value & PCI_BAR_IO ? bar_io(dev, slot) : bar_memory(dev, slot, wide);
    return wide ? 2 : 1;
}

// While a BAR holds all ones, the function must not answer there (PCIe Base 6.0, 7.5.1.2.1).
static void read_bars(struct pci_dev *dev)
{
    static const unsigned char slots[] = {
        [PCI_HEADER_NORMAL] = PCI_BARS_NORMAL,
        [PCI_HEADER_BRIDGE] = PCI_BARS_BRIDGE,
    };
    // Decoding on a host bridge can carry more than its BARs, memory among it: left alone.
    if (field_get(PCI_CLASS_BASE_SUB, dev->class_code) == PCI_CLASS_HOST_BRIDGE)
        return;
    uint16_t command = pci_read16(dev, PCI_COMMAND);
    pci_write16(dev, PCI_COMMAND, command & (uint16_t)~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    for (unsigned slot = 0; slot < slots[dev->header];)
        slot += read_bar(dev, slot, slots[dev->header]);
    pci_write16(dev, PCI_COMMAND, command);
}

// ---- functions ----

static void read_caps(struct pci_dev *dev)
{
    unsigned express = pci_find_cap(dev, PCI_CAP_EXP);
    dev->port_type = PCI_EXP_TYPE_NONE;
    if (express)
        dev->port_type =
            (uint8_t)field_get(PCI_EXP_FLAGS_TYPE, pci_read16(dev, express + PCI_EXP_FLAGS));
    unsigned msix = pci_find_cap(dev, PCI_CAP_MSIX);
    if (!msix || msix > PCI_CAP_LAST + PCI_CAP_ALIGN - PCI_MSIX_CAP_BYTES)
        return;
    uint16_t control = pci_read16(dev, msix + PCI_MSIX_CONTROL);
    dev->msix.cap = (uint16_t)msix;
    dev->msix.vectors = (uint16_t)(field_get(PCI_MSIX_CONTROL_TABLE_SIZE, control) + 1);
}

// The last bridge on the way up that puts its own name on requests decides. One from PCI Express to
// PCI sends them as function 0.0 of its secondary bus (PCIe to PCI/PCI-X Bridge 1.0, 2.3); a
// conventional one sends them as itself. All others leave them as they are.
static uint16_t requester(const struct pci_dev *dev)
{
    uint16_t id = dev->bdf;
    for (const struct pci_dev *b = dev->parent; b; b = b->parent) {
        if (b->port_type == PCI_EXP_TYPE_PCIE_TO_PCI)
            id = PCI_BDF(b->secondary, 0, 0);
        else if (b->port_type == PCI_EXP_TYPE_NONE)
            id = b->bdf;
    }
    return id;
}

static void read_identity(struct pci_dev *dev)
{
    uint32_t id = pci_read32(dev, PCI_VENDOR_DEVICE);
    dev->vendor = (uint16_t)field_get(PCI_VENDOR_DEVICE_VENDOR, id);
    dev->device = (uint16_t)field_get(PCI_VENDOR_DEVICE_DEVICE, id);
    dev->class_code =
        (uint32_t)field_get(PCI_CLASS_REVISION_CLASS, pci_read32(dev, PCI_CLASS_REVISION));
    dev->header = pci_read8(dev, PCI_HEADER_TYPE) & PCI_HEADER_TYPE_LAYOUT;
    format_text(dev->name, sizeof(dev->name), "%04x:%02x:%02x.%x", dev->segment, PCI_BUS(dev->bdf),
                PCI_DEV(dev->bdf), PCI_FN(dev->bdf));
}

// NULL: no room for more.
static struct pci_dev *add_function(const struct walk *w, uint16_t bdf, volatile void *config)
{
    struct pci_dev *dev = new_dev();
    if (!dev)
        return NULL;
    dev->segment = w->segment;
    dev->bdf = bdf;
    dev->config = config;
    dev->parent = w->above[PCI_BUS(bdf)];
    dev->node = NODE_ANY; // known to _PXM methods in AML alone
    read_identity(dev);
    if (dev->header > PCI_HEADER_BRIDGE) {
        dev->port_type = PCI_EXP_TYPE_NONE;
        warn("pci-header", "%s: header type %u is unknown: listed, but not looked into", dev->name,
             dev->header);
    } else {
        read_caps(dev);
        read_bars(dev);
    }
    dev->requester = requester(dev);
    return dev;
}

// ---- buses ----

// Physical address of the bus's 1 MiB of configuration space; 0: MCFG doesn't have that bus.
static uint64_t bus_window(const struct walk *w, unsigned bus)
{
    for (size_t i = 0; i < w->mcfg->count; i++) {
        const struct mcfg_segment *s = &w->mcfg->segments[i];
        if (s->segment == w->segment && s->first_bus <= bus && bus <= s->last_bus)
            return s->base + field_put(PCI_ECAM_BUS, bus);
    }
    return 0;
}

// Why the bridge's bus numbers can't be followed; NULL: they can.
static const char *bridge_fault(const struct walk *w, const struct pci_dev *b)
{
    if (b->secondary == 0)
        return "the firmware gave it no bus numbers";
    if (b->secondary <= PCI_BUS(b->bdf) || b->subordinate < b->secondary)
        return "its bus numbers are out of order";
    if (w->above[b->secondary] != w->above[PCI_BUS(b->bdf)])
        return "its secondary bus belongs to another bridge, or is not the parent's to give";
    if (!bus_window(w, b->secondary))
        return "MCFG has no such bus";
    return NULL;
}

// Claims the bridge's range of buses, as far as it is the parent's to give.
static void add_bridge(struct walk *w, struct pci_dev *b)
{
    uint32_t numbers = pci_read32(b, PCI_BUS_NUMBERS);
    b->secondary = (uint8_t)field_get(PCI_BUS_NUMBERS_SECONDARY, numbers);
    b->subordinate = (uint8_t)field_get(PCI_BUS_NUMBERS_SUBORDINATE, numbers);
    const char *fault = bridge_fault(w, b);
    if (fault) {
        warn("pci-bridge", "%s: the bridge's buses %02x to %02x are not visited: %s", b->name,
             b->secondary, b->subordinate, fault);
        b->secondary = b->subordinate = 0;
        return;
    }
    const struct pci_dev *parent = w->above[PCI_BUS(b->bdf)];
    for (unsigned bus = b->secondary; bus <= b->subordinate && w->above[bus] == parent; bus++)
        w->above[bus] = b;
}

// Config space at a place that may be empty; NULL: it is.
static volatile void *probe(const struct pci_dev *above, volatile void *window, uint16_t bdf)
{
    volatile void *config = mmio_at(window, field_put(PCI_ECAM_DEVICE, PCI_DEV(bdf)) |
                                                field_put(PCI_ECAM_FUNCTION, PCI_FN(bdf)));
    uint32_t id = mmio_read32(mmio_at(config, PCI_VENDOR_DEVICE));
    uint64_t vendor = field_get(PCI_VENDOR_DEVICE_VENDOR, id);
    if (vendor == PCI_VENDOR_ABSENT || vendor == 0) // 0: seen from broken boards
        return NULL;
    if (id != PCI_VENDOR_DEVICE_RETRY)
        return config;
    warn("pci-not-ready", "PCI: the device at %02x:%02x.%x%s%s does not answer yet: left out",
         PCI_BUS(bdf), PCI_DEV(bdf), PCI_FN(bdf), above ? " behind " : "",
         above ? above->name : "");
    return NULL;
}

// All functions of a device: none without function 0 (PCIe Base 6.0, 7.5.1.1.9).
static void visit_device(struct walk *w, volatile void *window, unsigned bus, unsigned device)
{
    unsigned functions = 1;
    for (unsigned fn = 0; fn < functions; fn++) {
        uint16_t bdf = PCI_BDF(bus, device, fn);
        volatile void *config = probe(w->above[bus], window, bdf);
        if (!config)
            continue;
        struct pci_dev *dev = add_function(w, bdf, config);
        if (!dev)
            return;
        if (fn == 0 && pci_read8(dev, PCI_HEADER_TYPE) & PCI_HEADER_TYPE_MULTI)
            functions = PCI_FUNCTIONS_MAX;
        if (dev->header == PCI_HEADER_BRIDGE)
            add_bridge(w, dev);
    }
}

// A link has one device at its far end, number 0; some answer to the other numbers as well (7.3.1).
// The functions past 7 of an ARI device are not looked for: they are virtual functions as a rule.
static bool is_link(const struct pci_dev *bridge)
{
    return bridge && (bridge->port_type == PCI_EXP_TYPE_ROOT_PORT ||
                      bridge->port_type == PCI_EXP_TYPE_DOWNSTREAM ||
                      bridge->port_type == PCI_EXP_TYPE_PCI_TO_PCIE);
}

// Root buses are where no bridge leads. Only AML tells their numbers, so all that remain are
// probed. A bus inside of a bridge's range that no bridge leads to can't have anything on it.
static void visit_bus(struct walk *w, unsigned bus)
{
    const struct pci_dev *above = w->above[bus];
    uint64_t phys = bus_window(w, bus);
    if (!phys || (above && above->secondary != bus))
        return;
    if (!mem_may_be_mmio(phys, PCI_ECAM_BUS_BYTES)) {
        warnings_add(
            &w->warnings, "pci-no-window",
            "PCI: MCFG puts bus %04x:%02x at 0x%llx, which is RAM or past what the CPU can "
            "reach: not visited; update the firmware",
            w->segment, bus, (unsigned long long)phys);
        return;
    }
    volatile void *window = mem_map_mmio(phys, PCI_ECAM_BUS_BYTES);
    for (unsigned device = 0; device < (is_link(above) ? 1 : PCI_DEVICES_MAX); device++)
        visit_device(w, window, bus, device);
}

static void visit_segment(const struct mcfg *mcfg, uint16_t segment)
{
    static struct walk w;
    w = (struct walk){ .mcfg = mcfg, .segment = segment };
    for (unsigned bus = 0; bus < BUSES; bus++)
        visit_bus(&w, bus);
    warn_all(&w.warnings);
}

// The lowest segment number that is at least `from`; -1: none.
static int next_segment(const struct mcfg *mcfg, int from)
{
    int next = -1;
    for (size_t i = 0; i < mcfg->count; i++) {
        int segment = mcfg->segments[i].segment;
        if (segment >= from && (next < 0 || segment < next))
            next = segment;
    }
    return next;
}

// All MCFG tables together. What is wrong with one of them is a problem only where no other has a
// segment.
static bool read_mcfg(struct mcfg *mcfg, struct problem *p)
{
    static struct warnings w;
    mcfg->count = w.count = 0;
    problem_set(p, "pci-no-mcfg",
                "ACPI has no usable MCFG table, so PCI Express can't be reached: turn on "
                "memory-mapped configuration (MMCONFIG) in the firmware's set-up");
    for (const struct acpi_header *t = acpi_find("MCFG"); t; t = acpi_find_next("MCFG", t))
        (void)mcfg_parse(t, t->length, mcfg, &w, p);
    warn_all(&w);
    return mcfg->count;
}

bool pci_init(struct problem *p)
{
    static struct mcfg mcfg;
    if (!read_mcfg(&mcfg, p))
        return false;
    devs.count = 0;
    for (int s = next_segment(&mcfg, 0); s >= 0; s = next_segment(&mcfg, s + 1))
        visit_segment(&mcfg, (uint16_t)s);
    if (devs.count == CHUNKS * CHUNK_DEVS)
        warn("pci-too-many", "PCI: only the first %zu functions are listed", devs.count);
    return true;
}
