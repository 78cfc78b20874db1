// SPDX-License-Identifier: BSD-2-Clause
// Log pages and features, as the wire has them. Names and sections are those of the NVMe Base
// Specification 2.0.
#pragma once

#include "lib/bits.h"
#include "lib/types.h"

// clang-format off: it would undo the indentation of fields below their member

// ---- Get Log Page (5.16) ----

// CDW10 and CDW11
#define   NVME_LOG_LID BITS32(7, 0)
#define   NVME_LOG_LSP BITS32(14, 8)
#define   NVME_LOG_RAE BIT32(15) // keep the asynchronous event that points here
#define   NVME_LOG_NUMDL BITS32(31, 16) // dwords, 0-based
#define   NVME_LOG_NUMDU BITS32(15, 0)

#define NVME_LOG_ERROR 0x01
#define NVME_LOG_SMART 0x02
#define NVME_LOG_FIRMWARE 0x03
#define NVME_LOG_CHANGED_NAMESPACES 0x04 // as an active list; all ones first: more than fit
#define NVME_LOG_EFFECTS 0x05
#define NVME_LOG_SELF_TEST 0x06
#define NVME_LOG_ANA 0x0c
#define NVME_LOG_CHANGED_ZONES 0xbf

struct PACKED nvme_error_entry { // 5.16.1.2
    uint64_t error_count; // 0: no entry
    uint16_t sqid; // all ones where the error belongs to no command, as is the next
    uint16_t cid;
    uint16_t status; // as in a completion
#define   NVME_ERROR_PHASE BIT32(0)
#define   NVME_ERROR_STATUS BITS32(15, 1)
    uint16_t parm_error_location;
#define   NVME_ERROR_BYTE BITS32(7, 0)
#define   NVME_ERROR_BIT BITS32(10, 8)
    uint64_t lba;
    uint32_t nsid;
    uint8_t vs;
    uint8_t trtype;
    uint8_t reserved30[2];
    uint64_t cs;
    uint16_t trtype_spec_info;
    uint8_t reserved42[64 - 42];
};
static_assert(sizeof(struct nvme_error_entry) == 64, "NVMe Base 2.0, 5.16.1.2");
static_assert(offsetof(struct nvme_error_entry, status) == 12, "NVMe Base 2.0, 5.16.1.2");
static_assert(offsetof(struct nvme_error_entry, nsid) == 24, "NVMe Base 2.0, 5.16.1.2");
static_assert(offsetof(struct nvme_error_entry, cs) == 32, "NVMe Base 2.0, 5.16.1.2");

struct PACKED nvme_smart_log { // 5.16.1.3
    uint8_t critical_warning;
#define   NVME_SMART_SPARE BIT32(0)
#define   NVME_SMART_TEMPERATURE BIT32(1)
#define   NVME_SMART_DEGRADED BIT32(2)
#define   NVME_SMART_READ_ONLY BIT32(3)
#define   NVME_SMART_BACKUP BIT32(4) // the volatile memory's backup failed
#define   NVME_SMART_PMR BIT32(5)
    uint16_t temperature; // kelvin
    uint8_t avail_spare, spare_thresh, percent_used;
    uint8_t endu_grp_crit_warn_sumry;
    uint8_t reserved7[32 - 7];
    // 128 bits each; data units of 1000 * 512 bytes
    uint64_t data_units_read[2], data_units_written[2];
    uint64_t host_reads[2], host_writes[2]; // commands
    uint64_t ctrl_busy_time[2]; // minutes
    uint64_t power_cycles[2], power_on_hours[2], unsafe_shutdowns[2];
    uint64_t media_errors[2], num_err_log_entries[2];
    uint32_t warning_temp_time, critical_comp_time; // minutes
    uint16_t temp_sensor[8]; // kelvin; 0: no such sensor
    uint32_t thm_temp1_trans_count, thm_temp2_trans_count;
    uint32_t thm_temp1_total_time, thm_temp2_total_time; // seconds
    uint8_t reserved232[512 - 232];
};
static_assert(sizeof(struct nvme_smart_log) == 512, "NVMe Base 2.0, 5.16.1.3");
static_assert(offsetof(struct nvme_smart_log, data_units_read) == 32, "NVMe Base 2.0, 5.16.1.3");
static_assert(offsetof(struct nvme_smart_log, media_errors) == 160, "NVMe Base 2.0, 5.16.1.3");
static_assert(offsetof(struct nvme_smart_log, warning_temp_time) == 192,
              "NVMe Base 2.0, 5.16.1.3");
static_assert(offsetof(struct nvme_smart_log, thm_temp2_total_time) == 228,
              "NVMe Base 2.0, 5.16.1.3");

#define NVME_FIRMWARE_SLOTS 7

struct PACKED nvme_firmware_log { // 5.16.1.4
    uint8_t afi;
#define   NVME_AFI_ACTIVE BITS32(2, 0)
#define   NVME_AFI_NEXT BITS32(6, 4) // after the next reset; 0: not told
    uint8_t reserved1[7];
    char frs[NVME_FIRMWARE_SLOTS][8];
    uint8_t reserved64[512 - 64];
};
static_assert(sizeof(struct nvme_firmware_log) == 512, "NVMe Base 2.0, 5.16.1.4");
static_assert(offsetof(struct nvme_firmware_log, frs) == 8, "NVMe Base 2.0, 5.16.1.4");

struct PACKED nvme_effects_log { // 5.16.1.6
    uint32_t acs[256];  // admin commands by opcode
    uint32_t iocs[256]; // I/O commands
#define   NVME_EFFECTS_CSUPP BIT32(0)
#define   NVME_EFFECTS_LBCC BIT32(1) // changes user data
#define   NVME_EFFECTS_NCC BIT32(2)  // changes a namespace
#define   NVME_EFFECTS_NIC BIT32(3)  // changes the inventory of namespaces
#define   NVME_EFFECTS_CCC BIT32(4)  // changes the controller
#define   NVME_EFFECTS_CSE BITS32(18, 16)
    uint8_t reserved2048[4096 - 2048];
};
static_assert(sizeof(struct nvme_effects_log) == 4096, "NVMe Base 2.0, 5.16.1.6");

struct PACKED nvme_self_test_result { // 5.16.1.7
    uint8_t dsts;
#define   NVME_DSTS_RESULT BITS32(3, 0) // 0 no error, 15 no entry
#define   NVME_DSTS_CODE BITS32(7, 4)
    uint8_t seg;
    uint8_t vdi; // which of nsid, flba, sct, sc count
#define   NVME_VDI_NSID BIT32(0)
#define   NVME_VDI_FLBA BIT32(1)
#define   NVME_VDI_SCT BIT32(2)
#define   NVME_VDI_SC BIT32(3)
    uint8_t reserved3;
    uint64_t poh;
    uint32_t nsid;
    uint64_t flba;
    uint8_t sct, sc;
    uint8_t vs[2];
};
static_assert(sizeof(struct nvme_self_test_result) == 28, "NVMe Base 2.0, 5.16.1.7");
static_assert(offsetof(struct nvme_self_test_result, nsid) == 12, "NVMe Base 2.0, 5.16.1.7");
static_assert(offsetof(struct nvme_self_test_result, flba) == 16, "NVMe Base 2.0, 5.16.1.7");

#define NVME_SELF_TEST_RESULTS 20
#define NVME_SELF_TEST_NO_ENTRY 0xf

struct PACKED nvme_self_test_log {
    uint8_t current_operation; // 0: none, else the code below
#define   NVME_SELF_TEST_OPERATION BITS32(3, 0)
    uint8_t current_completion; // percent
#define   NVME_SELF_TEST_COMPLETION BITS32(6, 0)
    uint8_t reserved2[2];
    struct nvme_self_test_result result[NVME_SELF_TEST_RESULTS]; // the newest first
};
static_assert(sizeof(struct nvme_self_test_log) == 564, "NVMe Base 2.0, 5.16.1.7");

// Device Self-test (5.9), CDW10
#define   NVME_SELF_TEST_STC BITS32(3, 0)
#define NVME_SELF_TEST_SHORT 1
#define NVME_SELF_TEST_EXTENDED 2
#define NVME_SELF_TEST_VENDOR 0xe
#define NVME_SELF_TEST_ABORT 0xf

// ---- features (5.15, 5.27) ----

// CDW10 of both commands
#define   NVME_FEATURE_FID BITS32(7, 0)
#define   NVME_FEATURE_SEL BITS32(10, 8) // Get
#define   NVME_FEATURE_SV BIT32(31)      // Set
#define NVME_SEL_CURRENT 0
#define NVME_SEL_DEFAULT 1
#define NVME_SEL_SAVED 2
#define NVME_SEL_CAPABILITIES 3
// What the completion then holds (5.15.1)
#define   NVME_CAPABILITY_SAVEABLE BIT32(0)
#define   NVME_CAPABILITY_NAMESPACE BIT32(1)
#define   NVME_CAPABILITY_CHANGEABLE BIT32(2)

#define NVME_FEATURE_ARBITRATION 0x01
#define   NVME_ARB_AB BITS32(2, 0) // 2^AB commands at once
#define   NVME_ARB_AB_UNLIMITED 7
#define   NVME_ARB_LPW BITS32(15, 8)
#define   NVME_ARB_MPW BITS32(23, 16)
#define   NVME_ARB_HPW BITS32(31, 24)
#define NVME_FEATURE_POWER 0x02
#define   NVME_POWER_PS BITS32(4, 0)
#define   NVME_POWER_WH BITS32(7, 5)
#define NVME_FEATURE_LBA_RANGE 0x03
#define NVME_FEATURE_TEMPERATURE 0x04
#define   NVME_TEMPERATURE_TMPTH BITS32(15, 0) // kelvin
#define   NVME_TEMPERATURE_TMPSEL BITS32(19, 16)
#define   NVME_TEMPERATURE_THSEL BITS32(21, 20)
#define NVME_FEATURE_ERROR_RECOVERY 0x05
#define   NVME_ERROR_TLER BITS32(15, 0) // 100 ms units; 0: no time limit
#define   NVME_ERROR_DULBE BIT32(16)
#define NVME_FEATURE_WRITE_CACHE 0x06
#define   NVME_WRITE_CACHE_WCE BIT32(0)
// Number of Queues (5.27.1.5): CDW11 asks, dword 0 of the completion grants
#define NVME_FEATURE_QUEUES 0x07
#define   NVME_QUEUES_NSQ BITS32(15, 0)  // 0-based
#define   NVME_QUEUES_NCQ BITS32(31, 16) // 0-based
#define NVME_FEATURE_COALESCING 0x08
#define   NVME_COALESCING_THR BITS32(7, 0)   // completions, 0-based
#define   NVME_COALESCING_TIME BITS32(15, 8) // 100 us units; 0: none
#define NVME_FEATURE_VECTOR 0x09
#define   NVME_VECTOR_IV BITS32(15, 0)
#define   NVME_VECTOR_CD BIT32(16) // no coalescing
#define NVME_FEATURE_ATOMICITY 0x0a
#define   NVME_ATOMICITY_DN BIT32(0)
#define NVME_FEATURE_EVENTS 0x0b // bits as OAES, and SMART's critical warnings in 7:0
#define   NVME_EVENTS_SMART BITS32(7, 0)
#define NVME_FEATURE_APST 0x0c
#define NVME_FEATURE_HMB 0x0d
#define NVME_FEATURE_TIMESTAMP 0x0e
#define NVME_FEATURE_KEEP_ALIVE 0x0f
#define NVME_FEATURE_THERMAL 0x10
#define   NVME_THERMAL_TMT2 BITS32(15, 0)
#define   NVME_THERMAL_TMT1 BITS32(31, 16)
#define NVME_FEATURE_NOPSC 0x11
#define NVME_FEATURE_HOST_BEHAVIOR 0x16
#define NVME_HOST_BEHAVIOR_BYTES 512
struct PACKED nvme_host_behavior { // 5.27.1.18
    uint8_t acre; // 1: completions may name delays before a retry
    uint8_t etdas;
    uint8_t lbafee; // 1: extended formats
    uint8_t reserved3[NVME_HOST_BEHAVIOR_BYTES - 3];
};
static_assert(sizeof(struct nvme_host_behavior) == 512, "NVMe Base 2.0, 5.27.1.18");

// ---- Asynchronous Event Request (5.2), dword 0 of its completion ----

#define   NVME_EVENT_TYPE BITS32(2, 0)
#define   NVME_EVENT_INFO BITS32(15, 8)
#define   NVME_EVENT_LID BITS32(23, 16) // reading this log page clears the event
#define NVME_EVENT_ERROR 0
#define NVME_EVENT_SMART 1
#define NVME_EVENT_NOTICE 2
#define   NVME_NOTICE_NAMESPACES 0
#define   NVME_NOTICE_FIRMWARE 1 // activation starts: CSTS.PP
#define   NVME_NOTICE_ANA 3
#define   NVME_NOTICE_ZONES 0xef
#define NVME_EVENT_IMMEDIATE 3
#define NVME_EVENT_IO 6
#define NVME_EVENT_VENDOR 7

// clang-format on
