// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/nvme/virtual_disks.h"

#include "drivers/nvme/admin.h"
#include "drivers/nvme/nvme_virtual_regs.h"
#include "drivers/nvme/prp.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "kernel/run/block.h"
#include "lib/string.h"

// ---- who has what ----

static struct {
    uint32_t all[NVME_NSID_LIST_ENTRIES];
    size_t count;
    uint32_t unused[NVME_SECONDARIES_MOST];
    unsigned unused_count;
    bool has[NVME_SECONDARIES_MOST];
} found;

static bool list_all(struct nvme_ctrl *c, struct problem *p)
{
    if (!nvme_identify(c, NVME_CNS_ALLOCATED_LIST, 0, "Identify Allocated Namespace List", p))
        return false;
    memcpy(found.all, c->page, sizeof(found.all));
    return nvme_parse_list(found.all, 0, c->id.namespaces, &found.count) ||
           problem_set(
               p, "nvme-ns-list",
               "%s: its list of allocated namespaces (Identify, CNS 10h) doesn't rise from 1 "
               "to NN: its virtual functions get none",
               c->label);
}

static void see_owners(const struct nvme_controller_list *list, const uint16_t *ids, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        for (unsigned n = 0; n < MIN((size_t)list->count, ARRAY_SIZE(list->ids)); n++)
            found.has[i] |= list->ids[n] == ids[i];
}

static bool look(struct nvme_ctrl *c, const uint16_t *ids, unsigned count, struct problem *p)
{
    memset(&found, 0, sizeof(found));
    if (!list_all(c, p))
        return false;
    for (size_t i = 0; i < found.count; i++) {
        const struct nvme_controller_list *list = c->page;
        if (!nvme_identify(c, NVME_CNS_ATTACHED_CONTROLLERS, found.all[i],
                           "Identify Namespace Attached Controller List", p))
            return false;
        if (!list->count && found.unused_count < count)
            found.unused[found.unused_count++] = found.all[i];
        see_owners(list, ids, count);
    }
    return true;
}

// ---- changes ----

static bool change(struct nvme_ctrl *c, unsigned how, uint32_t nsid, uint16_t id, struct problem *p)
{
    struct nvme_controller_list *list = c->page;
    struct nvme_sqe sqe = {
        .head = NVME_ADMIN_ATTACH | field_put(NVME_SQE_NSID, nsid),
        .prp1 = mem_phys(c->page),
        .cdw10 = how,
    };
    memset(list, 0, sizeof(*list));
    list->count = 1;
    list->ids[0] = id;
    return nvme_admin(c, &sqe, "Namespace Attachment", NULL, p);
}

void nvme_virtual_attach(struct nvme_ctrl *c, const uint16_t *ids, unsigned count,
                         uint32_t *namespaces)
{
    struct problem p;
    unsigned next = 0;
    bool good = true;
    memset(namespaces, 0, count * sizeof(*namespaces));
    if (!c->abilities.manages_namespaces || !block_allows(c->id.serial))
        return;
    good = look(c, ids, count, &p);
    for (unsigned i = 0; good && i < count && next < found.unused_count; i++) {
        if (found.has[i])
            continue;
        good = change(c, NVME_ATTACH, found.unused[next], ids[i], &p);
        namespaces[i] = good ? found.unused[next++] : 0;
    }
    if (!good)
        warn_problem(&p);
}

void nvme_virtual_detach(struct nvme_ctrl *c, const uint16_t *ids, unsigned count,
                         const uint32_t *namespaces)
{
    struct problem p;
    for (unsigned i = 0; i < count; i++)
        if (namespaces[i] && !change(c, NVME_DETACH, namespaces[i], ids[i], &p))
            warn_problem(&p);
}
