// SPDX-License-Identifier: BSD-2-Clause
// The controller's admin commands: Identify, and queues made and deleted.

#include "tests/host/nvme_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_world.h"

// ---- admin commands ----

// The least NSID after this one that is active; 0: there is none.
static uint32_t next_namespace(const struct model *m, uint32_t after)
{
    uint32_t next = after < m->alike ? after + 1 : 0;
    for (unsigned i = 0; i < MODEL_NAMESPACES; i++) {
        uint32_t nsid = m->namespaces[i].nsid;
        if (nsid > after && (!next || nsid < next) && (nsid <= m->id.nn || m->lists_past_nn))
            next = nsid;
    }
    return next;
}

static uint32_t identify(struct model *m, const struct nvme_sqe *sqe)
{
    uint32_t nsid = (uint32_t)field_get(NVME_SQE_NSID, sqe->head);
    const struct model_namespace *ns = model_find_namespace(m, nsid);
    uint32_t *list = model_memory(m, sqe->prp1);
    require(sqe->prp1 % NVME_PAGE == 0, "Identify data across pages");
    switch (sqe->cdw10) {
    case NVME_CNS_CONTROLLER:
        require(!nsid, "Identify Controller with an NSID");
        memcpy(list, &m->id, NVME_PAGE);
        return 0;
    case NVME_CNS_NAMESPACE:
        require(nsid && nsid != ~0u, "Identify Namespace of 0x%x", nsid);
        m->namespaces_asked++;
        if (nsid == m->silent_nsid)
            return 0;
        memset(list, 0, NVME_PAGE);
        if (ns)
            memcpy(list, &ns->data, NVME_PAGE);
        return 0;
    case NVME_CNS_ACTIVE_LIST:
        memset(list, 0, NVME_PAGE);
        if (m->list_lie) {
            memcpy(list, m->list_lie, NVME_PAGE);
            return 0;
        }
        for (unsigned i = 0; i < 1024 && (nsid = next_namespace(m, nsid)); i++)
            list[i] = nsid;
        return 0;
    case NVME_CNS_PRIMARY:
    case NVME_CNS_SECONDARIES:
    case NVME_CNS_ALLOCATED_LIST:
    case NVME_CNS_ATTACHED_CONTROLLERS:
        return model_identify_virtual(m, sqe);
    }
    return model_identify_more(m, sqe);
}

static unsigned queue_most(const struct model *m)
{
    return m->queue_most ? m->queue_most : (unsigned)field_get(NVME_CAP_MQES, m->cap) + 1;
}

static uint32_t set_queues(struct model *m, const struct nvme_sqe *sqe, uint32_t *dw0)
{
    for (unsigned q = 1; q < MODEL_QUEUES; q++)
        require(!m->queues[q].cq && !m->queues[q].sq, "queues are asked for while there are some");
    m->asked_sqs = (unsigned)field_get(NVME_QUEUES_NSQ, sqe->cdw11) + 1;
    m->asked_cqs = (unsigned)field_get(NVME_QUEUES_NCQ, sqe->cdw11) + 1;
    m->granted_sqs = m->grants;
    m->granted_cqs = m->grants_cqs ? m->grants_cqs : m->grants;
    *dw0 = (uint32_t)(field_put(NVME_QUEUES_NSQ, m->granted_sqs - 1) |
                      field_put(NVME_QUEUES_NCQ, m->granted_cqs - 1));
    return 0;
}

static uint32_t create_cq(struct model *m, const struct nvme_sqe *sqe)
{
    unsigned qid = (unsigned)field_get(NVME_QUEUE_QID, sqe->cdw10);
    struct model_queue *q = &m->queues[qid];
    require(qid && qid <= m->granted_cqs && qid < MODEL_QUEUES, "CQ %u was not granted", qid);
    require(!q->cq, "CQ %u exists", qid);
    q->cq_entries = (unsigned)field_get(NVME_QUEUE_QSIZE, sqe->cdw10) + 1;
    require(q->cq_entries <= queue_most(m), "CQ longer than MQES");
    require(sqe->cdw11 & NVME_CQ_PC && sqe->prp1 % NVME_PAGE == 0, "CQ not contiguous");
    q->vector = (unsigned)field_get(NVME_CQ_IV, sqe->cdw11);
    require(q->vector < m->pci.msix.vectors, "vector %u does not exist", q->vector);
    q->interrupts = sqe->cdw11 & NVME_CQ_IEN;
    q->cq = sqe->prp1;
    q->phase = true;
    return 0;
}

static uint32_t create_sq(struct model *m, const struct nvme_sqe *sqe)
{
    unsigned qid = (unsigned)field_get(NVME_QUEUE_QID, sqe->cdw10);
    struct model_queue *q = &m->queues[qid];
    require(qid && qid <= m->granted_sqs && qid < MODEL_QUEUES, "SQ %u was not granted", qid);
    require(!q->sq, "SQ %u exists", qid);
    q->cqid = (unsigned)field_get(NVME_SQ_CQID, sqe->cdw11);
    require(q->cqid < MODEL_QUEUES && m->queues[q->cqid].cq, "SQ %u before its CQ", qid);
    q->sq_entries = (unsigned)field_get(NVME_QUEUE_QSIZE, sqe->cdw10) + 1;
    require(q->sq_entries <= queue_most(m), "SQ longer than MQES");
    require(sqe->cdw11 & NVME_SQ_PC && sqe->prp1 % NVME_PAGE == 0, "SQ not contiguous");
    if (m->cmb_refused && model_is_cmb(m, sqe->prp1))
        return NVME_STATUS_INVALID_FIELD;
    q->priority = (unsigned)field_get(NVME_SQ_QPRIO, sqe->cdw11);
    q->sq = sqe->prp1;
    return 0;
}

static uint32_t delete_sq(struct model *m, unsigned qid)
{
    require(m->queues[qid].sq, "SQ %u deleted twice", qid);
    m->queues[qid].sq = 0;
    m->deleted_sqs++;
    return 0;
}

static uint32_t delete_cq(struct model *m, unsigned qid)
{
    require(m->queues[qid].cq && !m->queues[qid].sq, "CQ %u deleted before its SQ", qid);
    m->queues[qid].cq = 0;
    m->deleted_cqs++;
    return 0;
}

static uint32_t execute_admin(struct model *m, const struct nvme_sqe *sqe, uint32_t *dw0)
{
    switch (field_get(NVME_SQE_OPC, sqe->head)) {
    case NVME_ADMIN_IDENTIFY:
        return identify(m, sqe);
    case NVME_ADMIN_SET_FEATURES:
        return sqe->cdw10 == NVME_FEATURE_QUEUES ? set_queues(m, sqe, dw0)
                                                 : model_set_feature(m, sqe);
    case NVME_ADMIN_GET_FEATURES:
        *dw0 = m->features[sqe->cdw10 & 0xff];
        return 0;
    case NVME_ADMIN_VIRTUAL:
        return model_manage_virtual(m, sqe, dw0);
    case NVME_ADMIN_ATTACH:
        return model_attach_to(m, sqe);
    case NVME_ADMIN_ABORT:
        return model_abort(m, sqe, dw0);
    case NVME_ADMIN_GET_LOG_PAGE:
        return model_get_log(m, sqe);
    case NVME_ADMIN_DBBUF_CONFIG:
        return model_take_shadows(m, sqe);
    case NVME_ADMIN_CREATE_CQ:
        return create_cq(m, sqe);
    case NVME_ADMIN_CREATE_SQ:
        return create_sq(m, sqe);
    case NVME_ADMIN_DELETE_SQ:
        return delete_sq(m, sqe->cdw10 & 0xffff);
    case NVME_ADMIN_DELETE_CQ:
        return delete_cq(m, sqe->cdw10 & 0xffff);
    }
    fail_msg("the host broke a rule: admin opcode %02llxh",
             (unsigned long long)field_get(NVME_SQE_OPC, sqe->head));
    return 1;
}

static bool is_to_fail(const struct model *m, int opcode, const struct nvme_sqe *sqe)
{
    return (int)field_get(NVME_SQE_OPC, sqe->head) == opcode &&
           (m->fail_cns == ~0u || m->fail_cns == sqe->cdw10) &&
           (m->fail_qid == ~0u || m->fail_qid == (sqe->cdw10 & 0xffff)) &&
           (m->fail_nsid == ~0u || m->fail_nsid == field_get(NVME_SQE_NSID, sqe->head));
}

void model_end_admin(struct model *m, unsigned cid, uint32_t status, uint32_t dw0)
{
    m->queues[0].used[cid] = false;
    model_write_cqe(m, 0, cid, 0, m->queues[0].sq_head, status, dw0);
    model_interrupt(m, 0);
}

static bool is_unanswered(const struct model *m, const struct nvme_sqe *sqe)
{
    return is_to_fail(m, m->ignore_opcode, sqe) ||
           (m->abort == ABORT_SILENT && field_get(NVME_SQE_OPC, sqe->head) == NVME_ADMIN_ABORT);
}

void model_run_admin(struct model *m, const struct nvme_sqe *sqe)
{
    int opcode = (int)field_get(NVME_SQE_OPC, sqe->head);
    uint32_t dw0 = 0, status;
    m->admin_log[m->admin_count++ % ARRAY_SIZE(m->admin_log)] = *sqe;
    if (opcode == m->fatal_opcode) {
        m->csts |= NVME_CSTS_CFS;
        return;
    }
    if (is_unanswered(m, sqe))
        return;
    if (is_to_fail(m, m->fail_opcode, sqe))
        status = m->fail_status;
    else if (opcode != NVME_ADMIN_ASYNC_EVENT)
        status = execute_admin(m, sqe, &dw0);
    else if (!(status = model_listen(m, sqe)))
        return;
    model_end_admin(m, (unsigned)field_get(NVME_SQE_CID, sqe->head), status, dw0);
}
