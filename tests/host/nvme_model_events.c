// SPDX-License-Identifier: BSD-2-Clause
// What the controller says of itself: features, log pages, asynchronous events, aborts.

#include "tests/host/nvme_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_world.h"

uint32_t model_set_feature(struct model *m, const struct nvme_sqe *sqe)
{
    m->features[sqe->cdw10 & 0xff] = sqe->cdw11;
    if (sqe->cdw10 == NVME_FEATURE_HOST_BEHAVIOR)
        m->extended = ((const struct nvme_host_behavior *)model_memory(m, sqe->prp1))->lbafee == 1;
    return 0;
}

// ---- aborts ----

uint32_t model_abort(struct model *m, const struct nvme_sqe *sqe, uint32_t *dw0)
{
    unsigned sq = sqe->cdw10 & 0xffff, cid = sqe->cdw10 >> 16;
    require(sq < MODEL_QUEUES && m->queues[sq].sq, "Abort on SQ %u, which doesn't exist", sq);
    m->aborts++;
    if (m->abort == ABORT_FAILS)
        return NVME_STATUS_INVALID_FIELD;
    bool ended = m->abort == ABORT_LIES ||
                 (m->abort == ABORT_WORKS && model_end_command(m, sq, cid, NVME_STATUS(0, 0x07)));
    *dw0 = !ended;
    return 0;
}

// ---- events ----

static bool is_wanted(const struct model *m, uint32_t event)
{
    uint32_t wanted = m->features[NVME_FEATURE_EVENTS];
    if (field_get(NVME_EVENT_TYPE, event) == NVME_EVENT_NOTICE)
        return wanted & BIT32(8 + field_get(NVME_EVENT_INFO, event));
    return field_get(NVME_EVENT_TYPE, event) != NVME_EVENT_SMART || wanted & NVME_EVENTS_SMART;
}

// Of each type one is told of until the host has read its log page (5.2.1).
static void tell(struct model *m)
{
    for (unsigned i = 0; i < m->events_count && m->listeners_count; i++) {
        uint32_t event = m->events[i];
        uint32_t type = BIT32(field_get(NVME_EVENT_TYPE, event));
        if (m->told_types & type)
            continue;
        m->told_types |= type;
        memmove(&m->events[i], &m->events[i + 1], (--m->events_count - i) * sizeof(event));
        model_end_admin(m, m->listeners[--m->listeners_count], 0, event);
        i--;
    }
}

bool model_event(struct model *m, uint32_t event)
{
    if (!is_wanted(m, event))
        return false;
    assert_true(m->events_count < MODEL_EVENTS);
    m->events[m->events_count++] = event;
    tell(m);
    return true;
}

uint32_t model_listen(struct model *m, const struct nvme_sqe *sqe)
{
    if (m->listeners_count > m->id.aerl || m->listeners_count == MODEL_EVENTS)
        return NVME_STATUS(1, 0x05); // Asynchronous Event Request Limit Exceeded
    m->listeners[m->listeners_count++] = (uint16_t)field_get(NVME_SQE_CID, sqe->head);
    tell(m);
    return 0;
}

// ---- log pages (5.16) ----

static void *log_page(struct model *m, unsigned lid, size_t *bytes, unsigned *type)
{
    switch (lid) {
    case NVME_LOG_ERROR:
        *bytes = sizeof(m->error_log);
        *type = NVME_EVENT_ERROR;
        return m->error_log;
    case NVME_LOG_SMART:
        *bytes = sizeof(m->smart);
        *type = NVME_EVENT_SMART;
        return m->smart;
    case NVME_LOG_FIRMWARE:
        *bytes = sizeof(m->firmware);
        *type = NVME_EVENT_NOTICE;
        return m->firmware;
    case NVME_LOG_CHANGED_NAMESPACES:
        *bytes = sizeof(m->changes);
        *type = NVME_EVENT_NOTICE;
        return m->changes;
    case NVME_LOG_ANA:
        *bytes = sizeof(m->ana);
        *type = NVME_EVENT_NOTICE;
        return m->ana;
    }
    return NULL;
}

uint32_t model_get_log(struct model *m, const struct nvme_sqe *sqe)
{
    unsigned lid = sqe->cdw10 & 0xff, type = 0;
    size_t wanted = (sqe->cdw10 >> 16) * 4ull + 4, bytes = 0;
    const void *page = log_page(m, lid, &bytes, &type);
    uint64_t from = sqe->cdw12 | (uint64_t)sqe->cdw13 << 32;
    require(sqe->prp1 % NVME_PAGE == 0 && wanted <= NVME_PAGE && !sqe->cdw11,
            "log data across pages");
    require(!from || m->id.lpa & NVME_LPA_EXTENDED, "an offset into a log, which it doesn't know");
    if (!page)
        return NVME_STATUS(1, 0x09); // Invalid Log Page
    if (from >= bytes)
        return NVME_STATUS_INVALID_FIELD;
    m->logs_read++;
    if (m->reads_log)
        m->reads_log(m);
    memcpy(model_memory(m, sqe->prp1), (const uint8_t *)page + from, MIN(wanted, bytes - from));
    if (sqe->cdw10 & NVME_LOG_RAE) // Retain Asynchronous Event
        return 0;
    if (lid == NVME_LOG_CHANGED_NAMESPACES)
        memset(m->changes, 0, sizeof(m->changes));
    m->told_types &= ~BIT32(type);
    tell(m);
    return 0;
}

// ---- namespaces that change ----

static bool note_change(struct model *m, uint32_t nsid)
{
    unsigned i = 0;
    while (m->changes[i] && m->changes[i] < nsid)
        i++;
    if (m->changes[i] != nsid) {
        memmove(&m->changes[i + 1], &m->changes[i], sizeof(m->changes) - (i + 1) * sizeof(nsid));
        m->changes[i] = nsid;
    }
    m->changed = true;
    return model_event(m, MODEL_EVENT_NAMESPACE);
}

bool model_attach(struct model *m, uint32_t nsid, unsigned block_shift, uint64_t blocks)
{
    model_add_namespace(m, nsid, block_shift, blocks);
    return note_change(m, nsid);
}

bool model_detach(struct model *m, uint32_t nsid)
{
    struct model_namespace *ns = model_find_namespace(m, nsid);
    assert_non_null(ns);
    memset(ns, 0, sizeof(*ns));
    return note_change(m, nsid);
}

bool model_resize(struct model *m, uint32_t nsid, uint64_t blocks)
{
    struct model_namespace *ns = model_find_namespace(m, nsid);
    assert_non_null(ns);
    ns->data.nsze = ns->data.ncap = ns->data.nuse = blocks;
    return note_change(m, nsid);
}
