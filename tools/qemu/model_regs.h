// SPDX-License-Identifier: BSD-2-Clause
// VT-d layouts as the platform model sees them. Written from the specification, and apart from
// drivers/vtd on purpose: a mask that is wrong on one side then shows as a failing run.
#pragma once

#include "lib/bits.h"

// Registers (VT-d 11.4), each followed by its fields.
#define REG_CAP_HIGH 0x0c
#define CAP_HIGH_PI BIT32(59 - 32)
#define REG_CAP 0x08
#define CAP_FRO BITS64(33, 24) // in units of 16 bytes
#define CAP_NFR BITS64(47, 40) // one less than the number of records
#define REG_ECAP 0x10
#define ECAP_IR BIT64(3)
#define ECAP_EIM BIT64(4)
#define REG_GCMD 0x18
#define GCMD_SIRTP BIT32(24)
#define REG_GSTS 0x1c
#define GSTS_IRES BIT32(25)
#define REG_FSTS 0x34
#define FSTS_PFO BIT32(0)
#define FSTS_PPF BIT32(1)
#define FSTS_IQE BIT32(4)
#define REG_FECTL 0x38
#define FECTL_IP BIT32(30)
#define FECTL_IM BIT32(31)
#define REG_FEDATA 0x3c
#define REG_FEADDR 0x40
#define REG_FEUADDR 0x44
#define REG_IRTA 0xb8
#define IRTA_S BITS64(3, 0) // 2^(S+1) entries
#define IRTA_EIME BIT64(11)
#define IRTA_BASE BITS64(63, 12)

// A fault record (VT-d 11.4.7.6): 16 bytes, as four words.
#define FRCD_SIZE 16
#define FRCD_WORD_INDEX 1 // interrupt faults: the index in 63:48
#define FRCD1_INDEX BITS32(31, 16)
#define FRCD_WORD_REASON 3
#define FRCD3_FR BITS32(7, 0)
#define FRCD3_F BIT32(31)

// An interrupt request: a 4-byte write from FEE0_0000h on (VT-d 5.1.2).
#define INTERRUPT_WINDOW 0xfee00000ull
#define MSI_ADDRESS_HANDLE BITS64(19, 5) // handle[14:0]
#define MSI_ADDRESS_FORMAT BIT64(4)      // 1: remappable
#define MSI_ADDRESS_SHV BIT64(3)
#define MSI_ADDRESS_HANDLE_15 BIT64(2)
#define MSI_DATA_SUBHANDLE BITS64(15, 0)
#define MSI_DATA_RESERVED BITS64(31, 16) // where SHV is set

// The entry of the remapping table in its posted form (VT-d 9.10).
#define IRTE_P BIT64(0)
#define IRTE_FPD BIT64(1)
#define IRTE_URG BIT64(14)
#define IRTE_IM BIT64(15)
#define IRTE_VV BITS64(23, 16)
#define IRTE_PDA_LOW BITS64(63, 38) // descriptor address 31:6
#define IRTE_LOW_RESERVED (BITS64(7, 2) | BITS64(13, 12) | BITS64(37, 24))
#define IRTE_SID BITS64(15, 0)
#define IRTE_SQ BITS64(17, 16)
#define IRTE_SVT BITS64(19, 18)
#define IRTE_PDA_HIGH BITS64(63, 32) // descriptor address 63:32
#define IRTE_HIGH_RESERVED BITS64(31, 20)
#define SVT_NONE 0
#define SVT_SID 1
#define SVT_BUS_RANGE 2

// The control word, bits 319:256, of the posted-interrupt descriptor (VT-d 9.11).
#define CONTROL_ON BIT64(0)
#define CONTROL_SN BIT64(1)
#define CONTROL_NV BITS64(23, 16)
#define CONTROL_NDST BITS64(63, 32)
#define CONTROL_NDST_XAPIC BITS64(47, 40)
#define CONTROL_RESERVED (BITS64(15, 2) | BITS64(31, 24))
#define CONTROL_RESERVED_XAPIC (CONTROL_NDST & ~CONTROL_NDST_XAPIC)

// Interrupt-remapping faults (VT-d 5.1.4.1, table 15).
enum fault_reason {
    FAULT_NONE = 0,
    FAULT_REQUEST_RESERVED = 0x20,
    FAULT_NOT_PRESENT = 0x22,
    FAULT_IRTE_RESERVED = 0x24,
    FAULT_SOURCE_ID = 0x26,
    FAULT_DESCRIPTOR_ACCESS = 0x27,
    FAULT_DESCRIPTOR_RESERVED = 0x28,
    FAULT_END,
};
