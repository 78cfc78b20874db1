// SPDX-License-Identifier: BSD-2-Clause
// A primary controller's side of virtual functions: what it shares out, and to whom, and which controller
// has which namespace (NVMe Base 2.0, 5.21, 5.29, 8.26).

#include "tests/host/nvme_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_world.h"

void model_share(struct model *m, unsigned functions, unsigned queues, unsigned interrupts)
{
    struct nvme_shared_out *kinds = m->primary.kinds;
    m->id.oacs |= NVME_OACS_VIRTUALISATION | NVME_OACS_NAMESPACES;
    m->functions_most = functions;
    m->primary.crt = 3;
    kinds[NVME_VIRTUAL_QUEUES].total = kinds[NVME_VIRTUAL_QUEUES].primary = (uint16_t)queues;
    kinds[NVME_VIRTUAL_INTERRUPTS].total = (uint16_t)interrupts;
    kinds[NVME_VIRTUAL_INTERRUPTS].primary = (uint16_t)interrupts;
    for (unsigned kind = 0; kind < NVME_VIRTUAL_KINDS; kind++) {
        kinds[kind].own = 3;
        kinds[kind].most = 8;
        kinds[kind].granularity = 1;
        m->primary_next[kind] = kinds[kind].primary;
    }
    m->secondaries.count = (uint8_t)functions;
    for (unsigned i = 0; i < functions; i++)
        m->secondaries.list[i] = (struct nvme_secondary){
            .id = MODEL_SECONDARY(i),
            .function = (uint16_t)(i + 1),
        };
}

// ---- Identify ----

static uint32_t list_owners(const struct model *m, uint32_t nsid, struct nvme_controller_list *list)
{
    memset(list, 0, sizeof(*list));
    for (unsigned i = 0; i < MODEL_NAMESPACES; i++)
        if (m->allocated[i].nsid == nsid && m->allocated[i].owned)
            list->ids[list->count++] = m->allocated[i].owner;
    return 0;
}

uint32_t model_identify_virtual(struct model *m, const struct nvme_sqe *sqe)
{
    uint32_t *list = model_memory(m, sqe->prp1);
    switch (sqe->cdw10) {
    case NVME_CNS_PRIMARY:
        memcpy(list, &m->primary, NVME_PAGE);
        return 0;
    case NVME_CNS_SECONDARIES:
        memcpy(list, &m->secondaries, NVME_PAGE);
        return 0;
    case NVME_CNS_ALLOCATED_LIST:
        memset(list, 0, NVME_PAGE);
        for (unsigned i = 0; i < MODEL_NAMESPACES && m->allocated[i].nsid; i++)
            list[i] = m->allocated[i].nsid;
        return 0;
    case NVME_CNS_ATTACHED_CONTROLLERS:
        return list_owners(m, (uint32_t)field_get(NVME_SQE_NSID, sqe->head), (void *)list);
    }
    return NVME_STATUS_INVALID_FIELD;
}

uint32_t model_attach_to(struct model *m, const struct nvme_sqe *sqe)
{
    const struct nvme_controller_list *list = model_memory(m, sqe->prp1);
    require(list->count == 1, "%u controllers are named", list->count);
    for (unsigned i = 0; i < MODEL_NAMESPACES; i++) {
        if (m->allocated[i].nsid != field_get(NVME_SQE_NSID, sqe->head))
            continue;
        require(m->allocated[i].owned == (sqe->cdw10 == NVME_DETACH), "attached, or not, twice");
        require(!m->allocated[i].owned || m->allocated[i].owner == list->ids[0],
                "detached from another");
        m->allocated[i].owned = sqe->cdw10 == NVME_ATTACH;
        m->allocated[i].owner = list->ids[0];
        return 0;
    }
    return NVME_STATUS_INVALID_NAMESPACE;
}

// ---- Virtualization Management ----

static struct nvme_secondary *find_secondary(struct model *m, unsigned id)
{
    for (unsigned i = 0; i < m->secondaries.count; i++)
        if (m->secondaries.list[i].id == id)
            return &m->secondaries.list[i];
    return NULL;
}

static uint32_t give_primary(struct model *m, unsigned id, unsigned kind, unsigned count)
{
    const struct nvme_shared_out *out = &m->primary.kinds[kind];
    require(id == m->id.cntlid, "resources for controller %u, which isn't the primary", id);
    if (count > out->total - out->assigned)
        return NVME_STATUS(1, 0x22);
    m->primary_next[kind] = (uint16_t)count;
    return 0;
}

static uint32_t assign(struct model *m, struct nvme_secondary *to, unsigned kind, unsigned count,
                       uint32_t *dw0)
{
    struct nvme_shared_out *out = &m->primary.kinds[kind];
    require(!(to->state & NVME_SECONDARY_ONLINE), "resources for a controller that is online");
    require(count % MAX((unsigned)out->granularity, 1u) == 0, "%u of resource %u", count, kind);
    if (count > out->most)
        return NVME_STATUS(1, 0x21);
    if (count > out->total - out->primary - out->assigned + to->resources[kind])
        return NVME_STATUS(1, 0x22);
    count -= m->assigns_less;
    out->assigned += count - to->resources[kind];
    to->resources[kind] = (uint16_t)count;
    *dw0 = count;
    return 0;
}

static uint32_t set_state(struct model *m, struct nvme_secondary *to, bool online)
{
    for (unsigned kind = 0; !online && kind < NVME_VIRTUAL_KINDS; kind++) {
        m->primary.kinds[kind].assigned -= to->resources[kind];
        to->resources[kind] = 0;
    }
    if (online && (to->resources[0] < 2 || !to->resources[1] || to->function > m->functions_on))
        return NVME_STATUS(1, 0x20);
    to->state = online;
    return 0;
}

uint32_t model_manage_virtual(struct model *m, const struct nvme_sqe *sqe, uint32_t *dw0)
{
    unsigned act = (unsigned)field_get(NVME_VIRTUAL_ACT, sqe->cdw10);
    unsigned id = (unsigned)field_get(NVME_VIRTUAL_CNTLID, sqe->cdw10);
    unsigned kind = (unsigned)field_get(NVME_VIRTUAL_RT, sqe->cdw10);
    require(kind < NVME_VIRTUAL_KINDS, "resource type %u", kind);
    if (act == NVME_VIRTUAL_ACT_PRIMARY)
        return give_primary(m, id, kind, sqe->cdw11);
    struct nvme_secondary *to = find_secondary(m, id);
    require(to, "controller %u is no secondary one", id);
    if (id == m->refused_secondary && act == NVME_VIRTUAL_ACT_ONLINE)
        return NVME_STATUS(1, 0x20);
    switch (act) {
    case NVME_VIRTUAL_ACT_OFFLINE:
    case NVME_VIRTUAL_ACT_ONLINE:
        return set_state(m, to, act == NVME_VIRTUAL_ACT_ONLINE);
    case NVME_VIRTUAL_ACT_ASSIGN:
        return assign(m, to, kind, sqe->cdw11, dw0);
    }
    fail_msg("the host broke a rule: Virtualization Management by action %u", act);
    return 1;
}
