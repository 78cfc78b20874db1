// SPDX-License-Identifier: BSD-2-Clause
// From the controller's active namespaces to block devices. One that can't be used is named in a
// warning and passed over: the others still serve.

#include "drivers/nvme/setup.h"

#include "drivers/nvme/admin.h"
#include "drivers/nvme/prp.h"
#include "drivers/nvme/ways.h"
#include "kernel/base/report.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "lib/string.h"

#define NAMESPACES_MAX 4096 // of one controller; more than anybody has

static void warn_passed_over(const struct nvme_ctrl *c, uint32_t nsid, const struct problem *p)
{
    warn(p->what, "%sn%u: passed over: %s", c->name, nsid, p->message);
}

// One by one, those that answer. False only if the controller doesn't answer any more; of namespaces
// that can't be identified the first is told, and how many are like it.
static bool add_by_counting(struct nvme_ctrl *c, uint32_t first, struct problem *p)
{
    uint32_t left = c->id.namespaces - (first - 1), failed = 0;

    if (left > NAMESPACES_MAX)
        warn("nvme-ns-many", "%s: only %u of %u namespaces are looked at", c->label, NAMESPACES_MAX,
             left);
    for (uint32_t i = 0; i < MIN(left, (uint32_t)NAMESPACES_MAX); i++) {
        if (nvme_namespace_add(c, first + i, p))
            continue;
        if (c->command.lost)
            return false;
        uint32_t code = c->command.status & (NVME_STATUS_SCT | NVME_STATUS_SC);
        if (code != NVME_STATUS_INVALID_NAMESPACE && !failed++)
            warn_passed_over(c, first + i, p);
    }
    if (failed > 1)
        warn("nvme-ns-many", "%s: %u more namespaces are passed over likewise", c->label,
             failed - 1);
    return true;
}

static bool count_instead(struct nvme_ctrl *c, uint32_t after, const char *why, struct problem *p)
{
    warn("nvme-ns-list",
         "%s: its list of active namespaces (Identify, CNS 2) can't be used: %s; namespaces %u to "
         "%u are looked for one by one",
         c->label, why, after + 1, c->id.namespaces);
    return add_by_counting(c, after + 1, p);
}

// One page of the list at a time, each starting behind the last NSID of the one before. Identify
// Namespace reuses the page, so the list is copied out of it. Some controllers refuse it, and some
// answer with something else.
static bool add_by_list(struct nvme_ctrl *c, uint32_t *list, struct problem *p)
{
    uint32_t last = c->id.namespaces;
    uint32_t after = 0;
    size_t count;

    for (unsigned seen = 0; seen < NAMESPACES_MAX; seen += count) {
        if (!nvme_identify(c, NVME_CNS_ACTIVE_LIST, after, "Identify Active Namespace List", p))
            return !c->command.lost && count_instead(c, after, p->message, p);
        memcpy(list, c->page, NVME_PAGE);
        if (!nvme_parse_list(list, after, last, &count))
            return count_instead(c, after, "its entries don't rise from 1 to NN", p);
        for (size_t i = 0; i < count; i++) {
            if (nvme_namespace_add(c, after = list[i], p))
                continue;
            if (c->command.lost)
                return false;
            warn_passed_over(c, after, p);
        }
        if (count < NVME_NSID_LIST_ENTRIES)
            return true;
    }
    warn("nvme-ns-many", "%s: namespaces past %u are not looked at", c->label, after);
    return true;
}

// Controllers before 1.1 have no list.
bool nvme_namespaces_start(struct nvme_ctrl *c, struct problem *p)
{
    if (!nvme_command_sets_identify(c, p) || !nvme_ways_read(c, p))
        return false;
    if (c->version < NVME_VERSION(1, 1))
        return add_by_counting(c, 1, p);
    return add_by_list(c, mem_alloc_dma(NVME_PAGE, NVME_PAGE, c->dev->node), p);
}
