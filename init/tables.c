// SPDX-License-Identifier: BSD-2-Clause
// Finds and parses the tables that the boot steps need.

#include "init/tables.h"

#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "lib/string.h"

static struct madt_cpu madt_cpus[CPU_MAX];
static struct srat_cpu srat_cpus[CPU_MAX];
static struct tables tables = {
    .madt = { .cpus = madt_cpus, .cpus_max = CPU_MAX },
    .srat = { .cpus = srat_cpus, .cpus_max = CPU_MAX },
};

static void read_madt(void)
{
    struct problem p;
    const struct acpi_header *t = acpi_find("APIC");
    if (!t)
        fail("no-madt", "ACPI has no usable MADT (signature APIC): the CPUs can't be found");
    if (!madt_parse(t, t->length, &tables.madt, &p))
        fail_problem(&p);
}

static void read_srat(void)
{
    struct problem p;
    const struct acpi_header *t = acpi_find("SRAT");
    if (!t || srat_parse(t, t->length, &tables.srat, &p))
        return;
    warn(p.what, "%s: memory is taken as one node", p.message);
    tables.srat.cpus_count = tables.srat.memory_count = tables.srat.devices_count = 0;
}

static void read_others(void)
{
    struct problem p;
    const struct acpi_header *t = acpi_find("FACP");
    tables.has_fadt = t && fadt_parse(t, t->length, &tables.fadt, &p);
    tables.is_qemu = tables.has_fadt && memcmp(t->oem_id, "BOCHS ", sizeof(t->oem_id)) == 0;
    t = acpi_find("HPET");
    tables.has_hpet = t && hpet_parse(t, t->length, &tables.hpet, &p);
}

const struct tables *tables_read(const struct handoff *h)
{
    struct problem p;
    if (!acpi_init(h->rsdp, &p))
        fail_problem(&p);
    read_madt();
    read_srat();
    read_others();
    return &tables;
}

uint8_t tables_nmi_lint(uint32_t apic_id)
{
    const struct acpi_header *t = acpi_find("APIC");
    uint8_t lint = 1;
    for (size_t i = 0; t && i < tables.madt.cpus_count; i++)
        if (tables.madt.cpus[i].apic_id == apic_id)
            (void)madt_find_nmi(t, t->length, tables.madt.cpus[i].uid, &lint); // else the default
    return lint;
}
