// SPDX-License-Identifier: BSD-2-Clause
#include "drivers/nvme/log.h"

#include "drivers/nvme/admin.h"
#include "drivers/nvme/prp.h"
#include "kernel/mem/mem.h"
#include "lib/string.h"

struct nvme_sqe nvme_log_command(const struct nvme_ctrl *c, unsigned lid, size_t bytes,
                                 const void *page)
{
    struct nvme_sqe sqe = {
        .head = NVME_ADMIN_GET_LOG_PAGE | field_put(NVME_SQE_NSID, NVME_NSID_ALL),
        .prp1 = mem_phys(page),
        .cdw10 = (uint32_t)(lid | field_put(NVME_LOG_NUMDL, bytes / 4 - 1)),
    };
    if (c->version >= NVME_VERSION(1, 3)) // a reserved bit before
        sqe.cdw10 |= NVME_LOG_RAE;
    return sqe;
}

bool nvme_get_log(struct nvme_ctrl *c, unsigned lid, size_t bytes, const char *what,
                  struct problem *p)
{
    struct nvme_sqe sqe = nvme_log_command(c, lid, bytes, c->page);
    memset(c->page, 0, NVME_PAGE);
    return nvme_admin(c, &sqe, what, NULL, p);
}
