// SPDX-License-Identifier: BSD-2-Clause
// RSDP to XSDT to MCFG. Every table is checked before it is used; what fails is as good as absent.

#include "boot/mcfg.h"

#include "boot/pci_regs.h"
#include "lib/string.h"

struct PACKED rsdp { // ACPI 6.5, 5.2.5.3
    char signature[8];
    uint8_t checksum;
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
};
static_assert(offsetof(struct rsdp, xsdt) == 24, "ACPI 6.5, 5.2.5.3");

struct PACKED table { // ACPI 6.5, 5.2.6
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem_id[6], oem_table_id[8];
    uint32_t oem_revision, creator_id, creator_revision;
};
static_assert(sizeof(struct table) == 36, "ACPI 6.5, 5.2.6");

struct PACKED mcfg_entry { // PCI Firmware 3.3, 4.1.2
    uint64_t base;
    uint16_t segment;
    uint8_t first_bus, last_bus;
    uint32_t reserved;
};
static_assert(sizeof(struct mcfg_entry) == 16, "PCI Firmware 3.3, 4.1.2");
#define MCFG_ENTRIES 44 // after the header and eight reserved bytes

#define RSDP_REVISION_XSDT 2
#define TABLE_BYTES_MAX MIB

static bool sums_to_zero(const void *bytes, size_t count)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += ((const uint8_t *)bytes)[i];
    return sum == 0;
}

static const struct table *table_at(uint64_t address, const char *signature)
{
    const struct table *t = (const struct table *)address;
    if (!address || memcmp(t->signature, signature, sizeof(t->signature)) ||
        t->length > TABLE_BYTES_MAX || !sums_to_zero(t, t->length))
        return NULL;
    return t;
}

static const struct table *find_xsdt(const struct rsdp *root)
{
    if (memcmp(root->signature, "RSD PTR ", sizeof(root->signature)) || !sums_to_zero(root, 20) ||
        root->revision < RSDP_REVISION_XSDT)
        return NULL;
    return table_at(root->xsdt, "XSDT");
}

static uint64_t config_address(const struct mcfg_entry *e, uint8_t bus, uint8_t device,
                               uint8_t function)
{
    return e->base + (field_put(PCI_ECAM_BUS, bus) | field_put(PCI_ECAM_DEVICE, device) |
                      field_put(PCI_ECAM_FUNCTION, function));
}

static bool serves(const struct mcfg_entry *e, uint16_t segment, uint8_t bus)
{
    return e->base && e->base % MIB == 0 && e->segment == segment && e->first_bus <= bus &&
           bus <= e->last_bus;
}

// By one table's whole entries.
static uint64_t find_in(const struct table *mcfg, uint16_t segment, uint8_t bus, uint8_t device,
                        uint8_t function)
{
    struct mcfg_entry e;
    for (size_t at = MCFG_ENTRIES; at + sizeof(e) <= mcfg->length; at += sizeof(e)) {
        memcpy(&e, (const uint8_t *)mcfg + at, sizeof(e));
        if (serves(&e, segment, bus))
            return config_address(&e, bus, device, function);
    }
    return 0;
}

uint64_t mcfg_config_address(uint64_t rsdp, uint16_t segment, uint8_t bus, uint8_t device,
                             uint8_t function)
{
    const struct table *xsdt = rsdp ? find_xsdt((const struct rsdp *)rsdp) : NULL;
    uint64_t found = 0;
    for (size_t at = sizeof(struct table); xsdt && !found && at + 8 <= xsdt->length; at += 8) {
        uint64_t address;
        memcpy(&address, (const uint8_t *)xsdt + at, sizeof(address));
        const struct table *mcfg = table_at(address, "MCFG");
        if (mcfg)
            found = find_in(mcfg, segment, bus, device, function);
    }
    return found;
}
