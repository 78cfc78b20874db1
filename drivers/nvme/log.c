// SPDX-License-Identifier: BSD-2-Clause
#include "drivers/nvme/log.h"

#include "drivers/nvme/admin.h"
#include "drivers/nvme/disk.h"
#include "drivers/nvme/prp.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "lib/string.h"

#define DATA_UNIT 512000 // bytes; SMART counts them rounded up (5.16.1.3)

bool nvme_get_log(struct nvme_ctrl *c, unsigned lid, size_t bytes, const char *what,
                  struct problem *p)
{
    struct nvme_sqe sqe = {
        .head = NVME_ADMIN_GET_LOG_PAGE | field_put(NVME_SQE_NSID, NVME_NSID_ALL),
        .prp1 = mem_phys(c->page),
        .cdw10 = (uint32_t)(lid | field_put(NVME_LOG_NUMDL, bytes / 4 - 1)),
    };
    if (c->version >= NVME_VERSION(1, 3)) // a reserved bit before
        sqe.cdw10 |= NVME_LOG_RAE;
    memset(c->page, 0, NVME_PAGE);
    return nvme_admin(c, &sqe, what, NULL, p);
}

// Of 128 bits the low ones: a disk that has moved 2^64 bytes is 500 years old.
static struct block_health health_of(const struct nvme_smart_log *log)
{
    return (struct block_health){
        .kelvin = log->temperature,
        .warnings = log->critical_warning,
        .spare_percent = log->avail_spare,
        .used_percent = log->percent_used,
        .bytes_read = log->data_units_read[0] * DATA_UNIT,
        .bytes_written = log->data_units_written[0] * DATA_UNIT,
        .media_errors = log->media_errors[0],
        .logged_errors = log->num_err_log_entries[0],
        .hot_minutes = (uint64_t)log->warning_temp_time + log->critical_comp_time,
    };
}

bool nvme_health(struct block_dev *dev, struct block_health *out)
{
    struct nvme_ns *ns = dev->driver;
    struct nvme_ctrl *c = ns->ctrl;
    struct problem p;

    if (!c->running || atomic_load(&c->gone))
        return false;
    if (!nvme_get_log(c, NVME_LOG_SMART, sizeof(struct nvme_smart_log), "Get Log Page (SMART)",
                      &p)) {
        warn_problem(&p);
        return false;
    }
    *out = health_of(c->page);
    return true;
}
