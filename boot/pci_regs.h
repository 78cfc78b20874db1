// SPDX-License-Identifier: BSD-2-Clause
// The part of PCI configuration space that the loader looks at (PCIe Base 6.0, 7.5.1).
#pragma once

#include "lib/bits.h"

#define PCI_ID 0x00
#define PCI_ID_NONE 0xffffffffu
#define PCI_COMMAND 0x04
#define PCI_COMMAND_BUS_MASTER BIT32(2)
#define PCI_CLASS 0x08
#define PCI_CLASS_BASE BITS32(31, 24)
#define PCI_CLASS_SUB BITS32(23, 16)
#define PCI_CLASS_BASE_BRIDGE 0x06
#define PCI_CLASS_BASE_SYSTEM 0x08
#define PCI_CLASS_SUB_IOMMU 0x06
#define PCI_HEADER 0x0c
#define PCI_HEADER_TYPE BITS32(22, 16)
#define PCI_HEADER_TYPE_BRIDGE 1

#define PCI_HEADER_WORDS 16 // what both header types have in common, and more

// Configuration mechanism #1 (PCI 3.0, 3.2.2.3.2): what goes into PORT_CONFIG_ADDRESS.
#define PCI_ADDRESS_ENABLE BIT32(31)
#define PCI_ADDRESS_BUS BITS32(23, 16)
#define PCI_ADDRESS_DEVICE BITS32(15, 11)
#define PCI_ADDRESS_FUNCTION BITS32(10, 8)
#define PCI_ADDRESS_REGISTER BITS32(7, 2)

// Memory-mapped configuration (PCIe Base 6.0, 7.2.2): offset from the segment's base.
#define PCI_ECAM_BUS BITS64(27, 20)
#define PCI_ECAM_DEVICE BITS64(19, 15)
#define PCI_ECAM_FUNCTION BITS64(14, 12)
