// SPDX-License-Identifier: BSD-2-Clause
// The registry of remapping units: those that the DMAR table names, what needs each one, and which one a
// device is behind.

#include "drivers/vtd/scope.h"
#include "drivers/vtd/unit.h"
#include "kernel/acpi/acpi.h"
#include "kernel/base/cpus.h"

#define PCI_VENDOR_INTEL 0x8086

static struct dmar dmar;
static struct vtd_unit units[DMAR_UNITS_MAX]; // as dmar.units[]

static bool parse(const struct acpi_header *t, void *out, struct warnings *w, struct problem *p)
{
    return dmar_parse(t, t->length, out, w, p);
}

static bool read_table(struct problem *p)
{
    if (acpi_find("DMAR"))
        return acpi_read("DMAR", parse, &dmar, p);
    return problem_set(p, "no-vtd",
                       "this machine has no usable DMAR table: turn VT-d on in the firmware "
                       "set-up (QEMU: -device intel-iommu,intremap=on,eim=on)");
}

// Graphics of these generations may never end the command that turns translation off.
static bool may_hang(const struct pci_dev *dev)
{
    static const uint8_t generations[] = { 0x45, 0x46, 0x4c, 0x4e, 0x7d, 0x8a, 0x98, 0x9a, 0xa7 };
    if (dev->vendor != PCI_VENDOR_INTEL || !pci_is_display(dev))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(generations); i++)
        if (dev->device >> 8 == generations[i])
            return true;
    return false;
}

void vtd_units_find_needs(vtd_is_driven driven)
{
    static bool has_others[DMAR_UNITS_MAX];
    size_t unit;
    for (size_t i = 0; i < dmar.units_count; i++) {
        units[i].needed = !driven;
        has_others[i] = false;
    }
    for_each_pci_dev (dev) {
        if (!scope_find(&dmar, dev, &unit, NULL))
            continue;
        units[unit].needed |= driven && driven(dev);
        units[unit].hung_display |= may_hang(dev);
        has_others[unit] |= !pci_is_display(dev);
    }
    for (size_t i = 0; i < dmar.units_count; i++)
        units[i].hung_display &= !has_others[i] && !units[i].needed;
}

// Where the SRAT says nothing of a device, it is taken to be where its unit is (VT-d 8.6).
static void suggest_nodes(void)
{
    size_t unit;
    for_each_pci_dev (dev)
        if (dev->node == NODE_ANY && scope_find(&dmar, dev, &unit, NULL))
            pci_suggest_node(dev, dmar.units[unit].node);
}

struct dmar *vtd_units_read(struct problem *p)
{
    if (!read_table(p))
        return NULL;
    for (size_t i = 0; i < dmar.units_count; i++) {
        const struct dmar_unit *named = &dmar.units[i];
        units[i] = (struct vtd_unit){
            .base = named->base,
            .segment = named->segment,
            .include_pci_all = named->include_pci_all,
            .node = named->node,
        };
    }
    suggest_nodes();
    return &dmar;
}

const struct dmar *vtd_units_table(void)
{
    return &dmar;
}

struct vtd_unit *vtd_unit_named(size_t index)
{
    return index < dmar.units_count ? &units[index] : NULL;
}

struct vtd_unit *vtd_unit_get(size_t index)
{
    for (size_t i = 0; i < dmar.units_count; i++)
        if (units[i].state == VTD_UNIT_USED && index-- == 0)
            return &units[i];
    return NULL;
}

// Why a device's unit isn't used, told of the device.
static bool unused(const struct vtd_unit *u, const char *device, struct problem *p)
{
    struct problem lacks = { .what = "vtd-unit-absent" };
    switch (u->state) {
    case VTD_UNIT_LACKING:
        vtd_unit_check(u, &lacks);
        return problem_set(p, lacks.what, "%s can't be used: %s; or run with irq=msi", device,
                           lacks.message);
    case VTD_UNIT_LEFT:
        return problem_set(p, "vtd-unit-left",
                           "%s is behind VT-d unit 0x%llx, which was put aside since it failed",
                           device, (unsigned long long)u->base);
    default:
        return problem_set(p, "vtd-unit-absent",
                           "%s is behind VT-d unit 0x%llx, where nothing answers: update the "
                           "firmware",
                           device, (unsigned long long)u->base);
    }
}

struct vtd_unit *vtd_unit_of(const struct pci_dev *dev, struct problem *p)
{
    size_t i;
    if (!scope_find(&dmar, dev, &i, p))
        return NULL;
    if (units[i].state == VTD_UNIT_USED)
        return &units[i];
    unused(&units[i], dev->name, p);
    return NULL;
}
