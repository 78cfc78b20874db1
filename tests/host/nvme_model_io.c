// SPDX-License-Identifier: BSD-2-Clause
// The controller's queues: fetching, completions right and wrong, early, late and never.

#include "tests/host/nvme_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_world.h"

// ---- completions ----

void model_interrupt(struct model *m, unsigned cq)
{
    unsigned vector = m->queues[cq].vector;
    if (!m->queues[cq].interrupts || !m->msix_enabled)
        return;
    if (m->drop_interrupts) {
        m->drop_interrupts--;
        return;
    }
    m->interrupts++;
    m->raised[vector] = !m->lost_message[vector];
}

void model_write_cqe(struct model *m, unsigned cqid, unsigned cid, unsigned sqid, unsigned sqhd,
                     uint32_t status, uint32_t dw0)
{
    struct model_queue *cq = &m->queues[cqid];
    require(cq->cq, "completion queue %u does not exist", cqid);
    if (m->hostile && (cq->cq_tail + 1) % cq->cq_entries == cq->cq_head) // full of its lies
        return;
    require((cq->cq_tail + 1) % cq->cq_entries != cq->cq_head, "completion queue %u is full", cqid);
    struct nvme_cqe *e = (struct nvme_cqe *)model_memory(m, cq->cq) + cq->cq_tail;
    e->dw0 = dw0;
    e->dw1 = (uint32_t)(m->result >> 32);
    e->tail = field_put(NVME_CQE_SQHD, sqhd) | field_put(NVME_CQE_SQID, sqid) |
              field_put(NVME_CQE_CID, cid) | (cq->phase ? NVME_CQE_P : 0) |
              field_put(NVME_CQE_STATUS, status);
    if (++cq->cq_tail == cq->cq_entries) {
        cq->cq_tail = 0;
        cq->phase = !cq->phase;
    }
}

// Old phase, everything else random: nobody may look at it.
static void write_garbage(struct model *m, unsigned cqid)
{
    struct model_queue *cq = &m->queues[cqid];
    struct nvme_cqe *e = (struct nvme_cqe *)model_memory(m, cq->cq) + cq->cq_tail;
    e->dw0 = (uint32_t)rand();
    e->tail = (uint64_t)rand() << 33 ^ (uint64_t)rand();
    e->tail &= ~NVME_CQE_P;
    e->tail |= cq->phase ? 0 : NVME_CQE_P;
}

void model_post(struct model *m, unsigned sq, unsigned cid, unsigned sqid, unsigned sqhd,
                uint32_t status)
{
    model_write_cqe(m, m->queues[sq].cqid, cid, sqid, sqhd, status, (uint32_t)m->result);
}

// ---- I/O commands ----

// What has a range in it; the others have no LBA to be told by.
static bool is_dropped(struct model *m, const struct nvme_sqe *sqe)
{
    uint64_t lba = sqe->cdw10 | (uint64_t)sqe->cdw11 << 32;
    if (m->drop_commands) {
        m->drop_commands--;
        return true;
    }
    return field_get(NVME_SQE_OPC, sqe->head) != NVME_CMD_FLUSH && lba <= m->drop_lba &&
           m->drop_lba <= lba + (sqe->cdw12 & 0xffff);
}

static void lose(struct model *m, const struct model_command *c)
{
    assert_true(m->lost_count < MODEL_COMMANDS);
    m->lost[m->lost_count++] = *c;
}

static void answer(struct model *m, const struct model_command *c, uint32_t status)
{
    struct model_queue *sq = &m->queues[c->sq];
    unsigned cid = (unsigned)field_get(NVME_SQE_CID, c->sqe.head);
    unsigned sqhd = sq->sq_head + (unsigned)m->sqhd_lie;

    if (m->cid_lie)
        model_post(m, c->sq, cid + 0x4000, c->sq, sqhd, 0);
    if (m->sqid_lie)
        model_post(m, c->sq, cid, c->sq + 1, sqhd, 0);
    model_post(m, c->sq, cid, c->sq + m->odd_sqid, sqhd, status);
    if (m->twice)
        model_post(m, c->sq, cid, c->sq, sqhd, status);
    if (m->stale_garbage)
        write_garbage(m, sq->cqid);
    sq->used[cid] = false;
}

static void complete_io(struct model *m, const struct model_command *c)
{
    if (is_dropped(m, &c->sqe))
        return lose(m, c);
    answer(m, c, model_execute_io(m, &c->sqe));
}

void model_answer_lost(struct model *m, uint32_t status)
{
    for (unsigned i = 0; i < m->lost_count; i++) {
        struct model_command *c = &m->lost[i];
        answer(m, c, status ? status : model_execute_io(m, &c->sqe));
        model_interrupt(m, m->queues[c->sq].cqid);
    }
    m->lost_count = 0;
}

static bool take(struct model_command *list, unsigned *count, unsigned sq, unsigned cid,
                 struct model_command *taken)
{
    for (unsigned i = 0; i < *count; i++) {
        if (list[i].sq != sq || field_get(NVME_SQE_CID, list[i].sqe.head) != cid)
            continue;
        *taken = list[i];
        memmove(&list[i], &list[i + 1], (--*count - i) * sizeof(*list));
        return true;
    }
    return false;
}

bool model_end_command(struct model *m, unsigned sq, unsigned cid, uint32_t status)
{
    struct model_command c;
    if (!take(m->pending, &m->pending_count, sq, cid, &c) &&
        !take(m->lost, &m->lost_count, sq, cid, &c))
        return false;
    answer(m, &c, status);
    model_interrupt(m, m->queues[sq].cqid);
    return true;
}

static unsigned choose(struct model *m)
{
    if (m->order == MODEL_LIFO)
        return m->pending_count - 1;
    return m->order == MODEL_RANDOM ? (unsigned)rand() % m->pending_count : 0;
}

static bool cq_has_room(const struct model *m, const struct model_command *c)
{
    const struct model_queue *cq = &m->queues[m->queues[c->sq].cqid];
    return (cq->cq_tail + 1) % cq->cq_entries != cq->cq_head;
}

void model_fetch(struct model *m, unsigned qid, unsigned most)
{
    struct model_queue *q = &m->queues[qid];
    while (q->sq_head != q->sq_tail && most--) {
        if (m->pci.space && !model_reaches(m, q->sq)) { // nothing comes back
            m->csts |= NVME_CSTS_CFS;
            return;
        }
        struct nvme_sqe *sqe = (struct nvme_sqe *)model_memory(m, q->sq) + q->sq_head;
        unsigned cid = (unsigned)field_get(NVME_SQE_CID, sqe->head);
        q->sq_head = (q->sq_head + 1) % q->sq_entries;
        require(cid < MODEL_COMMANDS, "command id %u", cid);
        require(m->hostile || !q->used[cid], "command id %u is in use on queue %u", cid, qid);
        q->used[cid] = true;
        if (!qid) {
            model_run_admin(m, sqe);
            continue;
        }
        m->commands++;
        assert_true(m->pending_count < MODEL_COMMANDS);
        m->pending[m->pending_count++] = (struct model_command){ *sqe, qid };
    }
}

static void write_wildly(struct model *m)
{
    for (unsigned q = 0; q < MODEL_QUEUES; q++)
        if (m->wild_at[q] && model_reaches(m, m->wild_at[q]))
            memset((void *)m->wild_at[q], 0x77, sizeof(struct nvme_cqe)); // NOLINT
}

void model_work(struct model *m)
{
    bool posted[MODEL_QUEUES] = { false };
    model_look_at_shadows(m);
    if (m->wild)
        write_wildly(m);
    for (unsigned q = 1; m->lazy_fetch && q < MODEL_QUEUES; q++)
        model_fetch(m, q, m->lazy_fetch);
    while (m->pending_count && !m->hold && model_runs(m)) {
        unsigned i = choose(m);
        if (!cq_has_room(m, &m->pending[i]))
            break;
        struct model_command c = m->pending[i];
        memmove(&m->pending[i], &m->pending[i + 1], (--m->pending_count - i) * sizeof(c));
        unsigned tail = m->queues[m->queues[c.sq].cqid].cq_tail;
        complete_io(m, &c);
        posted[m->queues[c.sq].cqid] |= tail != m->queues[m->queues[c.sq].cqid].cq_tail;
    }
    for (unsigned q = 1; q < MODEL_QUEUES; q++)
        if (posted[q])
            model_interrupt(m, q);
}
