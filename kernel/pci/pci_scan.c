// SPDX-License-Identifier: BSD-2-Clause
// Finding PCI functions. Each segment's buses are visited once, in ascending order: a bridge's
// secondary bus must have a higher number than the bridge's own, so that by the time a bus is
// reached, the bridge above it is known, and no wiring of bridges can make the walk endless.

#include "kernel/acpi/acpi.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/mem/map.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/pci_list.h"
#include "kernel/pci/pci_regs.h"
#include "lib/format.h"
#include "lib/mmio.h"

#define BUSES 256

// The segment that is being walked.
struct walk {
    const struct mcfg *mcfg;
    struct pci_domain *domain; // in place of MCFG; NULL: none
    uint32_t segment;
    size_t first;          // its first function in the list
    volatile void *window; // configuration space of the bus that is being visited; NULL: not mapped
    struct pci_dev *above[BUSES]; // the innermost bridge whose range has the bus; NULL: a root bus
    struct warnings warnings;
};

// ---- functions ----

static void read_caps(struct pci_dev *dev)
{
    const char *fault = pci_caps_fault(dev);
    if (fault)
        warn("pci-caps",
             "%s (%04x:%04x): its capability list is broken: %s; what comes before that is used",
             dev->name, dev->vendor, dev->device, fault);
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
    if (dev->domain)
        return dev->domain->host->requester;
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
    if (dev->physical) { // its own read all ones (9.3.4.1.1)
        dev->vendor = dev->physical->vendor;
        dev->device = dev->physical->virtual.device;
    }
    dev->class_code =
        (uint32_t)field_get(PCI_CLASS_REVISION_CLASS, pci_read32(dev, PCI_CLASS_REVISION));
    dev->header = pci_read8(dev, PCI_HEADER_TYPE) & PCI_HEADER_TYPE_LAYOUT;
    format_text(dev->name, sizeof(dev->name), "%04x:%02x:%02x.%x", dev->segment, PCI_BUS(dev->bdf),
                PCI_DEV(dev->bdf), PCI_FN(dev->bdf));
}

// Past its id, the header can't be all ones or all zeros: who answers only half-way is broken.
static bool is_legible(const struct pci_dev *dev)
{
    uint32_t all = 0;
    if (dev->class_code == PCI_CLASS_NONE) {
        warn("pci-unreadable",
             "%s (%04x:%04x): its class reads ffffff: the function doesn't answer and is left out",
             dev->name, dev->vendor, dev->device);
        return false;
    }
    for (unsigned at = PCI_COMMAND; at < 4 * PCI_HEADER_WORDS; at += 4)
        all |= pci_read32(dev, at);
    if (!all)
        warn("pci-unreadable",
             "%s (%04x:%04x): its header reads zeros past the id: the function is broken and is "
             "left out",
             dev->name, dev->vendor, dev->device);
    return all;
}

static void read_function(struct pci_dev *dev)
{
    if (dev->header > PCI_HEADER_BRIDGE) {
        dev->port_type = PCI_EXP_TYPE_NONE;
        warn("pci-header", "%s: header type %u is unknown: listed, but not looked into", dev->name,
             dev->header);
    } else {
        read_caps(dev);
        if (!dev->physical) {
            pci_read_bases(dev);
            pci_read_virtual(dev);
        }
    }
    dev->requester = requester(dev);
}

static struct pci_dev *parent_of(const struct walk *w, uint16_t bdf)
{
    struct pci_dev *bridge = w->above[PCI_BUS(bdf)];
    return bridge || !w->domain ? bridge : w->domain->host;
}

// NULL: no room for more, or nothing that makes sense. `physical`: of a virtual function.
static struct pci_dev *add_function(const struct walk *w, uint16_t bdf, volatile void *config,
                                    struct pci_dev *physical)
{
    struct pci_dev *dev = pci_list_add(w->segment, bdf);
    if (!dev)
        return NULL;
    dev->config = config;
    dev->parent = physical ? physical->parent : parent_of(w, bdf);
    dev->physical = physical;
    dev->domain = w->domain;
    dev->node = NODE_ANY; // the SRAT may know it, or the DMAR
    read_identity(dev);
    if (!is_legible(dev)) {
        pci_list_drop(dev);
        return NULL;
    }
    read_function(dev);
    return dev;
}

// ---- buses ----

static uint64_t domain_window(const struct pci_domain *d, unsigned bus)
{
    if (bus < d->first_bus || bus > d->last_bus)
        return 0;
    return d->config + field_put(PCI_ECAM_BUS, bus - d->first_bus);
}

// Physical address of the bus's 1 MiB of configuration space; 0: there is no such bus.
static uint64_t bus_window(const struct walk *w, unsigned bus)
{
    if (w->domain)
        return domain_window(w->domain, bus);
    for (size_t i = 0; i < w->mcfg->count; i++) {
        const struct mcfg_segment *s = &w->mcfg->segments[i];
        if (s->segment == w->segment && s->first_bus <= bus && bus <= s->last_bus)
            return s->base + field_put(PCI_ECAM_BUS, bus);
    }
    return 0;
}

// Why the bridge's bus numbers can't be followed; NULL: they can.
static const char *no_bus(const struct walk *w)
{
    return w->domain ? "the domain has no such bus" : "MCFG has no such bus";
}

static const char *bridge_fault(const struct walk *w, const struct pci_dev *b)
{
    if (b->secondary == 0)
        return w->domain ? "the firmware gave it no bus numbers: turn its driver for VMD on in the "
                           "set-up, or VMD off"
                         : "the firmware gave it no bus numbers";
    if (b->secondary <= PCI_BUS(b->bdf) || b->subordinate < b->secondary)
        return "its bus numbers are out of order";
    if (w->above[b->secondary] != w->above[PCI_BUS(b->bdf)])
        return "its secondary bus belongs to another bridge, or is not the parent's to give";
    if (!bus_window(w, b->secondary))
        return no_bus(w);
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

// The bus's configuration space is mapped once there is something to look for on it.
static volatile void *config_at(struct walk *w, uint16_t bdf)
{
    struct pci_dev *above = w->above[PCI_BUS(bdf)];
    if (!w->window)
        w->window = mem_map_mmio(bus_window(w, PCI_BUS(bdf)), PCI_ECAM_BUS_BYTES);
    if (above && above->secondary == PCI_BUS(bdf))
        above->below = w->window;
    return mmio_at(w->window, field_put(PCI_ECAM_DEVICE, PCI_DEV(bdf)) |
                                  field_put(PCI_ECAM_FUNCTION, PCI_FN(bdf)));
}

// Config space at a place that may be empty; NULL: it is.
static volatile void *probe(struct walk *w, uint16_t bdf)
{
    const struct pci_dev *above = w->above[PCI_BUS(bdf)];
    volatile void *config = config_at(w, bdf);
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

// NULL: there is none, or it is left out.
static struct pci_dev *visit_function(struct walk *w, uint16_t bdf)
{
    volatile void *config = probe(w, bdf);
    struct pci_dev *dev = config ? add_function(w, bdf, config, NULL) : NULL;
    if (dev && dev->header == PCI_HEADER_BRIDGE)
        add_bridge(w, dev);
    return dev;
}

// All functions of a device: none without function 0 (PCIe Base 6.0, 7.5.1.1.9).
static void visit_device(struct walk *w, unsigned bus, unsigned device)
{
    const struct pci_dev *first = visit_function(w, PCI_BDF(bus, device, 0));
    if (!first || !(pci_read8(first, PCI_HEADER_TYPE) & PCI_HEADER_TYPE_MULTI))
        return;
    for (unsigned fn = 1; fn < PCI_FUNCTIONS_MAX; fn++)
        visit_function(w, PCI_BDF(bus, device, fn));
}

static struct pci_dev *find(const struct walk *w, uint16_t bdf)
{
    for (size_t i = w->first; i < pci_list_count(); i++)
        if (pci_get(i)->segment == w->segment && pci_get(i)->bdf == bdf && !pci_get(i)->removed)
            return pci_get(i);
    return NULL;
}

// An ARI device has up to 256 functions, each of which names the next; those past 7 are reached
// where the port above forwards to them (6.13). Numbers must rise, so that the walk ends.
static void visit_ari(struct walk *w, unsigned bus)
{
    unsigned next, fn = 0;
    struct pci_dev *dev = find(w, PCI_BDF(bus, 0, 0));
    if (!pci_forwards_ari(w->above[bus]))
        return;
    for (; dev && (next = pci_ari_next(dev)); fn = next) {
        if (next <= fn) {
            warn("pci-ari",
                 "%s: it names function %u as the next one: those behind it are left out",
                 dev->name, next);
            return;
        }
        uint16_t bdf = (uint16_t)(bus << 8 | next);
        dev = find(w, bdf);
        if (!dev)
            dev = visit_function(w, bdf);
    }
}

// A link has one device at its far end, number 0; some answer to the other numbers as well (7.3.1).
static bool is_link(const struct pci_dev *bridge)
{
    return bridge && (bridge->port_type == PCI_EXP_TYPE_ROOT_PORT ||
                      bridge->port_type == PCI_EXP_TYPE_DOWNSTREAM ||
                      bridge->port_type == PCI_EXP_TYPE_PCI_TO_PCIE);
}

// A sleeping bridge passes nothing on, and isn't ours to wake for what may be behind it.
static void warn_if_asleep(const struct pci_dev *bridge)
{
    if (bridge && pci_power_state(bridge))
        warn("pci-bridge-asleep",
             "%s: firmware left the bridge in power state D%u: what is behind it may be missing. "
             "Turn power saving for PCI Express ports off in the firmware's set-up",
             bridge->name, pci_power_state(bridge));
}

static void visit_bus(struct walk *w, unsigned bus)
{
    const struct pci_dev *above = w->above[bus];
    warn_if_asleep(above);
    for (unsigned device = 0; device < (is_link(above) ? 1 : PCI_DEVICES_MAX); device++)
        visit_device(w, bus, device);
    if (is_link(above))
        visit_ari(w, bus);
}

// ---- virtual functions: they answer to no probe, but their physical function tells where they are

// Why it can't be there; NULL: it can.
static const char *virtual_fault(const struct walk *w, const struct pci_dev *physical, uint32_t bdf)
{
    const struct pci_dev *above = w->above[PCI_BUS(physical->bdf)];
    if (bdf > UINT16_MAX || (above && PCI_BUS(bdf) > above->subordinate))
        return "its number is past the buses that there are";
    if (!above && w->above[PCI_BUS(bdf)])
        return "its bus belongs to a bridge";
    if (!bus_window(w, PCI_BUS(bdf)))
        return no_bus(w);
    if (find(w, (uint16_t)bdf))
        return "another function is there";
    return NULL;
}

// Those on this bus; those that can't be anywhere are told of at the physical function's own bus.
static void add_virtual(struct walk *w, struct pci_dev *physical, unsigned bus)
{
    const struct pci_virtual *v = &physical->virtual;
    for (unsigned i = 0; i < v->count; i++) {
        uint32_t bdf = (uint32_t)physical->bdf + v->offset + i * v->stride;
        bool here = PCI_BUS(bdf) == bus;
        const char *fault =
            here || bus == PCI_BUS(physical->bdf) ? virtual_fault(w, physical, bdf) : NULL;
        if (fault) {
            warn("pci-sriov", "%s: its virtual function %u and those after it are left out: %s",
                 physical->name, i + 1, fault);
            physical->virtual.count = (uint16_t)i;
            return;
        }
        struct pci_dev *dev =
            here ? add_function(w, (uint16_t)bdf, config_at(w, (uint16_t)bdf), physical) : NULL;
        if (here && !dev) { // told of already; those after it aren't any better
            physical->virtual.count = (uint16_t)i;
            return;
        }
        if (dev)
            dev->virtual_index = (uint16_t)i;
    }
}

static void visit_virtual(struct walk *w, unsigned bus)
{
    size_t count = pci_list_count();
    for (size_t i = w->first; i < count; i++)
        if (pci_get(i)->virtual.count)
            add_virtual(w, pci_get(i), bus);
}

// ---- segments ----

static bool has_window(struct walk *w, unsigned bus)
{
    uint64_t phys = bus_window(w, bus);
    if (!phys || mem_may_be_mmio(phys, PCI_ECAM_BUS_BYTES))
        return phys;
    warnings_add(&w->warnings, "pci-no-window",
                 "PCI: MCFG puts bus %04x:%02x at 0x%llx, which is RAM, the interrupt window or "
                 "past what the CPU can "
                 "reach: not visited; update the firmware",
                 w->segment, bus, (unsigned long long)phys);
    return false;
}

// Root buses are where no bridge leads. Only AML tells their numbers, so all that remain are
// probed, but for a domain's, whose host tells. A bus inside of a bridge's range that no bridge leads to
// has virtual functions alone.
static bool is_wired(const struct walk *w, unsigned bus)
{
    if (!w->above[bus])
        return !w->domain || bus == w->domain->first_bus;
    return w->above[bus]->secondary == bus;
}

static void visit_segment(struct walk *w)
{
    for (unsigned bus = 0; bus < BUSES; bus++) {
        w->window = NULL;
        if (!has_window(w, bus))
            continue;
        if (is_wired(w, bus))
            visit_bus(w, bus);
        visit_virtual(w, bus);
    }
    warn_all(&w->warnings);
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

static struct walk walk;
static struct mcfg mcfg;

bool pci_init(struct problem *p)
{
    if (!read_mcfg(&mcfg, p))
        return false;
    pci_list_clear();
    for (int s = next_segment(&mcfg, 0); s >= 0; s = next_segment(&mcfg, s + 1)) {
        walk = (struct walk){ .mcfg = &mcfg, .segment = (uint32_t)s, .first = pci_list_count() };
        visit_segment(&walk);
    }
    if (pci_list_count() == PCI_LIST_MAX)
        warn("pci-too-many", "PCI: only the first %u functions are listed", PCI_LIST_MAX);
    return true;
}

size_t pci_add_domain(struct pci_domain *domain)
{
    size_t first = pci_list_count();
    uint32_t last = pci_get(first - 1)->segment; // a host is in the list
    walk = (struct walk){ .domain = domain,
                          .segment = MAX(last + 1, (uint32_t)PCI_SEGMENT_HIDDEN),
                          .first = first };
    visit_segment(&walk);
    return pci_list_count() - first;
}

// ---- while the machine runs ----

static bool is_bridge_of(const struct walk *w, const struct pci_dev *dev)
{
    return dev->segment == w->segment && dev->secondary && !dev->removed;
}

// In the function's segment, as its bridges are known.
static struct walk *walk_again(const struct pci_dev *in)
{
    walk = (struct walk){ .mcfg = &mcfg, .domain = in->domain, .segment = in->segment };
    for_each_pci_dev (dev)
        for (unsigned bus = dev->secondary; is_bridge_of(&walk, dev) && bus <= dev->subordinate;
             bus++)
            walk.above[bus] = dev;
    return &walk;
}

void pci_scan_below(struct pci_dev *port)
{
    struct walk *w = walk_again(port);
    w->window = port->below;
    visit_bus(w, port->secondary);
    warn_all(&w->warnings);
}

void pci_scan_virtual(struct pci_dev *physical)
{
    struct walk *w = walk_again(physical);
    for (unsigned bus = PCI_BUS(physical->bdf); bus < BUSES; bus++) {
        w->window = NULL;
        if (has_window(w, bus))
            add_virtual(w, physical, bus);
    }
    warn_all(&w->warnings);
}
