// SPDX-License-Identifier: BSD-2-Clause
// PCI configuration space and the MSI-X table (PCIe Base 6.0, 7.5 and 7.7). A register's width is
// in its comment; masks count from that register's bit 0.
#pragma once

#include "lib/bits.h"

// clang-format off: it would undo the indentation of fields below their register

// ---- where a function is in its segment's ECAM window (7.2.2) ----
#define PCI_ECAM_BUS BITS64(27, 20)
#define PCI_ECAM_DEVICE BITS64(19, 15)
#define PCI_ECAM_FUNCTION BITS64(14, 12)
#define PCI_ECAM_BUS_BYTES (1u << 20)

#define PCI_DEVICES_MAX 32  // on a bus
#define PCI_FUNCTIONS_MAX 8 // of a device

// ---- common header (7.5.1.1) ----
#define PCI_VENDOR_DEVICE 0x00 // 32
#define   PCI_VENDOR_DEVICE_VENDOR BITS32(15, 0)
#define   PCI_VENDOR_DEVICE_DEVICE BITS32(31, 16)
#define PCI_VENDOR_ABSENT 0xffff          // nothing there: the read was not answered
#define PCI_VENDOR_DEVICE_RETRY 0xffff0001u // there, but not ready (2.3.1.1)
#define PCI_COMMAND 0x04 // 16
#define   PCI_COMMAND_IO BIT32(0)
#define   PCI_COMMAND_MEMORY BIT32(1)
#define   PCI_COMMAND_MASTER BIT32(2)
#define   PCI_COMMAND_SERR BIT32(8)
#define   PCI_COMMAND_INTX_DISABLE BIT32(10)
#define PCI_STATUS 0x06 // 16
#define   PCI_STATUS_CAP_LIST BIT32(4)
#define PCI_CLASS_REVISION 0x08 // 32
#define   PCI_CLASS_REVISION_CLASS BITS32(31, 8)
#define   PCI_CLASS_REVISION_REVISION BITS32(7, 0)
#define PCI_HEADER_TYPE 0x0e // 8
#define   PCI_HEADER_TYPE_LAYOUT BITS32(6, 0)
#define   PCI_HEADER_TYPE_MULTI BIT32(7)
#define PCI_HEADER_NORMAL 0
#define PCI_HEADER_BRIDGE 1
#define PCI_SUBSYSTEM_VENDOR 0x2c // 16
#define PCI_SUBSYSTEM_ID 0x2e     // 16
#define PCI_CAP_POINTER 0x34 // 8

#define PCI_HEADER_KEPT 0x0c // from here to the end of the header: what firmware configured
#define PCI_HEADER_WORDS 16 // of 32 bits

#define PCI_CLASS_NONE 0xffffff // of pci_dev.class_code: the read was not answered
#define PCI_CLASS_BASE BITS32(23, 16)
#define PCI_CLASS_BASE_SUB BITS32(23, 8)
#define PCI_CLASS_BRIDGE 0x06
#define PCI_CLASS_HOST_BRIDGE 0x0600
#define PCI_CLASS_IOMMU 0x0806

// ---- base address registers (7.5.1.2.1) ----
#define PCI_BAR(n) (0x10 + 4 * (n)) // 32
#define   PCI_BAR_IO BIT32(0)
#define   PCI_BAR_IO_BASE BITS32(31, 2)
#define   PCI_BAR_TYPE BITS32(2, 1)
#define   PCI_BAR_PREFETCHABLE BIT32(3)
#define   PCI_BAR_BASE BITS32(31, 4)
#define PCI_BAR_TYPE_32 0
#define PCI_BAR_TYPE_64 2
#define PCI_BARS_NORMAL 6
#define PCI_BARS_BRIDGE 2 // what follows is bus numbers and windows

// ---- bridges (7.5.1.3) ----
#define PCI_BUS_NUMBERS 0x18 // 32
#define   PCI_BUS_NUMBERS_PRIMARY BITS32(7, 0)
#define   PCI_BUS_NUMBERS_SECONDARY BITS32(15, 8)
#define   PCI_BUS_NUMBERS_SUBORDINATE BITS32(23, 16)
#define PCI_MEMORY_WINDOW 0x20 // 32: addresses passed on, in steps of 1 MiB
#define   PCI_WINDOW_BASE BITS32(15, 4)
#define   PCI_WINDOW_LIMIT BITS32(31, 20)
#define   PCI_WINDOW_WIDE BIT32(0) // of the next: it has upper halves
#define PCI_PREFETCHABLE_WINDOW 0x24 // 32
#define PCI_PREFETCHABLE_BASE_HIGH 0x28 // 32
#define PCI_PREFETCHABLE_LIMIT_HIGH 0x2c // 32

// ---- capabilities (7.5.1.1.11) ----
#define PCI_CAP_FIRST 0x40 // below is the header
#define PCI_CAP_LAST 0xfc
#define PCI_CAP_COUNT_MAX 48 // as many as fit
#define PCI_CAP_HEADER 0x00  // 16
#define   PCI_CAP_HEADER_ID BITS32(7, 0)
#define   PCI_CAP_HEADER_NEXT BITS32(15, 8)
#define PCI_CAP_ALIGN 4

// ---- power management capability (7.5.2) ----
#define PCI_CAP_POWER 0x01
#define PCI_POWER_CONTROL 0x04 // 16
#define   PCI_POWER_CONTROL_STATE BITS32(1, 0) // D0 to D3hot
#define   PCI_POWER_CONTROL_PME_STATUS BIT32(15) // cleared by writing 1
#define PCI_POWER_D2 2
#define PCI_POWER_D3HOT 3

// ---- PCI Express capability (7.5.3) ----
#define PCI_CAP_EXP 0x10
#define PCI_EXP_FLAGS 0x02 // 16
#define   PCI_EXP_FLAGS_VERSION BITS32(3, 0) // the first one has no DEVICE_CONTROL2
#define   PCI_EXP_FLAGS_TYPE BITS32(7, 4)
#define   PCI_EXP_FLAGS_SLOT BIT32(8) // a port's: it has a slot
#define PCI_EXP_TYPE_ENDPOINT 0x0
#define PCI_EXP_TYPE_ROOT_PORT 0x4
#define PCI_EXP_TYPE_UPSTREAM 0x5
#define PCI_EXP_TYPE_DOWNSTREAM 0x6
#define PCI_EXP_TYPE_PCIE_TO_PCI 0x7
#define PCI_EXP_TYPE_PCI_TO_PCIE 0x8
#define PCI_EXP_TYPE_NONE 0xff // ours: no such capability
#define PCI_EXP_DEVICE_CAP 0x04 // 32
#define   PCI_EXP_DEVICE_CAP_PAYLOAD BITS32(2, 0) // 128 bytes << this, at most
#define   PCI_EXP_DEVICE_CAP_RESET BIT32(28) // it has a reset of its own
#define PCI_EXP_DEVICE_CONTROL 0x08 // 16
#define   PCI_EXP_DEVICE_CONTROL_REPORTS BITS32(3, 0) // error messages that it sends
#define   PCI_EXP_DEVICE_CONTROL_RESET BIT32(15) // Initiate Function Level Reset; reads 0
#define   PCI_EXP_DEVICE_CONTROL_PAYLOAD BITS32(7, 5)
#define PCI_EXP_LINK_CAP 0x0c // 32
#define   PCI_EXP_LINK_CAP_ACTIVE BIT32(20) // LINK_STATUS tells whether it is up
#define PCI_EXP_LINK_CONTROL 0x10 // 16
#define   PCI_EXP_LINK_CONTROL_DISABLE BIT32(4)
#define PCI_EXP_LINK_STATUS 0x12 // 16
#define   PCI_EXP_LINK_STATUS_ACTIVE BIT32(13)
#define PCI_EXP_SLOT_CAP 0x14 // 32
#define   PCI_EXP_SLOT_CAP_POWER BIT32(1) // its power can be switched
#define   PCI_EXP_SLOT_CAP_LATCH BIT32(2) // a sensor tells whether its latch is open
#define   PCI_EXP_SLOT_CAP_HOT_PLUG BIT32(6)
#define PCI_EXP_SLOT_CONTROL 0x18 // 16
#define   PCI_EXP_SLOT_CONTROL_INDICATOR BITS32(9, 8) // of power
#define   PCI_EXP_SLOT_CONTROL_POWER_OFF BIT32(10)
#define PCI_EXP_SLOT_INDICATOR_ON 1
#define PCI_EXP_SLOT_INDICATOR_OFF 3
#define PCI_EXP_SLOT_STATUS 0x1a // 16
#define   PCI_EXP_SLOT_STATUS_BUTTON BIT32(0) // was pressed; these are cleared by writing 1
#define   PCI_EXP_SLOT_STATUS_PRESENCE_CHANGED BIT32(3)
#define   PCI_EXP_SLOT_STATUS_LINK_CHANGED BIT32(8)
#define   PCI_EXP_SLOT_STATUS_EVENTS (BITS32(4, 0) | BIT32(8))
#define   PCI_EXP_SLOT_STATUS_OPEN BIT32(5) // its latch
#define   PCI_EXP_SLOT_STATUS_PRESENT BIT32(6)
#define PCI_EXP_ROOT_CONTROL 0x1c // 16: which errors firmware is told of
#define   PCI_EXP_ROOT_CONTROL_SYSTEM_ERRORS BITS32(2, 0)
#define PCI_EXP_DEVICE_CONTROL2 0x28 // 16
#define   PCI_EXP_DEVICE_CONTROL2_ARI BIT32(5) // a port's: forwards to functions past 7

// ---- MSI capability (7.7.1) ----
#define PCI_CAP_MSI 0x05
#define PCI_MSI_CONTROL 0x02 // 16
#define   PCI_MSI_CONTROL_ENABLE BIT32(0)

// ---- MSI-X capability and table (7.7.2) ----
#define PCI_CAP_MSIX 0x11
#define PCI_MSIX_CONTROL 0x02 // 16
#define   PCI_MSIX_CONTROL_TABLE_SIZE BITS32(10, 0) // entries - 1
#define   PCI_MSIX_CONTROL_FUNCTION_MASK BIT32(14)
#define   PCI_MSIX_CONTROL_ENABLE BIT32(15)
#define PCI_MSIX_TABLE 0x04 // 32
#define   PCI_MSIX_TABLE_BIR BITS32(2, 0)
#define   PCI_MSIX_TABLE_OFFSET BITS32(31, 3) // in units of 8 bytes
#define PCI_MSIX_PBA 0x08 // 32; its fields are as the table's
#define PCI_MSIX_CAP_BYTES 12

// ---- extended capabilities (7.6.3) ----
#define PCI_CONFIG_BYTES 4096
#define PCI_EXT_CAP_FIRST 0x100
#define PCI_EXT_CAP_COUNT_MAX 480 // as many as fit
#define   PCI_EXT_CAP_ID BITS32(15, 0)
#define   PCI_EXT_CAP_NEXT BITS32(31, 20)

// ---- Alternative Routing-ID Interpretation (7.8.8) ----
#define PCI_EXT_CAP_ARI 0x000e
#define PCI_ARI_CAP 0x04 // 16
#define   PCI_ARI_CAP_NEXT BITS32(15, 8)
#define PCI_ARI_FUNCTIONS_MAX 256

// ---- Access Control Services (7.7.11): capability and control have the same bits ----
#define PCI_EXT_CAP_ACS 0x000d
#define PCI_ACS_CAP 0x04     // 16
#define PCI_ACS_CONTROL 0x06 // 16
#define   PCI_ACS_SOURCE_VALIDATION BIT32(0)
#define   PCI_ACS_TRANSLATION_BLOCKING BIT32(1)
#define   PCI_ACS_REQUEST_REDIRECT BIT32(2)
#define   PCI_ACS_COMPLETION_REDIRECT BIT32(3)
#define   PCI_ACS_UPSTREAM_FORWARDING BIT32(4)

// ---- what asks for translations: ATS (10.5.1), page requests (10.5.2), PASID (7.8.9) ----
#define PCI_EXT_CAP_ATS 0x000f
#define PCI_ATS_CONTROL 0x06 // 16
#define   PCI_ATS_CONTROL_ENABLE BIT32(15)
#define PCI_EXT_CAP_PRI 0x0013
#define PCI_PRI_CONTROL 0x04 // 16
#define   PCI_PRI_CONTROL_ENABLE BIT32(0)
#define PCI_EXT_CAP_PASID 0x001b
#define PCI_PASID_CONTROL 0x06 // 16
#define   PCI_PASID_CONTROL_ENABLE BIT32(0)

// ---- Single Root I/O Virtualization (9.3.3) ----
#define PCI_EXT_CAP_SRIOV 0x0010
#define PCI_SRIOV_BYTES 0x40
#define PCI_SRIOV_CONTROL 0x08 // 16
#define   PCI_SRIOV_CONTROL_VF_ENABLE BIT32(0)
#define   PCI_SRIOV_CONTROL_VF_MEMORY BIT32(3)
#define   PCI_SRIOV_CONTROL_ARI BIT32(4) // the port above forwards to functions past 7
#define PCI_SRIOV_INITIAL_VFS 0x0c // 16
#define PCI_SRIOV_TOTAL_VFS 0x0e // 16
#define PCI_SRIOV_NUM_VFS 0x10   // 16
#define PCI_SRIOV_VF_OFFSET 0x14 // 16
#define PCI_SRIOV_VF_STRIDE 0x16 // 16
#define PCI_SRIOV_VF_DEVICE 0x1a // 16
#define PCI_SRIOV_PAGE_SIZE 0x20 // 32: in use, bit n for 4 KiB << n
#define   PCI_SRIOV_PAGE_SIZE_4K BIT32(0) // which each function has
#define PCI_SRIOV_VF_BAR 0x24    // six, of 32

// ---- Advanced Error Reporting (7.8.4) ----
#define PCI_EXT_CAP_AER 0x0001
#define PCI_AER_BYTES 0x38
#define PCI_AER_UNCORRECTABLE 0x04 // 32: status, cleared by writing 1,
#define PCI_AER_UNCORRECTABLE_MASK 0x08
#define PCI_AER_UNCORRECTABLE_SEVERITY 0x0c // 1: fatal
#define PCI_AER_CORRECTABLE 0x10 // 32: status, cleared by writing 1,
#define PCI_AER_CORRECTABLE_MASK 0x14
#define PCI_AER_CONTROL 0x18 // 32
#define   PCI_AER_CONTROL_FIRST BITS32(4, 0) // whose the header log is
#define   PCI_AER_CONTROL_FLIT BIT32(18)     // it was logged in flit mode
#define PCI_AER_HEADER 0x1c // four, of 32
#define PCI_AER_ROOT_STATUS 0x30 // 32, of root ports: messages received; cleared by writing 1
#define   PCI_AER_ROOT_CORRECTABLE BIT32(0)
#define   PCI_AER_ROOT_UNCORRECTABLE BIT32(2)
#define   PCI_AER_ROOT_FATAL BIT32(6)
#define   PCI_AER_ROOT_RECEIVED BITS32(6, 0)
#define PCI_AER_ROOT_SOURCE 0x34 // 32
#define   PCI_AER_ROOT_SOURCE_CORRECTABLE BITS32(15, 0)
#define   PCI_AER_ROOT_SOURCE_UNCORRECTABLE BITS32(31, 16)

// ---- Downstream Port Containment (7.9.14) ----
#define PCI_EXT_CAP_DPC 0x001d
#define PCI_DPC_BYTES 0x30 // with the log of root ports
#define PCI_DPC_CAP 0x04 // 16
#define   PCI_DPC_CAP_ROOT BIT32(5) // it has that log
#define PCI_DPC_CONTROL 0x06 // 16
#define   PCI_DPC_CONTROL_ERR_COR BIT32(4)  // firmware is told,
#define   PCI_DPC_CONTROL_SIG_SFW BIT32(8)  // in either way
#define PCI_DPC_STATUS 0x08 // 16
#define   PCI_DPC_STATUS_TRIGGERED BIT32(0) // cleared by writing 1, which lets the link up again
#define   PCI_DPC_STATUS_REASON BITS32(2, 1)
#define   PCI_DPC_STATUS_BUSY BIT32(4) // a root port: not now
#define   PCI_DPC_STATUS_EXTENSION BITS32(6, 5) // of REASON
#define PCI_DPC_SOURCE 0x0a // 16
#define PCI_DPC_PIO 0x0c // 32: status, cleared by writing 1
#define PCI_DPC_PIO_HEADER 0x20 // four, of 32
#define PCI_DPC_REASON_LOCAL 0 // of REASON: an unmasked uncorrectable error of the port's own,
#define PCI_DPC_REASON_NONFATAL 1 // ERR_NONFATAL or ERR_FATAL from below,
#define PCI_DPC_REASON_FATAL 2
#define PCI_DPC_REASON_MORE 3 // or what EXTENSION says:
#define PCI_DPC_MORE_PIO 0 // a root port's own request failed,
#define PCI_DPC_MORE_SOFTWARE 1 // or software asked for it

// ---- the header of a packet, as logged: the first byte is the highest (2.2.1) ----
#define PCI_TLP_FORMAT_LONG BIT32(29) // word 0: four words, else three
#define PCI_TLP_FORMAT_DATA BIT32(30) // with data
#define PCI_TLP_FORMAT_PREFIX BIT32(31)
#define PCI_TLP_TYPE BITS32(28, 24)
#define   PCI_TLP_MEMORY 0x00
#define   PCI_TLP_MEMORY_LOCKED 0x01
#define   PCI_TLP_IO 0x02
#define   PCI_TLP_CONFIG_0 0x04
#define   PCI_TLP_CONFIG_1 0x05
#define   PCI_TLP_COMPLETION 0x0a
#define   PCI_TLP_COMPLETION_LOCKED 0x0b
#define   PCI_TLP_ATOMIC_FIRST 0x0c
#define   PCI_TLP_ATOMIC_LAST 0x0e
#define   PCI_TLP_MESSAGE 0x10
#define   PCI_TLP_MESSAGE_LAST 0x17
#define PCI_TLP_FROM BITS32(31, 16) // word 1: the requester, or who completes
#define PCI_TLP_TO BITS32(31, 16) // word 2: whose configuration, or who is answered
#define PCI_TLP_REGISTER BITS32(11, 2) // word 2, of a configuration request
#define PCI_TLP_ADDRESS BITS32(31, 2)

#define MSIX_ENTRY_BYTES 16
#define MSIX_ENTRY_ADDRESS_LOW 0x0  // 32
#define MSIX_ENTRY_ADDRESS_HIGH 0x4 // 32
#define MSIX_ENTRY_DATA 0x8         // 32
#define MSIX_ENTRY_CONTROL 0xc      // 32
#define   MSIX_ENTRY_CONTROL_MASK BIT32(0)
