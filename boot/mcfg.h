// SPDX-License-Identifier: BSD-2-Clause
// Where PCI segments have their memory-mapped configuration space. Pure; as under firmware's
// identity map, physical addresses in tables are taken for pointers.
#pragma once

#include "lib/types.h"

// Physical address of the 4 KiB of registers of a function, by the MCFG tables that the ACPI root
// pointer leads to (PCI Firmware 3.3, 4.1.2). 0: no valid table names this segment and bus.
uint64_t mcfg_config_address(uint64_t rsdp, uint16_t segment, uint8_t bus, uint8_t device,
                             uint8_t function);
