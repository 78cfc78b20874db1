// SPDX-License-Identifier: BSD-2-Clause
// Finds VMDs, decides how MSIs from below go on, and hands their buses to kernel/pci.

#include "drivers/vmd/vmd.h"

#include "drivers/vmd/decode.h"
#include "drivers/vmd/share.h"
#include "drivers/vmd/vmd_regs.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/mem/map.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/pci_regs.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/mmio.h"

struct vmd {
    struct vmd_share share; // where MSIs pass it by, its vectors aren't used
    struct vmd_layout layout;
    struct vmd *next;
};

static struct {
    struct vmd *first, **end;
    unsigned count;
} vmds = { .end = &vmds.first };

// ---- registers ----

// False: the BAR can't be mapped.
static bool read_shadow_registers(struct pci_dev *dev, struct vmd_regs *r, struct problem *p)
{
    volatile void *window;
    if (!(r->vmlock & VMD_VMLOCK_SHADOW))
        return true;
    if (!pci_map_bar_part(dev, VMD_MEMBAR2, VMD_MEMBAR2_SHADOW, VMD_MEMBAR2_SHADOW_BYTES, &window,
                          p))
        return false;
    r->shadow1 = mmio_read64(window);
    r->shadow2 = mmio_read64(mmio_at(window, 8));
    return true;
}

static uint64_t read64(const struct pci_dev *dev, unsigned at)
{
    return pci_read32(dev, at) | (uint64_t)pci_read32(dev, at + 4) << 32;
}

static void read_shadow_cap(const struct pci_dev *dev, struct vmd_regs *r)
{
    unsigned cap = pci_find_cap(dev, PCI_CAP_VENDOR);
    if (!cap || cap > PCI_CAP_LAST + PCI_CAP_ALIGN - VMD_CAP_BYTES ||
        pci_read32(dev, cap + VMD_CAP_SIGNATURE) != VMD_SIGNATURE)
        return;
    r->shadow1 = read64(dev, cap + VMD_CAP_SHADOW);
    r->shadow2 = read64(dev, cap + VMD_CAP_SHADOW + 8);
}

static bool read_regs(struct pci_dev *dev, struct vmd_regs *r, struct problem *p)
{
    pci_size_bars(dev);
    pci_enable_memory(dev);
    r->vmcap = pci_read16(dev, VMD_VMCAP);
    r->vmconfig = pci_read16(dev, VMD_VMCONFIG);
    r->vmlock = pci_read32(dev, VMD_VMLOCK);
    r->cfgbar = dev->bars[VMD_CFGBAR];
    r->membar1 = dev->bars[VMD_MEMBAR1];
    r->membar2 = dev->bars[VMD_MEMBAR2];
    r->vectors = dev->msix.cap ? dev->msix.vectors : 0;
    if (!vmd_check_bars(r, dev->name, p))
        return false;
    if (r->features & VMD_FEATURE_SHADOW)
        return read_shadow_registers(dev, r, p);
    if (r->features & VMD_FEATURE_SHADOW_CAP)
        read_shadow_cap(dev, r);
    return true;
}

// False: they can't be where the BARs say.
static bool check_memory(const struct pci_dev *dev, const struct vmd_layout *l, struct problem *p)
{
    uint64_t buses = (uint64_t)l->last_bus - l->first_bus + 1;
    bool ok = mem_may_be_mmio(l->config, buses * PCI_ECAM_BUS_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(l->windows); i++)
        ok &= !l->windows[i].bytes || mem_may_be_mmio(l->windows[i].base, l->windows[i].bytes);
    return ok ||
           problem_set(
               p, "vmd-memory",
               "%s: Intel VMD hides its drives: its BARs (at 0x%llx, 0x%llx, 0x%llx) are in "
               "RAM, the interrupt window or past what the CPU can reach: turn VMD off in the "
               "firmware's set-up",
               dev->name, (unsigned long long)l->config, (unsigned long long)l->windows[0].base,
               (unsigned long long)l->windows[1].base);
}

// ---- MSIs ----

static bool set_bypass(const struct pci_dev *dev, bool bypass)
{
    uint32_t config = pci_read16(dev, VMD_VMCONFIG);
    bool is = config & VMD_VMCONFIG_BYPASS;
    if (is == bypass)
        return true;
    field_set(&config, VMD_VMCONFIG_BYPASS, bypass);
    pci_write16(dev, VMD_VMCONFIG, (uint16_t)config);
    is = pci_read16(dev, VMD_VMCONFIG) & VMD_VMCONFIG_BYPASS;
    return is == bypass;
}

// Writes to its entries must not be writes to what it hides: of its BARs only the beginning of the
// last is its own.
static bool check_table(const struct pci_dev *dev, struct problem *p)
{
    unsigned bar;
    uint64_t offset;
    msix_table_place(dev, &bar, &offset);
    uint64_t end = offset + (uint64_t)dev->msix.vectors * MSIX_ENTRY_BYTES;
    return (bar == VMD_MEMBAR2 && end <= VMD_MEMBAR2_OWN) ||
           problem_set(
               p, "vmd-vectors",
               "%s: Intel VMD hides its drives: its MSI-X table is at 0x%llx of BAR %u, which "
               "belongs to its drives: turn VMD off in the firmware's set-up",
               dev->name, (unsigned long long)offset, bar);
}

// One that doesn't let them pass takes them.
static bool set_msis(struct vmd *v, struct problem *p)
{
    struct pci_dev *dev = v->share.domain.host;
    if (v->layout.bypass && set_bypass(dev, true))
        return true;
    v->layout.bypass = false;
    if (!vmd_check_entries(&v->layout, dev->name, p) || !check_table(dev, p))
        return false;
    if (!set_bypass(dev, false))
        return problem_set(p, "vmd-locked",
                           "%s: Intel VMD hides its drives: it can't be made to take their "
                           "interrupts (VMCONFIG stays 0x%04x): turn VMD off in the firmware's "
                           "set-up",
                           dev->name, pci_read16(dev, VMD_VMCONFIG));
    v->share.first = v->layout.first_entry;
    v->share.count = v->layout.entries;
    v->share.vectors = mem_alloc(v->share.count * sizeof(*v->share.vectors), CACHE_LINE, dev->node);
    v->share.domain.chip = &vmd_chip;
    return msix_enable(dev, p);
}

// ---- what people and tools see ----

static void print(const struct vmd *v, uint32_t segment, size_t functions)
{
    const struct vmd_layout *l = &v->layout;
    const char *pci = v->share.domain.host->name;
    char text[256], msis[64];
    struct json j;
    format_text(msis, sizeof(msis), "share %u of its vectors", l->entries);
    info("%s %s: Intel VMD: buses %02x to %02x as segment %x, %zu functions; their MSIs %s",
         v->share.name, pci, l->first_bus, l->last_bus, segment, functions,
         l->bypass ? "pass it by" : msis);
    json_begin(&j, text, sizeof(text), "vmd");
    json_text(&j, "pci", pci);
    json_u64(&j, "segment", segment);
    json_u64(&j, "first_bus", l->first_bus);
    json_u64(&j, "last_bus", l->last_bus);
    json_u64(&j, "functions", functions);
    json_bool(&j, "bypass", l->bypass);
    json_u64(&j, "vectors", l->bypass ? 0 : l->entries);
    report_json(&j);
}

// ---- the whole ----

static void add_domain(struct vmd *v, size_t before)
{
    struct pci_domain *d = &v->share.domain;
    size_t functions;
    d->config = v->layout.config;
    d->first_bus = v->layout.first_bus;
    d->last_bus = v->layout.last_bus;
    for (size_t i = 0; i < ARRAY_SIZE(d->windows); i++)
        d->windows[i] = v->layout.windows[i];
    functions = pci_add_domain(d);
    if (functions)
        print(v, pci_get(before)->segment, functions);
    else
        warn("vmd-empty",
             "%s: Intel VMD hides its drives: nothing answers on bus %02x behind it: turn VMD off "
             "in the firmware's set-up",
             d->host->name, d->first_bus);
}

static size_t functions_count(void)
{
    size_t count = 0;
    while (pci_get(count))
        count++;
    return count;
}

static bool start(struct vmd *v, unsigned features, struct problem *p)
{
    struct pci_dev *dev = v->share.domain.host;
    struct vmd_regs regs = { .features = features };
    bool woken;
    if (!pci_power_on(dev, time_delay_ns, &woken, p) || !read_regs(dev, &regs, p) ||
        !vmd_decode(&regs, dev->name, &v->layout, p) || !check_memory(dev, &v->layout, p) ||
        !set_msis(v, p))
        return false;
    add_domain(v, functions_count());
    return true;
}

static void add(struct pci_dev *dev, unsigned features)
{
    struct problem p;
    struct vmd *v = mem_alloc(sizeof(*v), CACHE_LINE, dev->node);
    dev->is_host = true;
    v->share.domain.host = dev;
    format_text(v->share.name, sizeof(v->share.name), "vmd%u", vmds.count++);
    if (!start(v, features, &p)) {
        warn_problem(&p);
        return;
    }
    *vmds.end = v;
    vmds.end = &v->next;
}

// None is behind another: what they hide comes behind all that was there before.
void vmd_init(void)
{
    size_t count = functions_count();
    unsigned features;
    for (size_t i = 0; i < count; i++) {
        struct pci_dev *dev = pci_get(i);
        if (!dev->physical && vmd_find_features(dev->vendor, dev->device, &features))
            add(dev, features);
    }
}

// Some firmware doesn't make it take MSIs again before it counts on that (Linux).
void vmd_shutdown(void)
{
    for (const struct vmd *v = vmds.first; v; v = v->next) {
        struct pci_dev *dev = v->share.domain.host;
        msix_disable(dev);
        if (!set_bypass(dev, false))
            warn("vmd-locked",
                 "%s: VMCONFIG stays 0x%04x: if the machine doesn't start again, switch it off and "
                 "on",
                 dev->name, pci_read16(dev, VMD_VMCONFIG));
        pci_stop_bus_master(dev);
    }
    vmds.first = NULL;
    vmds.end = &vmds.first;
}
