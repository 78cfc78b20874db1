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
