// SPDX-License-Identifier: BSD-2-Clause
// All parsers of ACPI tables, and the search for \_S5_. The first byte picks the parser, and says
// whether length and checksum are put right first, to reach what lies behind those checks.

#include <stdlib.h>
#include <string.h>

#include "kernel/acpi/acpi.h"

#define CPUS 64

enum { FIX_HEADER = 0x80, HEADER_BYTES = 36, RSDP_BYTES = 20 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

static struct warnings found;

static void try_madt(const void *table, size_t length, struct problem *p)
{
    static struct madt_cpu cpus[CPUS];
    size_t most = madt_ioapics_max(length);
    struct madt_ioapic *ioapics = calloc(most + 1, sizeof(*ioapics));
    struct madt out = { .cpus = cpus, .cpus_max = CPUS, .ioapics = ioapics, .ioapics_max = most };
    bool ok = madt_parse(table, length, &out, &found, p);
    free(ioapics);
    require(out.cpus_count <= CPUS && out.ioapics_count <= most);
    require(!ok || out.cpus_count > 0);
    for (size_t i = 0; i < out.cpus_count; i++)
        for (size_t j = 0; j < i; j++)
            require(cpus[i].apic_id != cpus[j].apic_id);
}

static void try_srat(const void *table, size_t length, struct problem *p)
{
    static struct srat_cpu cpus[CPUS];
    static struct srat out;
    out = (struct srat){ .cpus = cpus, .cpus_max = CPUS };
    srat_parse(table, length, &out, &found, p);
    require(out.cpus_count <= CPUS && out.memory_count <= ARRAY_SIZE(out.memory));
    for (size_t i = 0; i < out.memory_count; i++)
        require(out.memory[i].bytes &&
                out.memory[i].base + out.memory[i].bytes > out.memory[i].base);
}

static void try_mcfg(const void *table, size_t length, struct problem *p)
{
    static struct mcfg out;
    out.count = 0;
    if (!mcfg_parse(table, length, &out, &found, p)) {
        require(out.count == 0);
        return;
    }
    require(out.count > 0 && out.count <= ARRAY_SIZE(out.segments));
    for (size_t i = 0; i < out.count; i++) {
        const struct mcfg_segment *s = &out.segments[i];
        require(s->base && s->base % MIB == 0 && s->first_bus <= s->last_bus);
        require(s->base + 256 * MIB <= 1ull << 52);
    }
}

static void try_hpet(const void *table, size_t length, struct problem *p)
{
    struct hpet_table out;
    require(hpet_parse(table, length, &out, p) == (out.address != 0));
}

static void try_fadt(const void *table, size_t length, struct problem *p)
{
    struct fadt out;
    fadt_parse(table, length, &out, p);
    require(!out.pm_timer_io || out.pm_timer <= UINT16_MAX);
    require(!out.reset_io || out.reset <= UINT16_MAX);
}

static void try_rsdp(const void *table, size_t length, struct problem *p)
{
    struct acpi_roots out;
    if (acpi_rsdp_parse(table, length, &out, p))
        require(out.rsdt || out.xsdt);
}

static void try_s5(const void *table, size_t length, struct problem *p)
{
    uint8_t a = 0, b = 0;
    acpi_s5_find(table, length, &a, &b);
    require(a <= 7 && b <= 7);
}

static const struct {
    const char *signature;
    void (*run)(const void *table, size_t length, struct problem *p);
} targets[] = {
    { "APIC", try_madt }, { "SRAT", try_srat },     { "MCFG", try_mcfg }, { "HPET", try_hpet },
    { "FACP", try_fadt }, { "RSD PTR ", try_rsdp }, { "DSDT", try_s5 },
};

static void fix_sum(uint8_t *bytes, size_t at, size_t count)
{
    uint8_t total = 0;
    bytes[at] = 0;
    for (size_t i = 0; i < count; i++)
        total = (uint8_t)(total + bytes[i]);
    bytes[at] = (uint8_t)-total;
}

static void fix(uint8_t *table, size_t length, const char *signature)
{
    uint32_t value = (uint32_t)length;
    bool rsdp = strlen(signature) == 8;
    if (length < (rsdp ? RSDP_BYTES : HEADER_BYTES))
        return;
    memcpy(table, signature, rsdp ? 8 : 4);
    if (rsdp) {
        fix_sum(table, 8, RSDP_BYTES);
        if (length >= HEADER_BYTES) {
            memcpy(table + 20, &value, 4);
            fix_sum(table, 32, length);
        }
        return;
    }
    memcpy(table + 4, &value, 4);
    fix_sum(table, 9, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problem p;
    if (size == 0)
        return 0;
    size_t length = size - 1, target = (data[0] & ~FIX_HEADER) % ARRAY_SIZE(targets);
    uint8_t *table = malloc(length ? length : 1); // exactly as long as it claims to be
    memcpy(table, data + 1, length);
    if (data[0] & FIX_HEADER)
        fix(table, length, targets[target].signature);
    found.count = 0;
    targets[target].run(table, length, &p);
    require(found.count < WARNINGS_KINDS);
    free(table);
    return 0;
}
