// SPDX-License-Identifier: BSD-2-Clause
// Controllers of virtual functions, and which controllers have a namespace, as the wire has them.
// Names and sections are those of the NVMe Base Specification 2.0.
#pragma once

#include "lib/bits.h"
#include "lib/types.h"

// clang-format off: it would undo the indentation of fields below their member

#define NVME_CNS_PRIMARY 0x14
#define NVME_CNS_SECONDARIES 0x15

// ---- what the primary controller has to share, CNS 14h (5.17.2.16) ----

struct PACKED nvme_shared_out {
    uint32_t total;       // flexible ones
    uint32_t assigned;    // of these, to secondary controllers,
    uint16_t primary;     // and to the primary
    uint16_t own;         // the primary's private ones
    uint16_t most;        // of a secondary
    uint16_t granularity; // of what one is assigned
    uint8_t reserved16[32 - 16];
};

enum { NVME_VIRTUAL_QUEUES, NVME_VIRTUAL_INTERRUPTS, NVME_VIRTUAL_KINDS }; // RT; bits of CRT

struct PACKED nvme_primary {
    uint16_t cntlid;
    uint16_t portid;
    uint8_t crt;
    uint8_t reserved5[32 - 5];
    struct nvme_shared_out kinds[NVME_VIRTUAL_KINDS];
    uint8_t reserved96[4096 - 96];
};
static_assert(sizeof(struct nvme_primary) == 4096, "NVMe Base 2.0, 5.17.2.16");
static_assert(offsetof(struct nvme_primary, kinds) == 32, "NVMe Base 2.0, 5.17.2.16");
static_assert(offsetof(struct nvme_primary, kinds[1].most) == 76, "NVMe Base 2.0, 5.17.2.16");

// ---- the secondary controllers, CNS 15h (5.17.2.17) ----

#define NVME_SECONDARIES_MOST 127u

struct PACKED nvme_secondary {
    uint16_t id;
    uint16_t primary;
    uint8_t state;
#define   NVME_SECONDARY_ONLINE BIT32(0)
    uint8_t reserved5[8 - 5];
    uint16_t function; // the how manieth virtual one, from 1; 0: none
    uint16_t resources[NVME_VIRTUAL_KINDS];
    uint8_t reserved14[32 - 14];
};

struct PACKED nvme_secondaries {
    uint8_t count;
    uint8_t reserved1[32 - 1];
    struct nvme_secondary list[NVME_SECONDARIES_MOST];
};
static_assert(sizeof(struct nvme_secondaries) == 4096, "NVMe Base 2.0, 5.17.2.17");
static_assert(offsetof(struct nvme_secondary, function) == 8, "NVMe Base 2.0, 5.17.2.17");

// ---- Virtualization Management (5.29): CDW10; CDW11 is how many ----

#define   NVME_VIRTUAL_ACT BITS32(3, 0)
#define   NVME_VIRTUAL_RT BITS32(10, 8)
#define   NVME_VIRTUAL_CNTLID BITS32(31, 16)
#define NVME_VIRTUAL_ACT_PRIMARY 1 // counts after the primary's next reset
#define NVME_VIRTUAL_ACT_OFFLINE 7
#define NVME_VIRTUAL_ACT_ASSIGN 8
#define NVME_VIRTUAL_ACT_ONLINE 9

// ---- Namespace Attachment (5.21): CDW10, and its list of controllers ----

#define NVME_ATTACH 0
#define NVME_DETACH 1

struct nvme_controller_list {
    uint16_t count;
    uint16_t ids[2047];
};
static_assert(sizeof(struct nvme_controller_list) == 4096, "NVMe Base 2.0, 4.5.1");

// clang-format on
