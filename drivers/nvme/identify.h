// SPDX-License-Identifier: BSD-2-Clause
// Reads Identify data and capabilities: bytes in, checked values out. Pure.
#pragma once

#include "drivers/nvme/nvme_regs.h"
#include "lib/problem.h"

// Longest transfer that one command is used for, whatever the controller would take.
#define NVME_TRANSFER_MAX MIB

// What CAP promises.
struct nvme_limits {
    unsigned queue_entries; // largest I/O queue, a power of two from 2 to NVME_QUEUE_ENTRIES
    unsigned stride;        // bytes from one doorbell to the next
    uint64_t ready_ms;      // deadline for CSTS.RDY
};
// `crto` counts only where CAP says so. CAP.MQES and CAP.CSS may be 0, against the specification:
// taken for two entries and the NVM command set.
bool nvme_parse_cap(const char *name, uint64_t cap, uint32_t crto, struct nvme_limits *out,
                    struct problem *p);

struct nvme_id {
    char serial[21], model[41], firmware[9]; // trimmed, printable
    uint64_t max_transfer; // bytes, a power of two from NVME_PAGE to NVME_TRANSFER_MAX
    uint64_t shutdown_ms;  // how long a normal shutdown may take
    uint32_t namespaces;   // the largest NSID
};
bool nvme_parse_controller(const char *name, const struct nvme_identify_controller *data,
                           struct nvme_id *out, struct problem *p);

struct nvme_format {
    uint64_t blocks;
    unsigned block_shift; // block size is 1 << block_shift bytes, from 512 to 65536
};
// A problem: the namespace can't be used, and why. `blocks` 0 and true: it is not active.
bool nvme_parse_namespace(const char *name, const struct nvme_identify_namespace *data,
                          uint64_t max_transfer, struct nvme_format *out, struct problem *p);

// How many entries an active namespace list (5.17.2.2) has, all of which rise strictly from `after`,
// with zeros behind them. False: it is no such list.
bool nvme_parse_list(const uint32_t list[NVME_NSID_LIST_ENTRIES], uint32_t after, uint32_t last,
                     size_t *count);
