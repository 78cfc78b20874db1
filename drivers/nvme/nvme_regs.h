// SPDX-License-Identifier: BSD-2-Clause
// NVM Express over PCIe as the wire has it: registers, queue entries. Names and sections are those of
// the NVMe Base Specification 2.0.
#pragma once

#include "drivers/nvme/nvme_identify_regs.h"
#include "drivers/nvme/nvme_log_regs.h"
#include "lib/bits.h"
#include "lib/types.h"

// clang-format off: it would undo the indentation of fields below their register

// ---- controller registers, BAR 0 (3.1.3) ----

#define NVME_CAP 0x00 // 64 bits
#define   NVME_CAP_MQES BITS64(15, 0) // entries of an I/O queue, 0-based
#define   NVME_CAP_AMS_WRR BIT64(17)    // weighted round robin, with an urgent class
#define   NVME_CAP_TO BITS64(31, 24)  // time-out for CSTS.RDY, 500 ms units
#define   NVME_CAP_DSTRD BITS64(35, 32) // doorbells are 4 << DSTRD bytes apart
#define   NVME_CAP_CSS BITS64(44, 37)
#define   NVME_CAP_CSS_NVM BIT64(37)  // the NVM command set
#define   NVME_CAP_CSS_ALL BIT64(43)  // several, by CC.CSS = 110b
#define   NVME_CAP_MPSMIN BITS64(51, 48) // least page: 4096 << MPSMIN
#define   NVME_CAP_CMBS BIT64(57)     // CMBMSC shows and moves the controller memory buffer
#define   NVME_CAP_CRWMS BIT64(59)    // CRTO.CRWMT counts, not TO alone

#define NVME_VS 0x08
#define   NVME_VS_MJR BITS32(31, 16)
#define   NVME_VS_MNR BITS32(15, 8)
#define   NVME_VS_TER BITS32(7, 0)
#define NVME_VERSION(major, minor) ((uint32_t)((major) << 16 | (minor) << 8))

#define NVME_CC 0x14
#define   NVME_CC_EN BIT32(0)
#define   NVME_CC_CSS BITS32(6, 4)
#define   NVME_CC_CSS_ALL 6
#define   NVME_CC_MPS BITS32(10, 7)
#define   NVME_CC_AMS BITS32(13, 11)
#define   NVME_CC_AMS_WRR 1
#define   NVME_CC_SHN BITS32(15, 14)
#define   NVME_CC_IOSQES BITS32(19, 16)
#define   NVME_CC_IOCQES BITS32(23, 20)
#define   NVME_CC_SHN_NORMAL 1

#define NVME_CSTS 0x1c
#define   NVME_CSTS_RDY BIT32(0)
#define   NVME_CSTS_CFS BIT32(1)
#define   NVME_CSTS_SHST BITS32(3, 2)
#define   NVME_CSTS_SHST_COMPLETE 2
#define   NVME_CSTS_PP BIT32(5) // takes no commands for a while, e.g. as firmware is activated

#define NVME_NSSR 0x20

#define NVME_AQA 0x24
#define   NVME_AQA_ASQS BITS32(11, 0)  // 0-based
#define   NVME_AQA_ACQS BITS32(27, 16) // 0-based
#define NVME_ASQ 0x28 // 64 bits
#define NVME_ACQ 0x30 // 64 bits

// The controller memory buffer and boot partitions (3.1.3.11 to 3.1.3.19)
#define NVME_CMBLOC 0x38
#define   NVME_CMBLOC_BIR BITS32(2, 0)    // which BAR
#define   NVME_CMBLOC_OFST BITS32(31, 12) // units of CMBSZ.SZU
#define NVME_CMBSZ 0x3c
#define   NVME_CMBSZ_SQS BIT32(0) // submission queues may lie there
#define   NVME_CMBSZ_SZU BITS32(11, 8) // 4 KiB, 64 KiB, ... 64 GiB
#define   NVME_CMBSZ_SZU_LAST 6
#define   NVME_CMBSZ_SZ BITS32(31, 12)
#define NVME_BPINFO 0x40
#define NVME_BPRSEL 0x44
#define NVME_BPMBL 0x48  // 64 bits
#define NVME_CMBMSC 0x50 // 64 bits
#define   NVME_CMBMSC_CRE BIT64(0)  // CMBLOC and CMBSZ tell
#define   NVME_CMBMSC_CMSE BIT64(1) // addresses from CBA on are the buffer's
#define   NVME_CMBMSC_CBA BITS64(63, 12)
#define NVME_CMBSTS 0x58
#define   NVME_CMBSTS_CBAI BIT32(0) // CBA can't be

#define NVME_CRTO 0x68
#define   NVME_CRTO_CRWMT BITS32(15, 0) // 500 ms units

// The persistent memory region (3.1.3.22 to 3.1.3.26)
#define NVME_PMRCAP 0xe00
#define NVME_PMRCTL 0xe04
#define NVME_PMRSTS 0xe08
#define NVME_PMREBS 0xe0c
#define NVME_PMRSWTP 0xe10

#define NVME_DOORBELLS 0x1000 // SQ tail and CQ head of queue 0, of queue 1, ...

#define NVME_TIMEOUT_UNIT_MS 500
#define NVME_ALL_ONES 0xffffffffu // what reads return when nobody answers

// The function's class: mass storage, non-volatile memory, NVMe I/O controller.
#define NVME_PCI_CLASS 0x010802

// ---- commands (3.3.3.1) ----

struct nvme_sqe {
    uint64_t head; // CDW0 and NSID
#define   NVME_SQE_OPC BITS64(7, 0)
#define   NVME_SQE_PSDT BITS64(15, 14)
#define   NVME_SQE_PSDT_SGL 1 // data is an SGL descriptor; metadata, if any, lie in one piece
#define   NVME_SQE_CID BITS64(31, 16)
#define   NVME_SQE_NSID BITS64(63, 32)
    uint64_t cdw2_3;
    uint64_t mptr;
    uint64_t prp1, prp2;
    uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};
static_assert(sizeof(struct nvme_sqe) == 64, "NVMe Base 2.0, 3.3.3.1");
static_assert(offsetof(struct nvme_sqe, mptr) == 16, "NVMe Base 2.0, 3.3.3.1");
static_assert(offsetof(struct nvme_sqe, prp1) == 24, "NVMe Base 2.0, 3.3.3.1");
static_assert(offsetof(struct nvme_sqe, cdw10) == 40, "NVMe Base 2.0, 3.3.3.1");

// An I/O command as this driver lays it out: the same 64 bytes with the starting LBA in one piece.
struct nvme_io_sqe {
    uint64_t head;
    uint64_t cdw2_3;
    uint64_t mptr;
    uint64_t data[2]; // PRP1 and PRP2, or an SGL descriptor
    uint64_t slba;    // CDW10, CDW11
    uint32_t cdw12;
#define   NVME_IO_NLB BITS32(15, 0) // 0-based
#define   NVME_IO_FUA BIT32(30)
    uint32_t cdw13, cdw14, cdw15;
};
static_assert(sizeof(struct nvme_io_sqe) == 64, "NVM Command Set 1.0, 3.2.4");
static_assert(offsetof(struct nvme_io_sqe, slba) == 40, "NVM Command Set 1.0, 3.2.4");
static_assert(offsetof(struct nvme_io_sqe, cdw12) == 48, "NVM Command Set 1.0, 3.2.4");

#define NVME_ADMIN_DELETE_SQ 0x00
#define NVME_ADMIN_CREATE_SQ 0x01
#define NVME_ADMIN_GET_LOG_PAGE 0x02
#define NVME_ADMIN_DELETE_CQ 0x04
#define NVME_ADMIN_CREATE_CQ 0x05
#define NVME_ADMIN_IDENTIFY 0x06
#define NVME_ADMIN_ABORT 0x08
#define NVME_ADMIN_SET_FEATURES 0x09
#define NVME_ADMIN_GET_FEATURES 0x0a
#define NVME_ADMIN_ASYNC_EVENT 0x0c
#define NVME_ADMIN_SELF_TEST 0x14
#define NVME_ADMIN_ATTACH 0x15
#define NVME_ADMIN_VIRTUAL 0x1c
#define NVME_ADMIN_DBBUF_CONFIG 0x7c

// I/O commands (NVM Command Set 1.0, 3)
#define NVME_CMD_FLUSH 0x00
#define NVME_CMD_WRITE 0x01
#define NVME_CMD_READ 0x02
#define NVME_CMD_COMPARE 0x05
#define NVME_CMD_WRITE_ZEROES 0x08
#define NVME_CMD_DATASET_MANAGEMENT 0x09
#define NVME_CMD_VERIFY 0x0c
#define NVME_CMD_COPY 0x19
#define NVME_IO_BLOCKS_MAX 0x10000u // NLB is 16 bits, 0-based

// Dataset Management (NVM Command Set 1.0, 3.2.3): NR 7:0 of CDW10, 0-based; CDW11 above it
#define NVME_DSM_DEALLOCATE BIT64(32 + 2) // AD

struct nvme_dsm_range {
    uint32_t attributes;
    uint32_t blocks;
    uint64_t lba;
};
static_assert(sizeof(struct nvme_dsm_range) == 16, "NVM Command Set 1.0, 3.2.3");

// Copy (NVM Command Set 1.0, 3.2.2): NR 7:0 of CDW12, 0-based; the source ranges' format 11:8, 0;
// PRINFO of what is read, and where it is in other commands that of what is written
#define NVME_COPY_PRINFOR BITS32(15, 12)

struct nvme_copy_range {
    uint64_t reserved0;
    uint64_t slba;
    uint16_t nlb; // 0-based
    uint16_t reserved18[3];
    uint32_t eilbrt; // reference tag that the first block must have
    uint16_t elbat, elbatm;
};
static_assert(sizeof(struct nvme_copy_range) == 32, "NVM Command Set 1.0, 3.2.2");
static_assert(offsetof(struct nvme_copy_range, eilbrt) == 24, "NVM Command Set 1.0, 3.2.2");

// CDW10 of Create and Delete I/O queue (5.4, 5.5)
#define   NVME_QUEUE_QID BITS32(15, 0)
#define   NVME_QUEUE_QSIZE BITS32(31, 16) // 0-based
// CDW11 of Create I/O Completion Queue
#define   NVME_CQ_PC BIT32(0)
#define   NVME_CQ_IEN BIT32(1)
#define   NVME_CQ_IV BITS32(31, 16)
// CDW11 of Create I/O Submission Queue
#define   NVME_SQ_PC BIT32(0)
#define   NVME_SQ_QPRIO BITS32(2, 1) // where CC.AMS says that it counts
#define   NVME_SQ_QPRIO_URGENT 0
#define   NVME_SQ_QPRIO_MEDIUM 2
#define   NVME_SQ_CQID BITS32(31, 16)

// ---- completions (3.3.3.2) ----

struct nvme_cqe {
    uint32_t dw0; // the command's own result
    uint32_t dw1;
    uint64_t tail; // dwords 2 and 3
#define   NVME_CQE_SQHD BITS64(15, 0)
#define   NVME_CQE_SQID BITS64(31, 16)
#define   NVME_CQE_CID BITS64(47, 32)
#define   NVME_CQE_P BIT64(48)
#define   NVME_CQE_STATUS BITS64(63, 49)
};
static_assert(sizeof(struct nvme_cqe) == 16, "NVMe Base 2.0, 3.3.3.2");
static_assert(offsetof(struct nvme_cqe, tail) == 8, "NVMe Base 2.0, 3.3.3.2");

// The status field (3.3.3.2.1), without the phase tag
#define   NVME_STATUS_SC BITS32(7, 0)
#define   NVME_STATUS_SCT BITS32(10, 8)
#define   NVME_STATUS_CRD BITS32(12, 11) // retry after CRDT1 to CRDT3; 0: at once
#define   NVME_STATUS_DNR BIT32(14)
#define NVME_STATUS(sct, sc) ((uint32_t)((sct) << 8 | (sc)))
#define NVME_STATUS_COMPARE_FAILURE NVME_STATUS(2, 0x85)
#define NVME_STATUS_INVALID_FIELD NVME_STATUS(0, 0x02)
#define NVME_STATUS_ABORT_REQUESTED NVME_STATUS(0, 0x07)
#define NVME_STATUS_INVALID_NAMESPACE NVME_STATUS(0, 0x0b)
