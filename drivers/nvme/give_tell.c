// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/give_tell.h"

#include "drivers/nvme/granted.h"
#include "drivers/nvme/nvme.h"
#include "drivers/nvme/ways.h"
#include "lib/string.h"

static void tell_controller(const struct nvme_ctrl *c, struct domain_disk *disk)
{
    memcpy(disk->controller, c->name, sizeof(disk->controller));
    memcpy(disk->label, c->label, sizeof(disk->label));
    disk->sgl = c->abilities.sgl;
    disk->max_transfer = c->id.max_transfer;
    memcpy(disk->retry_ms, c->abilities.retry_ms, sizeof(disk->retry_ms));
    disk->timeout_ms = nvme_qpair_timeout_ms();
}

static void tell_device(const struct block_dev *dev, struct domain_disk *disk)
{
    disk->nsid = dev->nsid;
    disk->ops = dev->ops;
    disk->blocks = dev->blocks;
    memcpy(disk->name, dev->name, sizeof(disk->name));
    memcpy(disk->serial, dev->serial, sizeof(disk->serial));
    memcpy(disk->model, dev->model, sizeof(disk->model));
    disk->limits = dev->limits;
}

// The buffers for metadata are the kernel's; the domain has some of its own.
static void tell_forms(const struct nvme_ns *ns, struct domain_disk *disk)
{
    memcpy(disk->forms, ns->forms, sizeof(disk->forms));
    disk->metadata_buffer = ns->forms[BLOCK_READ].mptr;
    for (unsigned op = 0; op < BLOCK_OPS; op++) {
        disk->forms[op].mptr = 0;
        disk->in_full |= ns->forms[op].tag_mask;
    }
    disk->in_full |= disk->metadata_buffer;
}

static bool is_first(const struct domain_grant *grant, const char *name)
{
    const struct domain_disk *told = (const void *)grant->disks;
    for (uint32_t i = 0; i < grant->disks_count; i++)
        if (strcmp(told[i].name, name) == 0)
            return !told[i].same_as[0];
    return false;
}

// Of what the kernel doesn't have it knows no ways. All ways to a disk go to one domain (give_check.c), and the
// first that it is told of is the one that the others name.
static void tell_way(const struct nvme_ns *ns, const struct domain_grant *grant,
                     struct domain_disk *disk)
{
    for (const struct nvme_ctrl *c = nvme_first(); c; c = c->next)
        for (const struct nvme_ns *way = c->namespaces; way; way = way->next)
            if (c->given && nvme_ways_other(way, ns) && is_first(grant, way->dev.name))
                memcpy(disk->same_as, way->dev.name, sizeof(disk->same_as));
}

static struct domain_disk tell(const struct nvme_ns *ns, const struct domain_grant *grant)
{
    struct domain_disk disk = {
        .function = grant->function,
        .block_shift = ns->block_shift,
        .copy = ns->copy,
        .zoned = ns->zoned,
    };
    tell_controller(ns->ctrl, &disk);
    tell_device(&ns->dev, &disk);
    tell_forms(ns, &disk);
    tell_way(ns, grant, &disk);
    return disk;
}

bool nvme_give_tell_disks(const struct nvme_ctrl *c, struct domain_grant *grant)
{
    for (const struct nvme_ns *ns = c->namespaces; ns; ns = ns->next) {
        struct domain_disk disk = tell(ns, grant);
        if (!domain_tell_disk(grant, &disk, sizeof(disk)))
            return false;
    }
    return true;
}
