// SPDX-License-Identifier: BSD-2-Clause
// VT-d as the hardware lays it out: registers (VT-d 11.4), entries of the tables for DMA (9.1, 9.3, 9.8)
// and for interrupts (9.9, 9.10), invalidation descriptors (6.5.2) and remappable messages (5.1.2).
// Section numbers are those of revision 5.10.
#pragma once

#include "lib/bits.h"
#include "lib/types.h"

// ---- registers: offset, width, then fields ----

#define VTD_VER 0x00 // 32
#define VTD_VER_MAX BITS32(7, 4)
#define VTD_VER_MIN BITS32(3, 0)

#define VTD_CAP 0x08 // 64
#define VTD_CAP_ESIRTPS BIT64(62)
#define VTD_CAP_PI BIT64(59)
#define VTD_CAP_DRD BIT64(55)        // invalidation drains reads,
#define VTD_CAP_DWD BIT64(54)        // and writes
#define VTD_CAP_NFR BITS64(47, 40)   // fault records, less one
#define VTD_CAP_SLLPS BITS64(37, 34) // large pages: bit 0 2 MiB, bit 1 1 GiB
#define VTD_CAP_FRO BITS64(33, 24)   // their offset, in 16 bytes
#define VTD_CAP_MGAW BITS64(21, 16)  // address width of DMA, less one
#define VTD_CAP_SAGAW BITS64(12, 8)  // bit n: tables of n + 2 levels
#define VTD_CAP_CM BIT64(7)          // absent entries are cached, too
#define VTD_CAP_PHMR BIT64(6)
#define VTD_CAP_PLMR BIT64(5)
#define VTD_CAP_RWBF BIT64(4)
#define VTD_CAP_ND BITS64(2, 0) // 2^(4 + 2 * ND) domains

#define VTD_ECAP 0x10 // 64
#define VTD_ECAP_ADMS BIT64(52)
#define VTD_ECAP_SMTS BIT64(43)
#define VTD_ECAP_PRS BIT64(29)
#define VTD_ECAP_MHMV BITS64(23, 20)
#define VTD_ECAP_IRO BITS64(17, 8) // IOTLB registers' offset, in 16 bytes
#define VTD_ECAP_EIM BIT64(4)
#define VTD_ECAP_IR BIT64(3)
#define VTD_ECAP_QI BIT64(1)
#define VTD_ECAP_C BIT64(0)

// Commands, and the status that answers each at the same bit.
#define VTD_GCMD 0x18 // 32, write-only
#define VTD_GSTS 0x1c // 32
#define VTD_GCMD_TE BIT32(31)
#define VTD_GCMD_SRTP BIT32(30)
#define VTD_GCMD_WBF BIT32(27)
#define VTD_GCMD_QIE BIT32(26)
#define VTD_GCMD_IRE BIT32(25)
#define VTD_GCMD_SIRTP BIT32(24)
#define VTD_GCMD_CFI BIT32(23)
#define VTD_GCMD_KEPT 0x96ffffffu // of GSTS: all but the one-shot bits (VT-d 11.4.4.1)
static_assert(!(VTD_GCMD_KEPT & (VTD_GCMD_SRTP | VTD_GCMD_WBF | VTD_GCMD_SIRTP)), "VT-d 11.4.4.1");

#define VTD_RTADDR 0x20 // 64
#define VTD_RTADDR_RTA BITS64(63, 12)
#define VTD_RTADDR_TTM BITS64(11, 10)
#define VTD_TTM_LEGACY 0

// Invalidation by registers: only watched, for what firmware may have asked for last.
#define VTD_CCMD 0x28 // 64
#define VTD_CCMD_ICC BIT64(63)
#define VTD_IOTLB 8 // 64; behind the 8 bytes of IVA, which ECAP.IRO points to
#define VTD_IOTLB_IVT BIT64(63)

#define VTD_FSTS 0x34 // 32; PFO, IQE, ICE and ITE are cleared by writing 1
#define VTD_FSTS_FRI BITS32(15, 8)
#define VTD_FSTS_ITE BIT32(6)
#define VTD_FSTS_ICE BIT32(5)
#define VTD_FSTS_IQE BIT32(4)
#define VTD_FSTS_PPF BIT32(1)
#define VTD_FSTS_PFO BIT32(0)
// While one of them is set, no event comes of another one (VT-d 11.4.7.2, IP).
#define VTD_FSTS_EVENTS (VTD_FSTS_ITE | VTD_FSTS_ICE | VTD_FSTS_IQE | VTD_FSTS_PPF | VTD_FSTS_PFO)

// Fault, invalidation and page request events: control (bits 29:0 are kept), then the message.
#define VTD_FECTL 0x38 // 32
#define VTD_IECTL 0xa0 // 32
#define VTD_PECTL 0xe0 // 32
#define VTD_EVENT_IM BIT32(31)
#define VTD_EVENT_IP BIT32(30)
#define VTD_FEDATA 0x3c  // 32
#define VTD_FEADDR 0x40  // 32
#define VTD_FEUADDR 0x44 // 32

#define VTD_PMEN 0x64 // 32
#define VTD_PMEN_EPM BIT32(31)
#define VTD_PMEN_PRS BIT32(0)
#define VTD_PLMBASE 0x68  // 32
#define VTD_PLMLIMIT 0x6c // 32
#define VTD_PHMBASE 0x70  // 64
#define VTD_PHMLIMIT 0x78 // 64

#define VTD_IQH 0x80                // 64
#define VTD_IQT 0x88                // 64
#define VTD_IQ_OFFSET BITS64(18, 4) // in 16 bytes; bit 4 is 0 where descriptors have 32
#define VTD_IQA 0x90                // 64
#define VTD_IQA_IQA BITS64(63, 12)
#define VTD_IQA_DW BIT64(11)
#define VTD_IQA_QS BITS64(2, 0) // 2^QS pages

#define VTD_IQERCD 0xb0 // 64
#define VTD_IQERCD_IQEI BITS64(3, 0)

#define VTD_IRTA 0xb8 // 64
#define VTD_IRTA_IRTA BITS64(63, 12)
#define VTD_IRTA_EIME BIT64(11)
#define VTD_IRTA_S BITS64(3, 0) // 2^(S+1) entries

// Registers with a fixed place end below this.
#define VTD_FIXED_BYTES 0x1000

// Fault recording register (VT-d 11.4.7.6), CAP.NFR + 1 of them from CAP.FRO on: two 64-bit words.
#define VTD_FRCD_BYTES 16
#define VTD_FRCD_LOW 0
#define VTD_FRCD_LOW_FI BITS64(63, 12)    // address translation faults: page of the request
#define VTD_FRCD_LOW_INDEX BITS64(63, 48) // interrupt faults: interrupt_index
#define VTD_FRCD_HIGH 8
#define VTD_FRCD_HIGH_F BIT64(63)
#define VTD_FRCD_HIGH_T1 BIT64(62)
#define VTD_FRCD_HIGH_FR BITS64(39, 32)
#define VTD_FRCD_HIGH_T2 BIT64(28)
#define VTD_FRCD_HIGH_SID BITS64(15, 0)
#define VTD_FRCD_TOP 12 // the uppermost 32 bits; F is cleared by writing 1
#define VTD_FRCD_TOP_F BIT32(31)

// Fault reasons of interrupts (VT-d 5.1.4.1); all others are of address translation.
#define VTD_REASON_INTERRUPT_FIRST 0x20
#define VTD_REASON_INTERRUPT_LAST 0x2b

// ---- tables for DMA ----

// A root entry points to the context table of a bus (VT-d 9.1), whose entries, by device and function, say
// what a function may reach (9.3).
struct vtd_entry {
    uint64_t low, high;
} __attribute__((aligned(16)));
static_assert(sizeof(struct vtd_entry) == 16, "VT-d 9.1, 9.3");

#define ROOT_LOW_P BIT64(0)
#define ROOT_LOW_CTP BITS64(63, 12)

#define CONTEXT_LOW_P BIT64(0)
#define CONTEXT_LOW_FPD BIT64(1) // faults aren't recorded, whether P is set or not
#define CONTEXT_LOW_TT BITS64(3, 2)
#define CONTEXT_TT_UNTRANSLATED 0 // translated requests and requests for translations are blocked
#define CONTEXT_LOW_TABLE BITS64(63, 12)
#define CONTEXT_HIGH_AW BITS64(2, 0) // levels of the tables, less 2
#define CONTEXT_HIGH_DID BITS64(23, 8)

// Second-level paging entry (9.8).
#define PAGE_R BIT64(0)
#define PAGE_W BIT64(1)
#define PAGE_PS BIT64(7) // in a table of level 2 or 3: a page of 2 MiB or 1 GiB
#define PAGE_ADDR BITS64(51, 12)

// ---- interrupt remapping table entry ----

struct irte {
    union {
        struct {
            uint64_t low, high;
        };
        __extension__ unsigned __int128 whole; // in one piece
    };
};
static_assert(sizeof(struct irte) == 16 && offsetof(struct irte, high) == 8, "VT-d 9.9");

// Both forms.
#define IRTE_LOW_P BIT64(0)
#define IRTE_LOW_FPD BIT64(1)
#define IRTE_LOW_AVAIL BITS64(11, 8)
#define IRTE_LOW_IM BIT64(15)
#define IRTE_LOW_V BITS64(23, 16) // posted: VV
#define IRTE_HIGH_SID BITS64(15, 0)
#define IRTE_HIGH_SQ BITS64(17, 16)
#define IRTE_HIGH_SVT BITS64(19, 18)
#define IRTE_SVT_NONE 0
#define IRTE_SVT_SID 1 // SID and SQ
#define IRTE_SVT_BUS 2 // SID holds the first (15:8) and the last (7:0) bus
#define IRTE_SQ_ALL 0  // all 16 bits count

// Remapped (VT-d 9.9).
#define IRTE_LOW_DM BIT64(2)
#define IRTE_LOW_RH BIT64(3)
#define IRTE_LOW_TM BIT64(4)
#define IRTE_LOW_DLM BITS64(7, 5)
#define IRTE_LOW_DST BITS64(63, 32) // EIME=1: the x2APIC id

// Posted (VT-d 9.10): address bits 31:6 and 63:32 of the descriptor.
#define IRTE_LOW_URG BIT64(14)
#define IRTE_LOW_PDAL BITS64(63, 38)
#define IRTE_HIGH_PDAH BITS64(63, 32)
#define PDA_LOW BITS64(31, 6)
#define PDA_HIGH BITS64(63, 32)

// ---- invalidation descriptors: 128 bits, or 256 with the upper half zero ----

#define QI_BYTES 16

#define QI_TYPE BITS64(3, 0)
#define QI_TYPE_HIGH BITS64(11, 9)

#define QI_TYPE_CONTEXT 1 // context cache (VT-d 6.5.2.1)
#define QI_CONTEXT_G BITS64(5, 4)
#define QI_CONTEXT_DID BITS64(31, 16)
#define QI_CONTEXT_SID BITS64(47, 32)

#define QI_TYPE_IOTLB 2 // (VT-d 6.5.2.3)
#define QI_IOTLB_G BITS64(5, 4)
#define QI_IOTLB_DW BIT64(6)
#define QI_IOTLB_DR BIT64(7)
#define QI_IOTLB_DID BITS64(31, 16)

// Of both.
#define QI_G_ALL 1
#define QI_G_DOMAIN 2
#define QI_G_DEVICE 3 // context alone; of the IOTLB, a page

#define QI_TYPE_IEC 4 // interrupt entry cache (VT-d 6.5.2.8)
#define QI_IEC_G BIT64(4)
#define QI_IEC_IM BITS64(31, 27)
#define QI_IEC_IIDX BITS64(47, 32)

#define QI_TYPE_WAIT 5 // invalidation wait (VT-d 6.5.2.9)
#define QI_WAIT_IF BIT64(4)
#define QI_WAIT_SW BIT64(5)
#define QI_WAIT_FN BIT64(6)
#define QI_WAIT_DATA BITS64(63, 32)
// High word: the address of the status, 4-byte aligned.

// ---- messages ----

// Remappable format (VT-d 5.1.2.2).
#define MSI_ADDRESS_BASE 0xfee00000ull
#define MSI_REMAP_HANDLE_LOW BITS64(19, 5) // handle[14:0]
#define MSI_REMAP_FORMAT BIT64(4)
#define MSI_REMAP_SHV BIT64(3)
#define MSI_REMAP_HANDLE_15 BIT64(2)

// The units' own events, x2APIC mode (VT-d 5.1.6.2): fixed, physical, edge.
#define EVENT_ADDR_ID BITS32(19, 12) // APIC id 7:0, in FEADDR
#define EVENT_UADDR_ID BITS32(31, 8) // APIC id 31:8, in FEUADDR at the same bits
#define EVENT_DATA_VECTOR BITS32(7, 0)
