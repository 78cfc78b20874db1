// SPDX-License-Identifier: BSD-2-Clause
// Physical Region Pages, and Scatter Gather Lists of one block: how a command says where its data go
// (NVMe Base 2.0, 4.1.1 and 4.1.2). Pure.
#pragma once

#include "drivers/nvme/nvme_regs.h"
#include "lib/types.h"

#define NVME_PAGE 4096ull // CC.MPS = 0

struct nvme_prp {
    uint64_t prp1, prp2;
};

// Entries that a list must hold for any transfer of up to so many bytes, however it is aligned.
static inline uint64_t nvme_prp_list_entries(uint64_t bytes)
{
    return DIV_UP(bytes, NVME_PAGE);
}

// More than two pages.
static inline bool nvme_prp_needs_list(uint64_t phys, uint64_t bytes)
{
    return phys % NVME_PAGE + bytes > 2 * NVME_PAGE;
}

// An SGL Data Block descriptor, type and subtype 0: so many bytes at an address.
struct nvme_sgl {
    uint64_t address;
    uint64_t length; // 32 bits; type and subtype 63:56
};
static_assert(sizeof(struct nvme_sgl) == 16, "NVMe Base 2.0, 4.1.2");
static inline struct nvme_sgl nvme_sgl_block(uint64_t phys, uint64_t bytes)
{
    return (struct nvme_sgl){ phys, (uint32_t)bytes };
}

// An SGL Last Segment descriptor, type 3h: so many Data Block descriptors at an address.
static inline struct nvme_sgl nvme_sgl_last_segment(uint64_t phys, unsigned count)
{
    return (struct nvme_sgl){ phys, count * sizeof(struct nvme_sgl) | 0x30ull << 56 };
}

// Describes `bytes` > 0 of contiguous memory at `phys`, which is 4-byte aligned. Where it takes
// more than two pages, writes the list, whose own physical address is list_phys; the list must not
// cross a page.
struct nvme_prp nvme_prp_build(uint64_t phys, uint64_t bytes, uint64_t *list, uint64_t list_phys);

// Tells where so many contiguous bytes are without a list: by two pages, or, if there are SGLs, by one
// descriptor, which the command's first 8 bytes then say. False: it takes a list.
bool nvme_point(bool sgl, uint64_t phys, uint64_t bytes, uint64_t *head, uint64_t data[2]);
