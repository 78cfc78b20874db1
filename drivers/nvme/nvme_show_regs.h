// SPDX-License-Identifier: BSD-2-Clause
// Fields of the controller's registers that nobody acts on: they are only shown. Names and sections
// are those of the NVMe Base Specification 2.0.
#pragma once

#include "drivers/nvme/nvme_regs.h"

// clang-format off: it would undo the indentation of fields below their register

// CAP (3.1.3.1)
#define   NVME_CAP_CQR BIT64(16) // queues must be contiguous
#define   NVME_CAP_NSSRS BIT64(36)
#define   NVME_CAP_CSS_ADMIN BIT64(44) // no I/O command set
#define   NVME_CAP_BPS BIT64(45)
#define   NVME_CAP_MPSMAX BITS64(55, 52)
#define   NVME_CAP_PMRS BIT64(56)
#define   NVME_CAP_CRIMS BIT64(60)

// CC (3.1.3.5) and CSTS (3.1.3.6)
#define   NVME_CC_CRIME BIT32(24)
#define   NVME_CSTS_NSSRO BIT32(4)

// CMBLOC and CMBSZ (3.1.3.11, 3.1.3.12): what says how the buffer may be used
#define   NVME_CMBLOC_CQMMS BIT32(3)
#define   NVME_CMBLOC_CQPDS BIT32(4)
#define   NVME_CMBLOC_CDPMLS BIT32(5)
#define   NVME_CMBLOC_CDPCILS BIT32(6)
#define   NVME_CMBLOC_CDMMMS BIT32(7)
#define   NVME_CMBLOC_CQDA BIT32(8)
#define   NVME_CMBSZ_CQS BIT32(1)
#define   NVME_CMBSZ_LISTS BIT32(2)
#define   NVME_CMBSZ_RDS BIT32(3)
#define   NVME_CMBSZ_WDS BIT32(4)

// Boot partitions (3.1.3.13 to 3.1.3.15)
#define   NVME_BPINFO_BPSZ BITS32(14, 0)
#define   NVME_BPINFO_BRS BITS32(25, 24)
#define   NVME_BPINFO_ABPID BIT32(31)
#define   NVME_BPRSEL_BPRSZ BITS32(9, 0)
#define   NVME_BPRSEL_BPROF BITS32(29, 10)
#define   NVME_BPRSEL_BPID BIT32(31)
#define   NVME_BPMBL_BMBBA BITS64(63, 12)

#define   NVME_CRTO_CRIMT BITS32(31, 16) // 500 ms units
#define   NVME_ASQ_ASQB BITS64(63, 12)
#define   NVME_ACQ_ACQB BITS64(63, 12)

// The persistent memory region (3.1.3.22 to 3.1.3.26)
#define   NVME_PMRCAP_RDS BIT32(3)
#define   NVME_PMRCAP_WDS BIT32(4)
#define   NVME_PMRCAP_BIR BITS32(7, 5)
#define   NVME_PMRCAP_PMRTU BITS32(9, 8)
#define   NVME_PMRCAP_PMRWBM BITS32(13, 10)
#define   NVME_PMRCAP_PMRTO BITS32(23, 16)
#define   NVME_PMRCAP_CMSS BIT32(24)
#define   NVME_PMRCTL_EN BIT32(0)
#define   NVME_PMRSTS_ERR BITS32(7, 0)
#define   NVME_PMRSTS_NRDY BIT32(8)
#define   NVME_PMRSTS_HSTS BITS32(11, 9)
#define   NVME_PMRSTS_CBAI BIT32(12)
#define   NVME_PMREBS_PMRSZU BITS32(3, 0)
#define   NVME_PMREBS_BYPASS BIT32(4)
#define   NVME_PMREBS_PMRWBZ BITS32(31, 8)
#define   NVME_PMRSWTP_PMRSWTU BITS32(3, 0)
#define   NVME_PMRSWTP_PMRSWTV BITS32(31, 8)

// clang-format on
