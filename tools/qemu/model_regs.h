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
#define CAP_ESIRTPS BIT64(62)  // SIRTP empties the interrupt entry cache
#define REG_ECAP 0x10
#define ECAP_IR BIT64(3)
#define ECAP_EIM BIT64(4)
#define ECAP_MHMV BITS64(23, 20) // the largest IM of an invalidation
#define ECAP_SMTS BIT64(43)
#define CAP_CM BIT64(7)
#define CAP_ESRTPS BIT64(63) // SRTP empties the caches of contexts and pages
#define REG_GCMD 0x18
#define GCMD_CFI BIT32(23)
#define GCMD_SIRTP BIT32(24)
#define GCMD_SRTP BIT32(30)
#define GCMD_TE BIT32(31)
#define GCMD_IRE BIT32(25)
#define GCMD_QIE BIT32(26)
#define GCMD_STATES (BIT32(31) | BIT32(28) | GCMD_QIE | GCMD_IRE | GCMD_CFI) // on or off
#define GCMD_ONE_SHOTS (BIT32(30) | BIT32(29) | BIT32(27) | GCMD_SIRTP)      // done once
#define REG_GSTS 0x1c
#define GSTS_CFIS BIT32(23)
#define GSTS_IRTPS BIT32(24)
#define GSTS_RTPS BIT32(30)
#define GSTS_TES BIT32(31)
#define GSTS_IRES BIT32(25)
#define GSTS_QIES BIT32(26)
#define REG_RTADDR 0x20
#define RTADDR_BASE BITS64(63, 12)
#define RTADDR_TTM BITS64(11, 10)
#define RTADDR_RESERVED BITS64(9, 0)
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
#define REG_IQH 0x80
#define REG_IQT 0x88
#define IQT_RESERVED (~0u & ~BITS32(18, 4))
#define REG_IQA 0x90
#define IQA_QS BITS64(2, 0) // 2^QS pages
#define IQA_RESERVED BITS64(10, 3)
#define IQA_DW BIT64(11) // descriptors of 256 bits
#define IQA_BASE BITS64(63, 12)
#define REG_IRTA 0xb8
#define IRTA_S BITS64(3, 0) // 2^(S+1) entries
#define IRTA_RESERVED BITS64(10, 4)
#define IRTA_EIME BIT64(11)
#define IRTA_BASE BITS64(63, 12)

// A fault record (VT-d 11.4.7.6): 16 bytes, as four words.
#define FRCD_SIZE 16
#define FRCD_WORD_INDEX 1 // interrupt faults: the index in 63:48
#define FRCD1_INDEX BITS32(31, 16)
#define FRCD_WORD_REASON 3
#define FRCD3_FR BITS32(7, 0)
#define FRCD3_F BIT32(31)

// Tables for DMA, legacy mode (VT-d 9.1, 9.3, 9.8).
#define ROOT_TABLE BITS64(63, 12)
#define ROOT_RESERVED BITS64(11, 1)
#define CONTEXT_P BIT64(0)
#define CONTEXT_TABLE BITS64(63, 12)
#define CONTEXT_RESERVED BITS64(11, 4)
#define CONTEXT_AW BITS64(2, 0)
#define CONTEXT_DID BITS64(23, 8)
#define CONTEXT_HIGH_RESERVED (BIT64(7) | BITS64(63, 24))
#define SLPTE_R BIT64(0)
#define SLPTE_W BIT64(1)
#define SLPTE_PS BIT64(7)
#define SLPTE_ADDR BITS64(51, 12)
#define UNIT_BASE 0xfed90000ull // where QEMU puts it

// An interrupt request: a 4-byte write from FEE0_0000h on (VT-d 5.1.2).
#define INTERRUPT_WINDOW 0xfee00000ull
#define MSI_ADDRESS_HANDLE BITS64(19, 5) // handle[14:0]
#define MSI_ADDRESS_FORMAT BIT64(4)      // 1: remappable
#define MSI_ADDRESS_SHV BIT64(3)
#define MSI_ADDRESS_HANDLE_15 BIT64(2)
#define MSI_DATA_SUBHANDLE BITS64(15, 0)
#define MSI_DATA_RESERVED BITS64(31, 16) // where SHV is set

// Descriptors of the invalidation queue (VT-d 6.5.2): the low half, and the high one where it says.
#define QI_TYPE BITS64(3, 0)
#define QI_TYPE_HIGH BITS64(11, 9)
#define QI_G BITS64(5, 4)
#define QI_DID BITS64(31, 16)
#define QI_CONTEXT_SID BITS64(47, 32)
#define QI_TYPE_CONTEXT 1
#define QI_CONTEXT_RESERVED (BITS64(8, 6) | BITS64(15, 12) | BITS64(63, 50))
#define QI_TYPE_IOTLB 2
#define QI_IOTLB_RESERVED (BIT64(8) | BITS64(15, 12) | BITS64(63, 32))
#define QI_IOTLB_HIGH_RESERVED BITS64(11, 7)
#define QI_TYPE_DEVICE_TLB 3
#define QI_TYPE_IEC 4
#define QI_IEC_RESERVED (BITS64(8, 5) | BITS64(26, 12) | BITS64(63, 48))
#define QI_IEC_BY_INDEX BIT64(4) // else all entries
#define QI_IEC_IM BITS64(31, 27)
#define QI_IEC_IIDX BITS64(47, 32)
#define QI_TYPE_WAIT 5
#define QI_WAIT_RESERVED (BITS64(8, 7) | BITS64(31, 12))
#define QI_WAIT_HIGH_RESERVED BITS64(1, 0)
#define QI_WAIT_SW BIT64(5)
#define QI_TYPE_PASID_FIRST 6 // to LAST: for scalable mode
#define QI_TYPE_PASID_LAST 8

// The entry of the remapping table in its remapped form (VT-d 9.9); P, FPD, IM, SID, SQ and SVT are
// as below.
#define IRTE_DM BIT64(2)
#define IRTE_RH BIT64(3)
#define IRTE_TM BIT64(4)
#define IRTE_DLM BITS64(7, 5)
#define IRTE_V BITS64(23, 16)
#define IRTE_DST BITS64(63, 32)
#define IRTE_DST_XAPIC BITS64(47, 40)
#define IRTE_REMAPPED_LOW_RESERVED (BITS64(14, 12) | BITS64(31, 24))
#define IRTE_REMAPPED_HIGH_RESERVED BITS64(63, 20)
#define MSI_DATA_LEVEL BIT32(14)
#define MSI_DATA_TRIGGER BIT32(15)
#define MSI_DATA_DLM BITS32(10, 8)
#define MSI_ADDRESS_RH BIT64(3) // in compatibility format
#define MSI_ADDRESS_DM BIT64(2)

// The entry of the remapping table in its posted form (VT-d 9.10).
#define IRTE_P BIT64(0)
#define IRTE_FPD BIT64(1)
#define IRTE_URG BIT64(14)
#define IRTE_IM BIT64(15)
#define IRTE_VV BITS64(23, 16)
#define IRTE_PDA_LOW BITS64(63, 38)       // descriptor address 31:6
#define IRTE_PDA_UNALIGNED BITS64(37, 32) // where address bits 5:0 would be; reserved, too
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
    FAULT_COMPATIBILITY = 0x25,
    FAULT_SOURCE_ID = 0x26,
    FAULT_DESCRIPTOR_ACCESS = 0x27,
    FAULT_DESCRIPTOR_RESERVED = 0x28,
    FAULT_END,
};
