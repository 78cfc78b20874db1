// SPDX-License-Identifier: BSD-2-Clause
// The entries of MCFG tables.

#include "boot/mcfg.h"

#include "boot/acpi_tables.h"
#include "boot/pci_regs.h"
#include "lib/string.h"

struct PACKED mcfg_entry { // PCI Firmware 3.3, 4.1.2
    uint64_t base;
    uint16_t segment;
    uint8_t first_bus, last_bus;
    uint32_t reserved;
};
static_assert(sizeof(struct mcfg_entry) == 16, "PCI Firmware 3.3, 4.1.2");
#define MCFG_ENTRIES 44 // after the header and eight reserved bytes

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
static uint64_t find_in(const struct acpi_table *mcfg, uint16_t segment, uint8_t bus,
                        uint8_t device, uint8_t function)
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
    size_t entry = 0;
    uint64_t found = 0;
    const struct acpi_table *mcfg;
    while (!found && (mcfg = acpi_tables_next(rsdp, "MCFG", &entry)))
        found = find_in(mcfg, segment, bus, device, function);
    return found;
}
