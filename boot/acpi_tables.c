// SPDX-License-Identifier: BSD-2-Clause
// RSDP to XSDT to a table. Every table is checked before it is used; what fails is as good as absent.

#include "boot/acpi_tables.h"

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

#define RSDP_REVISION_XSDT 2
#define TABLE_BYTES_MAX MIB

static bool sums_to_zero(const void *bytes, size_t count)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += ((const uint8_t *)bytes)[i];
    return sum == 0;
}

static const struct acpi_table *table_at(uint64_t address, const char *signature)
{
    const struct acpi_table *t = (const struct acpi_table *)address;
    if (!address || memcmp(t->signature, signature, sizeof(t->signature)) ||
        t->length > TABLE_BYTES_MAX || !sums_to_zero(t, t->length))
        return NULL;
    return t;
}

static const struct acpi_table *find_xsdt(const struct rsdp *root)
{
    if (memcmp(root->signature, "RSD PTR ", sizeof(root->signature)) || !sums_to_zero(root, 20) ||
        root->revision < RSDP_REVISION_XSDT)
        return NULL;
    return table_at(root->xsdt, "XSDT");
}

const struct acpi_table *acpi_tables_next(uint64_t rsdp, const char *signature, size_t *entry)
{
    const struct acpi_table *xsdt = rsdp ? find_xsdt((const struct rsdp *)rsdp) : NULL;
    const struct acpi_table *found = NULL;
    size_t at = sizeof(*xsdt) + *entry * 8;
    for (; xsdt && !found && at + 8 <= xsdt->length; at += 8, ++*entry) {
        uint64_t address;
        memcpy(&address, (const uint8_t *)xsdt + at, sizeof(address));
        found = table_at(address, signature);
    }
    return found;
}
