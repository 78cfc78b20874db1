// SPDX-License-Identifier: BSD-2-Clause
// The registry of remapping units: those that the DMAR table names, and which one a device is behind.

#include "drivers/vtd/scope.h"
#include "drivers/vtd/unit.h"
#include "kernel/acpi/acpi.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"

static struct dmar dmar;
static struct vtd_unit units[DMAR_UNITS_MAX]; // as dmar.units[]

static bool read_table(struct problem *p)
{
    const struct acpi_header *table = acpi_find("DMAR");
    if (!table)
        return problem_set(p, "no-vtd",
                           "this machine has no usable DMAR table: turn VT-d on in the firmware "
                           "set-up (QEMU: -device intel-iommu,intremap=on,eim=on)");
    if (!dmar_parse(table, table->length, &dmar, p))
        return false;
    for (size_t i = 0; i < MIN(dmar.warnings_count, (size_t)DMAR_WARNINGS_MAX); i++)
        warn_problem(&dmar.warnings[i]);
    if (dmar.warnings_count > DMAR_WARNINGS_MAX)
        warn("dmar-warnings", "%zu more things are wrong with the DMAR table",
             dmar.warnings_count - DMAR_WARNINGS_MAX);
    return true;
}

// Where the SRAT says nothing of a device, it is taken to be where its unit is (VT-d 8.6).
static void suggest_nodes(void)
{
    struct problem ignored;
    struct pci_dev *dev;
    size_t unit;
    for (size_t i = 0; (dev = pci_get(i)); i++)
        if (dev->node == NODE_ANY && scope_find(&dmar, dev, &unit, &ignored))
            pci_suggest_node(dev, dmar.units[unit].node);
}

const struct dmar *vtd_units_read(struct problem *p)
{
    if (!read_table(p))
        return NULL;
    for (size_t i = 0; i < dmar.units_count; i++) {
        const struct dmar_unit *named = &dmar.units[i];
        units[i].base = named->base;
        units[i].segment = named->segment;
        units[i].include_pci_all = named->include_pci_all;
        units[i].node = named->node;
    }
    suggest_nodes();
    return &dmar;
}

struct vtd_unit *vtd_unit_named(size_t index)
{
    return index < dmar.units_count ? &units[index] : NULL;
}

struct vtd_unit *vtd_unit_get(size_t index)
{
    for (size_t i = 0; i < dmar.units_count; i++)
        if (units[i].regs && index-- == 0)
            return &units[i];
    return NULL;
}

struct vtd_unit *vtd_unit_of(const struct pci_dev *dev, struct problem *p)
{
    size_t i;
    if (!scope_find(&dmar, dev, &i, p))
        return NULL;
    if (units[i].regs)
        return &units[i];
    problem_set(p, "vtd-unit-absent",
                "%s is behind VT-d unit 0x%llx, where nothing answers: update the firmware",
                dev->name, (unsigned long long)units[i].base);
    return NULL;
}
