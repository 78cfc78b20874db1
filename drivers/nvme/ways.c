// SPDX-License-Identifier: BSD-2-Clause
// Tells disks that are reached by several controllers from several disks, and ways that are open from
// ways that are not (NVMe Base 2.0, 2.4.1, 8.1).

#include "drivers/nvme/ways.h"

#include "drivers/nvme/log.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "lib/string.h"

// ---- one disk ----

static struct nvme_way way_of(const struct nvme_ns *ns)
{
    return (struct nvme_way){
        .subsystem = ns->ctrl->abilities.subsystem,
        .serial = ns->ctrl->id.serial,
        .nsid = ns->dev.nsid,
        .identity = &ns->identity,
    };
}

static bool is_other_way(const struct nvme_ns *a, const struct nvme_ns *b)
{
    struct nvme_way x = way_of(a), y = way_of(b);
    return a->ctrl != b->ctrl && nvme_is_same_disk(&x, &y);
}

// All ways name the first one.
void nvme_ways_find(struct nvme_ns *ns)
{
    for (struct block_dev *dev = block_first(); dev && dev != &ns->dev; dev = dev->next)
        if (dev->prepare == nvme_prepare && !dev->same_as && is_other_way(dev->driver, ns)) {
            ns->dev.same_as = dev;
            return;
        }
}

// ---- states ----

bool nvme_way_is_open(enum nvme_ana_state state)
{
    return state != NVME_ANA_INACCESSIBLE && state != NVME_ANA_LOST;
}

// Groups past the first page, 127 of them, are taken as if they weren't told of.
bool nvme_ways_read(struct nvme_ctrl *c, struct problem *p)
{
    if (!c->abilities.ana)
        return true;
    if (!c->ana_log)
        c->ana_log = mem_alloc(NVME_PAGE, NVME_PAGE, c->dev->node);
    memset(c->ana_log, 0, NVME_PAGE);
    unsigned lid = NVME_LOG_ANA | (unsigned)field_put(NVME_LOG_LSP, NVME_LOG_ANA_GROUPS_ONLY);
    if (nvme_get_log(c, lid, NVME_PAGE, "Get Log Page, Asymmetric Namespace Access", p)) {
        memcpy(c->ana_log, c->page, NVME_PAGE);
        return true;
    }
    if (c->command.lost)
        return false;
    warn_problem(p);
    return true;
}

enum nvme_ana_state nvme_way_state(const struct nvme_ctrl *c, const struct nvme_identity *identity)
{
    enum nvme_ana_state state;
    if (!c->ana_log || !nvme_parse_ana(c->ana_log, NVME_PAGE, identity->ana_group, &state))
        return 0;
    return state;
}

static void tell(const struct nvme_ns *ns, enum nvme_ana_state before)
{
    if (nvme_way_is_open(ns->way) != nvme_way_is_open(before))
        warn("nvme-ana", "%s: its access state is \"%s\" now, and was \"%s\"%s", ns->dev.name,
             nvme_ana_text(ns->way), nvme_ana_text(before),
             nvme_way_is_open(ns->way) ? "" : ": it can't be reached here");
}

void nvme_ways_changed(struct nvme_ctrl *c, const void *log)
{
    if (!c->ana_log)
        return;
    memcpy(c->ana_log, log, NVME_PAGE);
    for (struct nvme_ns *ns = c->namespaces; ns; ns = ns->next) {
        enum nvme_ana_state before = ns->way;
        ns->way = nvme_way_state(c, &ns->identity);
        if (before && ns->way)
            tell(ns, before);
    }
}
