// SPDX-License-Identifier: BSD-2-Clause
// What the SMART page says of a disk.

#include "drivers/nvme/health.h"

#include "drivers/nvme/admin.h"
#include "drivers/nvme/disk.h"
#include "drivers/nvme/log.h"
#include "drivers/nvme/prp.h"
#include "kernel/base/report.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"

#define DATA_UNIT 512000 // bytes; SMART counts them rounded up (5.16.1.3)

// Of a controller, for the temperatures in between.
struct nvme_sampler {
    struct nvme_admin_command command;
    struct nvme_ctrl *ctrl;
    struct nvme_smart_log *page;
    uint16_t kelvin, kelvin_most;
};

// Of 128 bits the low ones: a disk that has moved 2^64 bytes is 500 years old.
static struct block_health health_of(const struct nvme_smart_log *log)
{
    return (struct block_health){
        .kelvin = log->temperature,
        .kelvin_most = log->temperature,
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
    if (c->sampler)
        out->kelvin_most = MAX(out->kelvin_most, c->sampler->kelvin_most);
    return true;
}

static void sampled(struct nvme_admin_command *command)
{
    struct nvme_sampler *s = container_of(command, struct nvme_sampler, command);
    s->ctrl->sampling = false;
    if (command->status)
        return;
    s->kelvin = s->page->temperature;
    s->kelvin_most = MAX(s->kelvin_most, s->kelvin);
}

static struct nvme_sampler *sampler_of(struct nvme_ctrl *c)
{
    if (c->sampler)
        return c->sampler;
    c->sampler = mem_alloc(sizeof(*c->sampler), CACHE_LINE, c->dev->node);
    c->sampler->ctrl = c;
    c->sampler->command.done = sampled;
    c->sampler->page = mem_alloc_dma(NVME_PAGE, NVME_PAGE, c->dev->node);
    return c->sampler;
}

uint16_t nvme_sample_health(struct block_dev *dev)
{
    const struct nvme_ns *ns = dev->driver;
    struct nvme_ctrl *c = ns->ctrl;

    if (!c->running || c->resetting || atomic_load(&c->gone))
        return 0;
    struct nvme_sampler *s = sampler_of(c);
    nvme_admin_poll(c);
    if (c->sampling)
        return s->kelvin;
    struct nvme_sqe sqe = nvme_log_command(c, NVME_LOG_SMART, sizeof(*s->page), s->page);
    c->sampling = nvme_admin_send(c, &sqe, &s->command);
    return s->kelvin;
}
