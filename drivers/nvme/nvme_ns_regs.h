// SPDX-License-Identifier: BSD-2-Clause
// Command sets, ways to a namespace, and zones, as the wire has them. "ZNS" is the Zoned Namespace
// Command Set Specification 1.1, "NVM" the NVM Command Set Specification 1.0; other sections are
// those of the NVMe Base Specification 2.0.
#pragma once

#include "lib/bits.h"
#include "lib/types.h"

// clang-format off: it would undo the indentation of fields below their member

#define NVME_CNS_INDEPENDENT_NAMESPACE 0x08

// ---- a namespace, whatever its command set, CNS 08h (5.17.2.8) ----

struct PACKED nvme_independent_namespace {
    uint8_t nsfeat;
    uint8_t nmic; // as in CNS 00h, as are the others
    uint8_t rescap;
    uint8_t fpi;
    uint32_t anagrpid;
    uint8_t nsattr;
    uint8_t reserved9;
    uint16_t nvmsetid;
    uint16_t endgid;
    uint8_t nstat;
#define   NVME_NSTAT_READY BIT32(0)
    uint8_t reserved15[4096 - 15];
};
static_assert(sizeof(struct nvme_independent_namespace) == 4096, "NVMe Base 2.0, 5.17.2.8");
static_assert(offsetof(struct nvme_independent_namespace, anagrpid) == 4, "NVMe Base 2.0, 5.17.2.8");
static_assert(offsetof(struct nvme_independent_namespace, nstat) == 14, "NVMe Base 2.0, 5.17.2.8");

// ---- a controller's NVM command set, CNS 06h, CSI 00h (NVM 4.1.5.4) ----

struct PACKED nvme_identify_nvm_controller {
    uint8_t vsl;  // Verify: (4096 << CAP.MPSMIN) << vsl bytes; 0: no limit
    uint8_t wzsl; // Write Zeroes
    uint8_t wusl; // Write Uncorrectable
    uint8_t dmrl; // Dataset Management: ranges; 0: no limit
    uint32_t dmrsl; // blocks of one range
    uint64_t dmsl;  // blocks of all
    uint8_t reserved16[4096 - 16];
};
static_assert(sizeof(struct nvme_identify_nvm_controller) == 4096, "NVM Command Set 1.0, 4.1.5.4");
static_assert(offsetof(struct nvme_identify_nvm_controller, dmsl) == 8,
              "NVM Command Set 1.0, 4.1.5.4");

// ---- a controller's zoned command set, CNS 06h, CSI 02h (ZNS 4.1.5.2) ----

struct PACKED nvme_identify_zoned_controller {
    uint8_t zasl; // Zone Append: as MDTS; 0: as long as any command
    uint8_t reserved1[4096 - 1];
};
static_assert(sizeof(struct nvme_identify_zoned_controller) == 4096, "ZNS 1.1, 4.1.5.2");

// ---- ways to a namespace: the log page Asymmetric Namespace Access (5.16.1.13) ----

#define NVME_LOG_ANA_GROUPS_ONLY 1 // LSP: groups without their lists of namespaces

struct PACKED nvme_ana_log {
    uint64_t changes;
    uint16_t groups; // descriptors that follow
    uint8_t reserved10[16 - 10];
};
static_assert(sizeof(struct nvme_ana_log) == 16, "NVMe Base 2.0, 5.16.1.13");

struct PACKED nvme_ana_group {
    uint32_t group;
    uint32_t namespaces; // NSIDs that follow the descriptor
    uint64_t changes;
    uint8_t state;
#define   NVME_ANA_STATE BITS32(3, 0)
    uint8_t reserved17[32 - 17];
};
static_assert(sizeof(struct nvme_ana_group) == 32, "NVMe Base 2.0, 5.16.1.13");
static_assert(offsetof(struct nvme_ana_group, state) == 16, "NVMe Base 2.0, 5.16.1.13");

// ---- zones (ZNS 3.4) ----

#define NVME_CMD_ZONE_SEND 0x79
#define NVME_CMD_ZONE_RECEIVE 0x7a
#define NVME_CMD_ZONE_APPEND 0x7d

// CDW13 of Zone Management Send
#define   NVME_ZONE_SEND_ACTION BITS32(7, 0)
#define   NVME_ZONE_SEND_ALL BIT32(8)
#define NVME_ZONE_CLOSE 0x01
#define NVME_ZONE_FINISH 0x02
#define NVME_ZONE_OPEN 0x03
#define NVME_ZONE_RESET 0x04

// CDW13 of Zone Management Receive; CDW12 is the count of dwords, 0-based
#define   NVME_ZONE_RECEIVE_ACTION BITS32(7, 0)
#define   NVME_ZONE_RECEIVE_PARTIAL BIT32(16) // NZ counts what fits, not what there is
#define NVME_ZONE_REPORT 0x00

struct PACKED nvme_zone_report { // ZNS 3.4.2.2.1
    uint64_t zones;
    uint8_t reserved8[64 - 8];
};
static_assert(sizeof(struct nvme_zone_report) == 64, "ZNS 1.1, 3.4.2.2.1");

struct PACKED nvme_zone_descriptor { // ZNS 3.4.2.2.3
    uint8_t type;
#define   NVME_ZONE_TYPE BITS32(3, 0)
#define NVME_ZONE_SEQUENTIAL 2
    uint8_t state;
#define   NVME_ZONE_STATE BITS32(7, 4)
    uint8_t attributes;
    uint8_t attribute_information;
    uint8_t reserved4[8 - 4];
    uint64_t capacity;
    uint64_t start;
    uint64_t write_pointer;
    uint8_t reserved32[64 - 32];
};
static_assert(sizeof(struct nvme_zone_descriptor) == 64, "ZNS 1.1, 3.4.2.2.3");
static_assert(offsetof(struct nvme_zone_descriptor, capacity) == 8, "ZNS 1.1, 3.4.2.2.3");
static_assert(offsetof(struct nvme_zone_descriptor, write_pointer) == 24, "ZNS 1.1, 3.4.2.2.3");

#define NVME_ZONE_EMPTY 0x1
#define NVME_ZONE_OPEN_IMPLICIT 0x2
#define NVME_ZONE_OPEN_EXPLICIT 0x3
#define NVME_ZONE_CLOSED 0x4
#define NVME_ZONE_READ_ONLY 0xd
#define NVME_ZONE_FULL 0xe
#define NVME_ZONE_OFFLINE 0xf

// ---- protection information: CDW12 of reads, writes and their kin (NVM 3.2.4, 5.2) ----

#define   NVME_PRINFO BITS32(29, 26)
#define   NVME_PRINFO_PRACT BIT32(29) // the controller makes it, or checks and strips it
#define   NVME_PRINFO_GUARD BIT32(28) // what is checked: the CRC,
#define   NVME_PRINFO_APP BIT32(27)   // the application tag,
#define   NVME_PRINFO_REF BIT32(26)   // and the reference tag

// clang-format on
