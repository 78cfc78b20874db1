// SPDX-License-Identifier: BSD-2-Clause
// Device ids and registers of VMDs, as values.

#include "drivers/vmd/decode.h"

#include "drivers/vmd/vmd_regs.h"

#define PCI_VENDOR_INTEL 0x8086
#define PHYS_END BIT64(52) // no x86 physical address reaches this
#define REMEDY "turn VMD off in the firmware's set-up"

#define CLIENT (VMD_FEATURE_SHADOW_CAP | VMD_FEATURE_BUSES | VMD_FEATURE_FIRST_OWN)

// Linux: vmd_ids of drivers/pci/controller/vmd.c
static const struct {
    uint16_t device;
    unsigned features;
} ids[] = {
    { 0x201d, VMD_FEATURE_SHADOW_CAP }, // Skylake-SP and later Xeons
    { 0x28c0,
      VMD_FEATURE_SHADOW | VMD_FEATURE_BUSES | VMD_FEATURE_BYPASS }, // Ice Lake-SP and later
    { 0x467f, CLIENT },
    { 0x4c3d, CLIENT },
    { 0x7d0b, CLIENT },
    { 0x9a0b, CLIENT },
    { 0xa77f, CLIENT },
    { 0xad0b, CLIENT },
    { 0xb06f, CLIENT },
    { 0xb07f, CLIENT },
    { 0xb60b, CLIENT },
};

bool vmd_find_features(uint16_t vendor, uint16_t device, unsigned *features)
{
    for (size_t i = 0; vendor == PCI_VENDOR_INTEL && i < ARRAY_SIZE(ids); i++)
        if (ids[i].device == device) {
            *features = ids[i].features;
            return true;
        }
    return false;
}

static bool is_usable(const struct pci_bar *b)
{
    return !b->io && b->base && b->bytes && b->bytes <= PHYS_END && b->base <= PHYS_END - b->bytes;
}

// ---- buses ----

static bool find_first_bus(const struct vmd_regs *r, const char *name, struct vmd_layout *l,
                           struct problem *p)
{
    static const uint8_t first[] = {
        [VMD_BUSES_0] = 0, [VMD_BUSES_128] = 128, [VMD_BUSES_224] = 224
    };
    uint64_t set = field_get(VMD_VMCONFIG_BUSES, r->vmconfig);
    l->first_bus = 0;
    if (!(r->features & VMD_FEATURE_BUSES) || !(r->vmcap & VMD_VMCAP_BUS_RESTRICT))
        return true;
    if (set >= ARRAY_SIZE(first))
        return problem_set(p, "vmd-buses",
                           "%s: Intel VMD hides its drives: where its buses begin (VMCONFIG is "
                           "0x%04x) is a setting that isn't known: " REMEDY,
                           name, r->vmconfig);
    l->first_bus = first[set];
    return true;
}

static bool find_buses(const struct vmd_regs *r, const char *name, struct vmd_layout *l,
                       struct problem *p)
{
    if (!find_first_bus(r, name, l, p))
        return false;
    uint64_t count = MIN(r->cfgbar.bytes / MIB, (uint64_t)(256 - l->first_bus));
    if (count < 2)
        return problem_set(p, "vmd-buses",
                           "%s: Intel VMD hides its drives: BAR %u (0x%llx bytes) has room for its "
                           "ports' bus (0x%02x), and for none behind them: " REMEDY,
                           name, VMD_CFGBAR, (unsigned long long)r->cfgbar.bytes, l->first_bus);
    l->config = r->cfgbar.base;
    l->last_bus = (uint8_t)(l->first_bus + count - 1);
    return true;
}

// ---- memory ----

// One that firmware didn't assign is left out.
static struct pci_window window(const struct pci_bar *membar, uint64_t shadow, uint64_t own)
{
    uint64_t bar = shadow ? shadow & ~0xfull : membar->base;
    if (!is_usable(membar) || membar->bytes <= own)
        return (struct pci_window){ 0 };
    return (struct pci_window){ membar->base + own, membar->bytes - own, bar + own };
}

static bool is_shadow_good(uint64_t shadow, const struct pci_bar *membar)
{
    return !shadow || (shadow < PHYS_END && membar->bytes <= PHYS_END - shadow);
}

static bool find_windows(const struct vmd_regs *r, const char *name, struct vmd_layout *l,
                         struct problem *p)
{
    uint64_t own = VMD_MEMBAR2_OWN;
    if (r->features & VMD_FEATURE_SHADOW)
        own += VMD_MEMBAR2_SHADOW_BYTES;
    if (!is_shadow_good(r->shadow1, &r->membar1) || !is_shadow_good(r->shadow2, &r->membar2))
        return problem_set(p, "vmd-shadow",
                           "%s: Intel VMD hides its drives: its shadow registers (0x%llx, 0x%llx) "
                           "are no addresses: " REMEDY,
                           name, (unsigned long long)r->shadow1, (unsigned long long)r->shadow2);
    l->windows[0] = window(&r->membar1, r->shadow1, 0);
    l->windows[1] = window(&r->membar2, r->shadow2, own);
    if (l->windows[0].bytes || l->windows[1].bytes)
        return true;
    return problem_set(p, "vmd-membar",
                       "%s: Intel VMD hides its drives: BARs %u and %u (0x%llx bytes at 0x%llx, "
                       "0x%llx at 0x%llx), where their registers are, can't be used: " REMEDY,
                       name, VMD_MEMBAR1, VMD_MEMBAR2, (unsigned long long)r->membar1.bytes,
                       (unsigned long long)r->membar1.base, (unsigned long long)r->membar2.bytes,
                       (unsigned long long)r->membar2.base);
}

static bool do_overlap(const struct pci_bar *a, const struct pci_bar *b)
{
    return is_usable(a) && is_usable(b) && a->base < b->base + b->bytes &&
           b->base < a->base + a->bytes;
}

static bool check_cfgbar(const struct vmd_regs *r, const char *name, struct problem *p)
{
    if (!is_usable(&r->cfgbar) || r->cfgbar.bytes < MIB)
        return problem_set(p, "vmd-cfgbar",
                           "%s: Intel VMD hides its drives: BAR %u (0x%llx bytes at 0x%llx), "
                           "through which they are configured, can't be used: " REMEDY,
                           name, VMD_CFGBAR, (unsigned long long)r->cfgbar.bytes,
                           (unsigned long long)r->cfgbar.base);
    return true;
}

// Which of the two answers is nobody's to know: a drive's register may be another's configuration.
bool vmd_check_bars(const struct vmd_regs *r, const char *name, struct problem *p)
{
    const struct pci_bar *bars[] = { &r->cfgbar, &r->membar1, &r->membar2 };
    if (!check_cfgbar(r, name, p))
        return false;
    for (unsigned i = 0; i < ARRAY_SIZE(bars); i++)
        for (unsigned j = i + 1; j < ARRAY_SIZE(bars); j++)
            if (do_overlap(bars[i], bars[j]))
                return problem_set(p, "vmd-overlap",
                                   "%s: Intel VMD hides its drives: its BARs %u (0x%llx bytes at "
                                   "0x%llx) and %u (0x%llx at 0x%llx) overlap: " REMEDY,
                                   name, 2 * i, (unsigned long long)bars[i]->bytes,
                                   (unsigned long long)bars[i]->base, 2 * j,
                                   (unsigned long long)bars[j]->bytes,
                                   (unsigned long long)bars[j]->base);
    return true;
}

// ---- MSIs ----

bool vmd_check_entries(const struct vmd_layout *l, const char *name, struct problem *p)
{
    if (l->entries)
        return true;
    return problem_set(
        p, "vmd-vectors",
        "%s: Intel VMD hides its drives: it has no MSI-X vector for their interrupts, "
        "which can't pass it by either: " REMEDY,
        name);
}

// A guest's addresses aren't the machine's, nor are its interrupts: its hypervisor has to see the
// messages (Linux doesn't bypass there either).
static void find_msis(const struct vmd_regs *r, struct vmd_layout *l)
{
    unsigned all = MIN(r->vectors, (unsigned)VMD_MSI_ENTRIES);
    bool moved = false;
    for (size_t i = 0; i < ARRAY_SIZE(l->windows); i++)
        moved |= l->windows[i].base != l->windows[i].bar;
    l->first_entry = r->features & VMD_FEATURE_FIRST_OWN ? 1 : 0;
    l->entries = all - MIN(all, l->first_entry);
    l->bypass = r->features & VMD_FEATURE_BYPASS && !moved;
}

bool vmd_decode(const struct vmd_regs *r, const char *name, struct vmd_layout *l, struct problem *p)
{
    *l = (struct vmd_layout){ 0 };
    if (r->vmlock == UINT32_MAX || r->vmconfig == UINT16_MAX)
        return problem_set(p, "vmd-silent",
                           "%s: Intel VMD hides its drives: its registers read all ones (VMCONFIG "
                           "0x%04x, VMLOCK 0x%08x): switch the machine off and on, or " REMEDY,
                           name, r->vmconfig, r->vmlock);
    if (!vmd_check_bars(r, name, p) || !find_buses(r, name, l, p) || !find_windows(r, name, l, p))
        return false;
    find_msis(r, l);
    return l->bypass || vmd_check_entries(l, name, p);
}
