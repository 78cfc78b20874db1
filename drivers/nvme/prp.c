// SPDX-License-Identifier: BSD-2-Clause
// PRP entries and lists.

#include "drivers/nvme/prp.h"

struct nvme_prp nvme_prp_build(uint64_t phys, uint64_t bytes, uint64_t *list, uint64_t list_phys)
{
    uint64_t end = phys + bytes;
    uint64_t second = ALIGN_DOWN(phys, NVME_PAGE) + NVME_PAGE;

    if (end <= second)
        return (struct nvme_prp){ phys, 0 };
    if (end <= second + NVME_PAGE)
        return (struct nvme_prp){ phys, second };
    for (uint64_t page = second; page < end; page += NVME_PAGE)
        *list++ = page;
    return (struct nvme_prp){ phys, list_phys };
}

bool nvme_point(bool sgl, uint64_t phys, uint64_t bytes, uint64_t *head, uint64_t data[2])
{
    if (!nvme_prp_needs_list(phys, bytes)) {
        struct nvme_prp prp = nvme_prp_build(phys, bytes, NULL, 0);
        data[0] = prp.prp1;
        data[1] = prp.prp2;
        return true;
    }
    if (!sgl)
        return false;
    struct nvme_sgl block = nvme_sgl_block(phys, bytes);
    *head |= field_put(NVME_SQE_PSDT, NVME_SQE_PSDT_SGL);
    data[0] = block.address;
    data[1] = block.length;
    return true;
}
