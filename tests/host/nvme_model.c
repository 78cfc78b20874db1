// SPDX-License-Identifier: BSD-2-Clause
// The controller's side: registers, queues, commands, faults.

#include "tests/host/nvme_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mmio.h"
#include "tests/host/nvme_world.h"

static unsigned stride(const struct model *m)
{
    return 4u << field_get(NVME_CAP_DSTRD, m->cap);
}

// ---- a controller ----

struct model *model_new(void)
{
    struct model *m = world_add();
    m->cap = field_put(NVME_CAP_MQES, 2047) | field_put(NVME_CAP_TO, 15) | NVME_CAP_CSS_NVM;
    m->vs = NVME_VERSION(1, 4);
    m->grants = 64;
    m->order = MODEL_FIFO;
    m->fail_opcode = m->ignore_opcode = m->fatal_opcode = -1;
    m->fail_cns = m->fail_nsid = ~0u;
    m->fail_status = NVME_STATUS_INVALID_FIELD;
    m->drop_lba = m->error_lba = ~0ull;
    m->error_status = NVME_STATUS(2, 0x81);
    memset(&m->id, ' ', offsetof(struct nvme_identify_controller, rab));
    memcpy(m->id.sn, "S123", 4);
    memcpy(m->id.mn, "Model Disk", 10);
    memcpy(m->id.fr, "1.0", 3);
    m->id.mdts = 7;
    m->id.sqes = 0x66;
    m->id.cqes = 0x44;
    m->id.nn = 256;
    model_add_namespace(m, 1, 9, 1 << 20);
    return m;
}

struct model_namespace *model_add_namespace(struct model *m, uint32_t nsid, unsigned block_shift,
                                            uint64_t blocks)
{
    struct model_namespace *ns = m->namespaces;
    while (ns->nsid)
        ns++;
    assert_true(ns < m->namespaces + MODEL_NAMESPACES);
    ns->nsid = nsid;
    ns->data.nsze = ns->data.ncap = ns->data.nuse = blocks;
    ns->data.lbaf[0] = (uint32_t)field_put(NVME_LBAF_LBADS, block_shift);
    return ns;
}

struct model_namespace *model_find_namespace(struct model *m, uint32_t nsid)
{
    for (unsigned i = 0; nsid && i < MODEL_NAMESPACES; i++)
        if (m->namespaces[i].nsid == nsid)
            return &m->namespaces[i];
    return nsid && nsid <= m->alike ? &m->namespaces[0] : NULL;
}

// ---- memory: physical addresses are the test's pointers ----

void *model_memory(const struct model *m, uint64_t phys)
{
    require(m->pci_command & 4, "DMA without bus mastering");
    return (void *)phys; // NOLINT
}

// Every dword of a disk is another: PRPs cut a transfer at dwords.
static uint32_t dword(uint32_t nsid, uint64_t offset)
{
    return (uint32_t)(((offset / 4 + 1) * 0x9e3779b97f4a7c15ull ^ (uint64_t)nsid << 32) >> 32);
}

void model_expect(uint32_t nsid, uint64_t offset, void *data, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i += 4)
        ((uint32_t *)data)[i / 4] = dword(nsid, offset + i);
}

bool model_holds(uint32_t nsid, uint64_t offset, const void *data, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i += 4)
        if (((const uint32_t *)data)[i / 4] != dword(nsid, offset + i))
            return false;
    return true;
}

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
    }
    return NVME_STATUS_INVALID_FIELD;
}

static unsigned queue_most(const struct model *m)
{
    return m->queue_most ? m->queue_most : (unsigned)field_get(NVME_CAP_MQES, m->cap) + 1;
}

static unsigned granted_cqs(const struct model *m)
{
    return m->grants_cqs ? m->grants_cqs : m->grants;
}

static uint32_t set_queues(struct model *m, const struct nvme_sqe *sqe, uint32_t *dw0)
{
    require(sqe->cdw10 == NVME_FEATURE_QUEUES, "an unknown feature is set");
    for (unsigned q = 1; q < MODEL_QUEUES; q++)
        require(!m->queues[q].cq && !m->queues[q].sq, "queues are asked for while there are some");
    m->asked_sqs = (unsigned)field_get(NVME_QUEUES_NSQ, sqe->cdw11) + 1;
    m->asked_cqs = (unsigned)field_get(NVME_QUEUES_NCQ, sqe->cdw11) + 1;
    *dw0 = (uint32_t)(field_put(NVME_QUEUES_NSQ, m->grants - 1) |
                      field_put(NVME_QUEUES_NCQ, granted_cqs(m) - 1));
    return 0;
}

static uint32_t create_cq(struct model *m, const struct nvme_sqe *sqe)
{
    unsigned qid = (unsigned)field_get(NVME_QUEUE_QID, sqe->cdw10);
    struct model_queue *q = &m->queues[qid];
    require(qid && qid <= granted_cqs(m) && qid < MODEL_QUEUES, "CQ %u was not granted", qid);
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
    require(qid && qid <= m->grants && qid < MODEL_QUEUES, "SQ %u was not granted", qid);
    require(!q->sq, "SQ %u exists", qid);
    q->cqid = (unsigned)field_get(NVME_SQ_CQID, sqe->cdw11);
    require(q->cqid < MODEL_QUEUES && m->queues[q->cqid].cq, "SQ %u before its CQ", qid);
    q->sq_entries = (unsigned)field_get(NVME_QUEUE_QSIZE, sqe->cdw10) + 1;
    require(q->sq_entries <= queue_most(m), "SQ longer than MQES");
    require(sqe->cdw11 & NVME_SQ_PC && sqe->prp1 % NVME_PAGE == 0, "SQ not contiguous");
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
        return set_queues(m, sqe, dw0);
    case NVME_ADMIN_CREATE_CQ:
        return create_cq(m, sqe);
    case NVME_ADMIN_CREATE_SQ:
        return create_sq(m, sqe);
    case NVME_ADMIN_DELETE_SQ:
        return delete_sq(m, sqe->cdw10 & 0xffff);
    case NVME_ADMIN_DELETE_CQ:
        return delete_cq(m, sqe->cdw10 & 0xffff);
    }
    fail_msg("the host broke a rule: an admin opcode that reads don't need");
    return 1;
}

static bool is_to_fail(const struct model *m, int opcode, const struct nvme_sqe *sqe)
{
    return (int)field_get(NVME_SQE_OPC, sqe->head) == opcode &&
           (m->fail_cns == ~0u || m->fail_cns == sqe->cdw10) &&
           (m->fail_nsid == ~0u || m->fail_nsid == field_get(NVME_SQE_NSID, sqe->head));
}

void model_run_admin(struct model *m, const struct nvme_sqe *sqe)
{
    uint32_t dw0 = 0, status;
    m->admin_log[m->admin_count++ % ARRAY_SIZE(m->admin_log)] = *sqe;
    if ((int)field_get(NVME_SQE_OPC, sqe->head) == m->fatal_opcode) {
        m->csts |= NVME_CSTS_CFS;
        return;
    }
    if (is_to_fail(m, m->ignore_opcode, sqe))
        return;
    status = is_to_fail(m, m->fail_opcode, sqe) ? m->fail_status : execute_admin(m, sqe, &dw0);
    unsigned cid = (unsigned)field_get(NVME_SQE_CID, sqe->head);
    m->queues[0].used[cid] = false;
    model_write_cqe(m, 0, cid, 0, m->queues[0].sq_head, status, dw0);
    model_interrupt(m, 0);
}

// ---- doorbells ----

static void doorbell(struct model *m, size_t offset, uint32_t value)
{
    unsigned n = (unsigned)(offset / stride(m)), qid = n / 2;
    require(offset % stride(m) == 0 && qid < MODEL_QUEUES, "no doorbell at %zu", offset);
    struct model_queue *q = &m->queues[qid];
    require(m->csts & NVME_CSTS_RDY, "a doorbell while not ready");
    require(world_may_ring(m, qid), "queue %u: a doorbell rung by a CPU that doesn't own it", qid);
    if (n % 2) {
        require(q->cq && value < q->cq_entries, "CQ %u head %u", qid, value);
        unsigned used = (q->cq_tail + q->cq_entries - q->cq_head) % q->cq_entries;
        unsigned taken = (value + q->cq_entries - q->cq_head) % q->cq_entries;
        require(taken <= used, "CQ %u head passes its tail", qid);
        q->cq_head = value;
        q->head_writes++;
        return;
    }
    require(q->sq && value < q->sq_entries, "SQ %u tail %u", qid, value);
    unsigned waiting = (q->sq_tail + q->sq_entries - q->sq_head) % q->sq_entries;
    require((value + q->sq_entries - q->sq_head) % q->sq_entries >= waiting,
            "SQ %u tail passes its head", qid);
    q->sq_tail = value;
    q->tail_writes++;
    if (!qid || !m->lazy_fetch)
        model_fetch(m, qid, ~0u);
}

// ---- registers ----

static void follow_enable(struct model *m)
{
    bool on = m->cc & NVME_CC_EN;
    if (world_now() < m->change_at)
        return;
    if (on && m->fatal_at_enable)
        m->csts |= NVME_CSTS_CFS;
    if (on && !m->never_ready && !m->fatal_at_enable)
        m->csts |= NVME_CSTS_RDY;
    if (!on && !m->stuck_ready)
        m->csts &= ~(NVME_CSTS_RDY | NVME_CSTS_CFS | NVME_CSTS_SHST);
}

static void reset(struct model *m)
{
    require(m->ours || !(m->pci_command & 4), "firmware's queues may still reach memory");
    m->resets++;
    m->reset_at = world_now();
    m->pending_count = 0;
    memset(m->queues, 0, sizeof(m->queues));
}

static void start(struct model *m, uint32_t cc)
{
    struct model_queue *q = &m->queues[0];
    require(!(m->csts & NVME_CSTS_RDY), "CC.EN set while CSTS.RDY is 1");
    require(!(cc & (NVME_CC_CSS | NVME_CC_MPS | NVME_CC_AMS | NVME_CC_SHN)), "CC is 0x%x", cc);
    require(field_get(NVME_CC_IOSQES, cc) == 6 && field_get(NVME_CC_IOCQES, cc) == 4,
            "entry sizes");
    require(m->asq && m->acq && m->asq % NVME_PAGE == 0 && m->acq % NVME_PAGE == 0, "ASQ, ACQ");
    memset(q, 0, sizeof(*q));
    m->ours = true;
    m->removed = m->gone_at_enable;
    q->sq = m->asq;
    q->cq = m->acq;
    q->sq_entries = (unsigned)field_get(NVME_AQA_ASQS, m->aqa) + 1;
    q->cq_entries = (unsigned)field_get(NVME_AQA_ACQS, m->aqa) + 1;
    q->phase = true;
    q->interrupts = true; // always, on vector 0
}

static void write_cc(struct model *m, uint32_t cc)
{
    uint32_t old = m->cc;
    m->cc = cc;
    m->change_at = world_now() + m->ready_delay_ns;
    if ((old ^ cc) & NVME_CC_EN)
        m->deaf_until = world_now() + m->deaf_ns;
    if (!(old & NVME_CC_EN) && (cc & NVME_CC_EN))
        start(m, cc);
    if ((old & NVME_CC_EN) && !(cc & NVME_CC_EN))
        reset(m);
    if (field_get(NVME_CC_SHN, cc) == NVME_CC_SHN_NORMAL && !m->never_shut_down)
        field_set(&m->csts, NVME_CSTS_SHST, NVME_CSTS_SHST_COMPLETE);
}

static bool is_slow(const struct model *m)
{
    unsigned id = m->pci.device;
    return m->slow_reset ||
           (m->pci.vendor == 0x144d && (id == 0xa821 || id == 0xa822 || id == 0xa826));
}

static uint64_t read_register(struct model *m, size_t offset)
{
    switch (offset) {
    case NVME_CAP:
        return m->cap;
    case NVME_VS:
        return m->vs;
    case NVME_CC:
        return m->cc;
    case NVME_CSTS:
        if (is_slow(m) && m->resets)
            require(world_now() - m->reset_at >= 2400 * NS_PER_MS, "CSTS read too soon");
        follow_enable(m);
        return m->csts;
    case NVME_CRTO:
        require(m->cap & NVME_CAP_CRWMS, "reads CRTO, which isn't there");
        return m->crto;
    }
    fail_msg("the host broke a rule: reads offset 0x%zx", offset);
    return 0;
}

uint64_t mmio_model_read(const volatile void *reg, unsigned bytes)
{
    size_t offset;
    struct model *m = world_find(reg, &offset);
    require(m->pci_command & 2, "registers without memory decoding");
    require(bytes == (offset == NVME_CAP ? 8 : 4), "offset 0x%zx read as %u bytes", offset, bytes);
    if (m->zeros || m->power_state) // as QEMU's, asleep
        return 0;
    return m->removed || world_now() < m->deaf_until ? ~0ull : read_register(m, offset);
}

void mmio_model_write(volatile void *reg, uint64_t value, unsigned bytes)
{
    size_t offset;
    struct model *m = world_find(reg, &offset);
    require(bytes == (offset == NVME_ASQ || offset == NVME_ACQ ? 8 : 4), "write of %u bytes",
            bytes);
    if (m->removed)
        return;
    if (offset >= NVME_DOORBELLS)
        return doorbell(m, offset - NVME_DOORBELLS, (uint32_t)value);
    require(offset == NVME_CC || !(m->cc & NVME_CC_EN), "0x%zx written while enabled", offset);
    if (offset == NVME_CC)
        write_cc(m, (uint32_t)value);
    else if (offset == NVME_AQA)
        m->aqa = (uint32_t)value;
    else if (offset == NVME_ASQ)
        m->asq = value;
    else if (offset == NVME_ACQ)
        m->acq = value;
    else
        fail_msg("the host broke a rule: writes offset 0x%zx", offset);
}
