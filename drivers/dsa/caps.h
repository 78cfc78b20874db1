// SPDX-License-Identifier: BSD-2-Clause
// What a DSA's capability registers say, checked. Pure.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

// Device ids that the driver knows. Null: none of them.
const char *dsa_find_model(uint16_t vendor, uint16_t device);

// As read.
struct dsa_regs {
    uint32_t version;
    uint64_t gencap, wqcap, grpcap, engcap;
    uint64_t opcap[4];
    uint64_t offsets[2];
    uint32_t cmdcap;
    uint64_t bar_bytes;    // of the registers,
    uint64_t portal_bytes; // and of the portals
    unsigned vectors;      // entries of its MSI-X table
};

struct dsa_caps {
    unsigned major, minor;
    unsigned queues;  // WQs that can be used: each needs an entry of the MSI-X table, and a portal
    unsigned entries; // of all WQs together
    unsigned engines, groups;
    unsigned read_buffers; // that a group has to be given; 0: it isn't
    unsigned transfer_shift, batch_shift;
    size_t grpcfg, wqcfg, msix_perm; // offsets
    unsigned wqcfg_bytes;
    uint64_t operations; // the first 64: a bit for each
    bool asks_handles;   // interrupt handles are asked for
    bool has_abort;
    bool cache_control;
    bool fault_info; // completion records tell more of page faults
};

static inline bool dsa_has(const struct dsa_caps *c, unsigned operation)
{
    return c->operations >> operation & 1;
}

// Problems, each with the function's name and a remedy: "dsa-silent", "dsa-version", "dsa-fixed",
// "dsa-queues", "dsa-engines", "dsa-vectors", "dsa-operations", "dsa-tables", "dsa-limits",
// "dsa-commands".
bool dsa_decode(const struct dsa_regs *r, const char *name, struct dsa_caps *c, struct problem *p);
