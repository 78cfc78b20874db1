// SPDX-License-Identifier: BSD-2-Clause
// Firmware's ACPI tables. Pure; as under firmware's identity map, physical addresses in tables are taken
// for pointers.
#pragma once

#include "lib/types.h"

struct PACKED acpi_table { // ACPI 6.5, 5.2.6
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem_id[6], oem_table_id[8];
    uint32_t oem_revision, creator_id, creator_revision;
};
static_assert(sizeof(struct acpi_table) == 36, "ACPI 6.5, 5.2.6");

// The next table of a signature behind `*entry` entries of the XSDT that the ACPI root pointer leads to, its
// checksum checked; NULL: there is none. Begin with 0. Its length may be too short for any table.
const struct acpi_table *acpi_tables_next(uint64_t rsdp, const char *signature, size_t *entry);
