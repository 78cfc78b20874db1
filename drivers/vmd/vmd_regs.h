// SPDX-License-Identifier: BSD-2-Clause
// Intel Volume Management Device: what its configuration space and BARs hold. Intel publishes no
// specification; this is what Linux (drivers/pci/controller/vmd.c) and SPDK (lib/vmd) rely on.
#pragma once

#include "lib/bits.h"

// clang-format off: it would undo the indentation of fields below their register

// ---- configuration space ----
#define VMD_VMCAP 0x40 // 16
#define   VMD_VMCAP_BUS_RESTRICT BIT32(0) // VMCONFIG says where bus numbers begin
#define VMD_VMCONFIG 0x44 // 16
#define   VMD_VMCONFIG_BYPASS BIT32(1) // MSIs from below are not remapped
#define   VMD_VMCONFIG_BUSES BITS32(9, 8)
#define VMD_VMLOCK 0x70 // 32
#define   VMD_VMLOCK_SHADOW BIT32(1) // of MEMBAR2: the shadow registers are there

#define VMD_BUSES_0 0
#define VMD_BUSES_128 1
#define VMD_BUSES_224 2

// A hypervisor's vendor-specific capability instead, with the shadow registers in it.
#define PCI_CAP_VENDOR 0x09
#define VMD_CAP_SIGNATURE 0x04 // 32
#define VMD_CAP_SHADOW 0x08    // two, of 64
#define VMD_CAP_BYTES 0x18
#define VMD_SIGNATURE 0x53484457 // "SHDW"

// ---- BARs, each of 64 bits ----
#define VMD_CFGBAR 0  // configuration space: 1 MiB for each bus
#define VMD_MEMBAR1 2 // memory of what is behind
#define VMD_MEMBAR2 4 // the same, behind the VMD's own registers

#define VMD_MEMBAR2_OWN 0x2000    // MSI-X table and PBA
#define VMD_MEMBAR2_SHADOW 0x2000 // where MEMBAR1 and MEMBAR2 really are: two, of 64
#define VMD_MEMBAR2_SHADOW_BYTES 0x10

// ---- MSIs from below, as the VMD takes them: the destination is an entry of its MSI-X table ----
#define VMD_MSI_ADDRESS 0xfee00000u
#define   VMD_MSI_ADDRESS_ENTRY BITS32(19, 12)
#define VMD_MSI_ENTRIES 256
