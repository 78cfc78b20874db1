// SPDX-License-Identifier: BSD-2-Clause
// Finds and parses the tables that the boot steps need.

#include "init/tables.h"

#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/mem/map.h"
#include "kernel/mem/mem.h"
#include "lib/string.h"

#define HPET_BYTES 1024 // the register block (IA-PC HPET 1.0a, 2.3.1)

static struct madt_cpu madt_cpus[CPU_MAX];
static struct srat_cpu srat_cpus[CPU_MAX];
static struct tables tables = {
    .madt = { .cpus = madt_cpus, .cpus_max = CPU_MAX },
    .srat = { .cpus = srat_cpus, .cpus_max = CPU_MAX },
};

static bool parse_madt(const struct acpi_header *t, void *out, struct warnings *w,
                       struct problem *p)
{
    struct madt *madt = out;
    size_t most = madt_ioapics_max(t->length);
    if (most > madt->ioapics_max) {
        madt->ioapics =
            mem_alloc(most * sizeof(*madt->ioapics), alignof(struct madt_ioapic), NODE_ANY);
        madt->ioapics_max = most;
    }
    return madt_parse(t, t->length, madt, w, p);
}

static bool parse_srat(const struct acpi_header *t, void *out, struct warnings *w,
                       struct problem *p)
{
    return srat_parse(t, t->length, out, w, p);
}

static bool parse_fadt(const struct acpi_header *t, void *out, struct warnings *w,
                       struct problem *p)
{
    tables.is_qemu = memcmp(t->oem_id, "BOCHS ", sizeof(t->oem_id)) == 0;
    return fadt_parse(t, t->length, out, p);
}

static bool parse_hpet(const struct acpi_header *t, void *out, struct warnings *w,
                       struct problem *p)
{
    return hpet_parse(t, t->length, out, p);
}

static void read_madt(void)
{
    struct problem p;
    if (!acpi_find("APIC"))
        fail("no-madt", "ACPI has no usable MADT (signature APIC): the CPUs can't be found");
    if (!acpi_read("APIC", parse_madt, &tables.madt, &p))
        fail_problem(&p);
}

// False: there is none, which is fine, or none that can be used.
static bool read_optional(const char *signature, acpi_parser parse, void *out)
{
    struct problem p;
    if (!acpi_find(signature))
        return false;
    if (acpi_read(signature, parse, out, &p))
        return true;
    warn(p.what, "%s: going on without that table", p.message);
    return false;
}

static void read_srat(void)
{
    if (!read_optional("SRAT", parse_srat, &tables.srat))
        tables.srat.cpus_count = tables.srat.memory_count = tables.srat.devices_count = 0;
}

static bool has_registers(const char *name, uint64_t address, size_t bytes)
{
    if (mem_may_be_mmio(address, bytes))
        return true;
    warn("acpi-registers",
         "ACPI: the registers of the %s can't be at 0x%llx, which is RAM, the interrupt window or "
         "past what the CPU can "
         "reach: going on without; update the firmware",
         name, (unsigned long long)address);
    return false;
}

static void read_fadt(void)
{
    struct fadt *f = &tables.fadt;
    tables.has_fadt = read_optional("FACP", parse_fadt, f);
    tables.is_qemu &= tables.has_fadt;
    if (f->pm_timer && !f->pm_timer_io && !has_registers("PM timer", f->pm_timer, 4))
        f->pm_timer = 0;
    if (f->reset && !f->reset_io && !has_registers("reset", f->reset, 1))
        f->reset = 0;
}

void tables_add_boot_cpu(uint32_t apic_id)
{
    if (madt_add_boot(&tables.madt, apic_id))
        warn("madt-boot-cpu",
             "ACPI MADT: the CPU that runs (APIC id 0x%x) is not among those that are on: used all "
             "the same; update the firmware",
             apic_id);
}

const struct tables *tables_read(const struct handoff *h)
{
    struct problem p;
    if (!acpi_init(h->rsdp, &p))
        fail_problem(&p);
    read_madt();
    read_srat();
    read_fadt();
    tables.has_hpet = read_optional("HPET", parse_hpet, &tables.hpet) &&
                      has_registers("HPET", tables.hpet.address, HPET_BYTES);
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
