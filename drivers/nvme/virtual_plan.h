// SPDX-License-Identifier: BSD-2-Clause
// How many queues and interrupts each controller of a virtual function gets, of those that a primary
// controller has to share, and which controllers those are (NVMe Base 2.0, 8.26). Pure.
#pragma once

#include "drivers/nvme/nvme_virtual_regs.h"
#include "lib/problem.h"

struct nvme_virtual_plan {
    unsigned count;                       // of virtual functions
    uint16_t ids[NVME_SECONDARIES_MOST];  // of their controllers
    uint16_t each[NVME_VIRTUAL_KINDS];    // for each of them; 0: it has what it has
    uint16_t primary[NVME_VIRTUAL_KINDS]; // what the primary may keep,
    uint16_t now[NVME_VIRTUAL_KINDS];     // and what it has
};

// For so many functions > 0, each with so many of both at best. "nvme-vfs": they don't suffice, or what
// the lists say can't be.
bool nvme_virtual_plan(const char *name, const struct nvme_primary *primary,
                       const struct nvme_secondaries *secondaries, unsigned count,
                       const unsigned wanted[NVME_VIRTUAL_KINDS], struct nvme_virtual_plan *out,
                       struct problem *p);

// The primary has to give some up first.
bool nvme_virtual_takes(const struct nvme_virtual_plan *plan);
